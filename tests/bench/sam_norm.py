# SPDX-License-Identifier: Apache-2.0
"""What the PyTorch peers share: BiT's convolution, and a SAM-only-norm step written from docs/methods.md."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class StdConv(nn.Conv2d):
    def forward(self, x):
        var, mean = torch.var_mean(self.weight, [1, 2, 3], keepdim=True, unbiased=False)
        return F.conv2d(x, (self.weight - mean) / torch.sqrt(var + 1e-10), None, self.stride, self.padding)


def step(norms, optimizer, gradients, backward, rho=0.5):
    """gradients() gives those of `norms` at w; backward() leaves all of them, at the perturbed weights."""
    grads = gradients()
    with torch.no_grad():
        length = torch.sqrt(sum((g * g).sum() for g in grads)) + 1e-16
        saved = [p.clone() for p in norms]
        for p, g in zip(norms, grads):
            p.add_(g, alpha=float(rho / length))
    optimizer.zero_grad()
    backward()
    with torch.no_grad():
        for p, s in zip(norms, saved):
            p.copy_(s)
    optimizer.step()

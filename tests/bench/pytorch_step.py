#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The peer of `sft-vk bench`: one SAM-only-norm step at 64 + 64 images in PyTorch on this machine's CPU.

Models and step are written from docs/methods.md, "The loss" and "The step". The ascent pass asks autograd
for the gradients of the norm parameters alone, as sft-vk does. Prints the median of the timed steps in milliseconds.
"""

import os
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import sam_norm
from sam_norm import StdConv


class Unit(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.gn1, self.gn2 = nn.GroupNorm(8, cin), nn.GroupNorm(8, cout)
        self.conv1 = StdConv(cin, cout, 3, stride, 1, bias=False)
        self.conv2 = StdConv(cout, cout, 3, 1, 1, bias=False)
        self.downsample = StdConv(cin, cout, 1, stride, bias=False) if stride != 1 or cin != cout else None

    def forward(self, x):
        a = F.relu(self.gn1(x))
        shortcut = self.downsample(a) if self.downsample is not None else x
        return self.conv2(F.relu(self.gn2(self.conv1(a)))) + shortcut


def resnetv2_20_gn():
    layers, cin = [StdConv(3, 16, 3, 1, 1, bias=False)], 16
    for cout, stride in ((16, 1), (32, 2), (64, 2)):
        for unit in range(3):
            layers.append(Unit(cin, cout, stride if unit == 0 else 1))
            cin = cout
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*layers, nn.GroupNorm(8, 64), nn.ReLU(), *head)


def vgg11_gn():
    layers, cin = [], 3
    for cout in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
        if cout == "M":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += [nn.Conv2d(cin, cout, 3, 1, 1), nn.GroupNorm(min(32, cout // 8), cout), nn.ReLU()]
            cin = cout
    hidden = [layer for _ in range(2) for layer in (nn.Linear(512, 512), nn.ReLU(), nn.Dropout())]
    head = [*hidden, nn.Linear(512, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def loss_of(net, x, y):
    logits = net(x)
    n = y.shape[0]
    outliers = logits[n:]
    return F.cross_entropy(logits[:n], y) + (torch.logsumexp(outliers, 1) - outliers.mean(1)).mean()


def step(net, norms, optimizer, x, y):
    sam_norm.step(
        norms,
        optimizer,
        lambda: torch.autograd.grad(loss_of(net, x, y), norms),
        lambda: loss_of(net, x, y).backward(),
    )


def main():
    torch.set_num_threads(int(os.environ.get("SFT_VK_THREADS", os.cpu_count())))
    torch.manual_seed(0)
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    x, y = torch.randn(128, 3, 32, 32), torch.randint(0, 10, (64,))
    for build in (resnetv2_20_gn, vgg11_gn):
        net = build().train()
        norms = [p for m in net.modules() if isinstance(m, nn.GroupNorm) for p in m.parameters()]
        optimizer = torch.optim.SGD(net.parameters(), 1e-3, 0.9, weight_decay=1e-5)
        times = []
        for i in range(repeats + 2):
            start = time.perf_counter()
            step(net, norms, optimizer, x, y)
            if i >= 2:
                times.append(1e3 * (time.perf_counter() - start))
        median = statistics.median(times)
        print(f"PyTorch {torch.__version__}  sam-norm step  {build.__name__:15s} 64+64  {median:8.1f} ms")


main()

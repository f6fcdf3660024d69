#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The peer of `sft-vk bench --model t2t_vit_24 --batch 32`: SAM-only-norm steps of T2T-ViT in PyTorch.

    python3 tests/bench/pytorch_t2t.py [MODEL [SIDE [IMAGES [STEPS]]]]

The network is that of tests/golden/t2t.py in float32, its attention by scaled_dot_product_attention, PyTorch's
fastest; half of the images are outliers. The ascent pass asks autograd for the gradients of the norm parameters
alone, as sft-vk does. Prints of each step the wall time and the CPU time of all threads, and at the end the
largest resident set.
"""

import os
import resource
import sys
import time

import torch
import torch.nn.functional as F

import sam_norm

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
import t2t


class FastAttention(t2t.Attention):
    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
        join = lambda y: y.transpose(1, 2).reshape(n, t, -1)
        return self.proj(join(y)), join(v)


def step(net, norms, optimizer, x, y):
    loss = lambda: sum(t2t.sft_loss(net(x), y))
    sam_norm.step(norms, optimizer, lambda: torch.autograd.grad(loss(), norms), lambda: loss().backward())


def main():
    given = sys.argv[1:] + ["t2t_vit_24", "224", "32", "2"][len(sys.argv) - 1 :]
    name, side, images, steps = given[0], int(given[1]), int(given[2]), int(given[3])
    torch.set_num_threads(int(os.environ.get("SFT_VK_THREADS", os.cpu_count())))
    torch.manual_seed(0)
    t2t.Attention = FastAttention
    net = t2t.build(name, side).float().train()
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 1e-3, 0.9, weight_decay=1e-5)
    x, y = torch.randn(images, 3, side, side), t2t.labels_of(images // 2, images - images // 2)
    for _ in range(steps):
        wall, cpu = time.perf_counter(), time.process_time()
        step(net, t2t.layer_norms(net), optimizer, x, y)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"PyTorch {torch.__version__}  sam-norm step  {name} {side} x {images}  {wall:.1f} s, CPU {cpu:.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"largest resident set {peak:.2f} GiB")


main()

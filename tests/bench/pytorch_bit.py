#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A SAM-only-norm step of the BiT ResNetv2 in PyTorch on this machine's CPU: seconds per image, and memory.

    pytorch_bit.py [--model 101] [--size 480] [--batch 4] [--micro 0] [--repeats 2] [--ascent norm|all]

Model and step are written from the published description: pre-activation bottleneck units, group norm with
32 groups, filters standardised on each call. Half of a batch are ID images, half pseudo-outliers.
--ascent norm asks autograd for the gradients of the norm parameters alone in the first pass, as sft-vk does;
--ascent all calls backward(), as SAM is usually written. --micro M runs both passes M images at a time and
adds the gradients up. Prints the median of the timed steps after one that warms up, by the clock and by what
all threads computed (waiting threads spin, which counts; SFT_VK_THREADS=1 shows work alone, and holds where
something else runs beside); peak RSS is the whole process's.
"""

import argparse
import os
import resource
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import sam_norm
from sam_norm import StdConv

UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


class Unit(nn.Module):
    def __init__(self, cin, cmid, stride):
        super().__init__()
        cout = 4 * cmid
        self.gn1, self.gn2, self.gn3 = nn.GroupNorm(32, cin), nn.GroupNorm(32, cmid), nn.GroupNorm(32, cmid)
        self.conv1 = StdConv(cin, cmid, 1, bias=False)
        self.conv2 = StdConv(cmid, cmid, 3, stride, 1, bias=False)
        self.conv3 = StdConv(cmid, cout, 1, bias=False)
        self.downsample = StdConv(cin, cout, 1, stride, bias=False) if stride != 1 or cin != cout else None

    def forward(self, x):
        a = F.relu(self.gn1(x))
        shortcut = x if self.downsample is None else self.downsample(a)
        y = self.conv2(F.relu(self.gn2(self.conv1(a))))
        return self.conv3(F.relu(self.gn3(y))) + shortcut


def bit(depth, classes=1000):
    layers = [StdConv(3, 64, 7, 2, 3, bias=False), nn.ConstantPad2d(1, 0.0), nn.MaxPool2d(3, 2)]
    cin = 64
    for stage, units in enumerate(UNITS[depth]):
        for unit in range(units):
            cmid = 64 << stage
            layers.append(Unit(cin, cmid, 2 if stage and unit == 0 else 1))
            cin = 4 * cmid
    head = [nn.GroupNorm(32, cin), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, classes)]
    return nn.Sequential(*layers, *head)


def loss_of(net, x, y, ids):
    """Of some rows of a batch with `ids` ID images, as many outliers: parts add up to the batch's loss."""
    logits = net(x)
    inside = y >= 0
    outliers = logits[~inside]
    uniform = torch.logsumexp(outliers, 1) - outliers.mean(1)
    return (F.cross_entropy(logits[inside], y[inside], reduction="sum") + uniform.sum()) / ids


def parts(x, y, micro):
    return [(x, y)] if not micro else list(zip(x.split(micro), y.split(micro)))


def ascent_gradients(net, norms, x, y, options):
    totals = None
    for part in parts(x, y, options.micro):
        loss = loss_of(net, *part, len(y) // 2)
        if options.ascent == "norm":
            grads = torch.autograd.grad(loss, norms)
        else:
            net.zero_grad()
            loss.backward()
            grads = [p.grad for p in norms]
        totals = list(grads) if totals is None else [t + g for t, g in zip(totals, grads)]
    return totals


def step(net, norms, optimizer, x, y, options):
    def backward():
        for part in parts(x, y, options.micro):
            loss_of(net, *part, len(y) // 2).backward()

    sam_norm.step(norms, optimizer, lambda: ascent_gradients(net, norms, x, y, options), backward)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=int, default=101, choices=UNITS)
    parser.add_argument("--size", type=int, default=480)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--micro", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--ascent", default="norm", choices=("norm", "all"))
    parser.add_argument("--channels-last", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("SFT_VK_THREADS", os.cpu_count())))
    torch.manual_seed(0)
    net = bit(options.model).train()
    n = options.batch
    x, y = torch.randn(n, 3, options.size, options.size), torch.randint(0, 1000, (n,))
    y[1::2] = -1
    if options.channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    norms = [p for m in net.modules() if isinstance(m, nn.GroupNorm) for p in m.parameters()]
    optimizer = torch.optim.SGD(net.parameters(), 1e-3, 0.9, weight_decay=1e-5)
    times, work = [], []
    for i in range(options.repeats + 1):
        start, start_work = time.perf_counter(), time.process_time()
        step(net, norms, optimizer, x, y, options)
        if i:
            times.append(time.perf_counter() - start)
            work.append(time.process_time() - start_work)
    median, computed = statistics.median(times), statistics.median(work)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    layout = ", channels last" if options.channels_last else ""
    print(f"PyTorch {torch.__version__}  sam-norm step  resnetv2_{options.model}x1_bit  {options.size} px  "
          f"batch {n}, micro {options.micro or n}, ascent {options.ascent}{layout}:  {median:.2f} s, "
          f"{median / n:.3f} s an image ({computed / n:.3f} s of all threads), peak {peak:.0f} MiB")


main()

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes optimizers.json: PyTorch's SGD, Adam and AdamW over some steps, in float64, for
tests/runtime/ops/test_optimizer.c.

Run with a Python that has torch: /usr/bin/python3 tests/golden/optimizers.py
"""

import json
import os

import torch

STEPS = 5
COUNT = 7

torch.manual_seed(1)
start = torch.randn(COUNT, dtype=torch.float64).float().double()
gradients = torch.randn(STEPS, COUNT, dtype=torch.float64).float().double()

RUNS = [
    ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.0, weight_decay=0.0)),
    ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.0)),
    ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("sgd", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True)),
    ("adam", torch.optim.Adam, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)),
    ("adam", torch.optim.Adam, dict(lr=0.01, betas=(0.8, 0.99), eps=1e-3, weight_decay=0.1)),
    ("adam", torch.optim.AdamW, dict(lr=0.01, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.1)),
]


def run(name, make, options):
    weight = start.clone().requires_grad_()
    optimizer = make([weight], **options)
    after = []
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        after.append(weight.detach().tolist())
    betas = options.get("betas", (0.0, 0.0))
    return {
        "op": name,
        "decoupled": int(make is torch.optim.AdamW),
        "nesterov": int(options.get("nesterov", False)),
        "lr": options["lr"],
        "momentum": options.get("momentum", 0.0),
        "weight_decay": options["weight_decay"],
        "beta1": betas[0],
        "beta2": betas[1],
        "epsilon": options.get("eps", 0.0),
        "after": after,
    }


golden = {
    "made_by": f"tests/golden/optimizers.py, PyTorch {torch.__version__}",
    "start": start.tolist(),
    "gradients": gradients.tolist(),
    "runs": [run(*row) for row in RUNS],
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizers.json"), "w") as file:
    json.dump(golden, file, indent=1)
    file.write("\n")

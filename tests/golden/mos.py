#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The grouped classifier of MOS (Huang and Li, CVPR 2021) in PyTorch, float64, written from the paper:
writes mos.json.

groups      classes of each group, in the order of their logits
logits      (n, classes + groups): a group's "others", then its classes
labels      (n)
loss        (n): sum over groups of the cross entropy of the group's logits; a class of another group
            is "others"
gradient    (n, classes + groups) of the mean loss
predicted   (n): the class with the largest probability within its group
probability (n): that probability
scores      (n): max over groups of minus the probability of "others"
"""

import json
import os

import torch
import torch.nn.functional as F

GROUPS = [[4, 0, 7], [2], [9, 1, 3, 8], [6, 5]]
CLASSES, N = 10, 24


def pieces(z):
    return z.split([len(group) + 1 for group in GROUPS], dim=1)


def loss(z, labels):
    rows = 0
    for group, piece in zip(GROUPS, pieces(z)):
        own = [group.index(c) + 1 if c in group else 0 for c in labels]
        rows = rows + F.cross_entropy(piece, torch.tensor(own), reduction="none")
    return rows


def main():
    torch.manual_seed(5)
    labels = [i % CLASSES for i in range(N)]
    z = torch.randn(N, CLASSES + len(GROUPS)) * torch.where(torch.arange(N) % 3 == 0, 12.0, 2.0)[:, None]
    z = z.double().requires_grad_(True)
    rows = loss(z, labels)
    (gradient,) = torch.autograd.grad(rows.mean(), z)
    p = [piece.softmax(1) for piece in pieces(z)]
    of_class = torch.zeros(N, CLASSES, dtype=torch.double)
    for group, piece in zip(GROUPS, p):
        of_class[:, group] = piece[:, 1:]
    probability, predicted = of_class.max(1)
    scores = torch.stack([-piece[:, 0] for piece in p], 1).max(1).values
    values = {
        "groups": GROUPS,
        "logits": z,
        "labels": labels,
        "loss": rows,
        "gradient": gradient,
        "predicted": predicted,
        "probability": probability,
        "scores": scores,
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mos.json")
    with open(path, "w") as file:
        lines = [
            f"{json.dumps(k)}: {json.dumps(v.tolist() if torch.is_tensor(v) else v)}"
            for k, v in values.items()
        ]
        file.write("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()

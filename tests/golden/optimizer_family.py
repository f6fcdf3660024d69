#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes optimizer_family.json: five steps of every relative of SAM on a tiny network without kinks, in
float64, for tests/sam/test_family.c.

    /usr/bin/python3 tests/golden/optimizer_family.py      (Debian's python3-torch)

The formulas are those of the papers as docs/methods.md lists them, written down here without looking at
sam/. What is drawn at random comes from the project's own Philox numbers (runtime/base/rng.h), so that both
draw the same.
"""

import json
import math
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from make_models import rounded, sft_loss, summary, uniform, value_of

SIDE, CLASSES, N_ID, N_OOD, STEPS = 8, 5, 4, 4, 5
LR, MOMENTUM, DECAY, SEED = 0.05, 0.9, 5e-4, 7
PERTURB_STREAM = 9  # SFT_STREAM_PERTURB
M32 = 0xFFFFFFFF


# ---- random numbers ----


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & M32, (p0 >> 32) ^ c[3] ^ k[1], p0 & M32]
        k = [(k[0] + 0x9E3779B9) & M32, (k[1] + 0xBB67AE85) & M32]
    return c


def uniforms(n, index):
    """n numbers of sft_rng_uniform; a block's words are handed out from the last to the first."""
    words, position = [], 0
    while len(words) < n:
        words += reversed(philox([position, index & M32, index >> 32, PERTURB_STREAM], [SEED, 0]))
        position += 1
    return [(word >> 8) * 2.0**-24 for word in words[:n]]


def normals(n, step):
    numbers = []
    for block in range((n + 3) // 4):
        w = philox([block, 0, step, PERTURB_STREAM], [SEED, 0])
        for a, b in ((w[0], w[1]), (w[2], w[3])):
            r, t = math.sqrt(-2 * math.log(((a >> 8) + 1) * 2.0**-24)), 2 * math.pi * (b >> 8) * 2.0**-24
            numbers += [r * math.cos(t), r * math.sin(t)]
    return numbers[:n]


# ---- the network ----


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.norm1 = nn.GroupNorm(2, 4)
        self.conv2 = nn.Conv2d(4, 4, 3, stride=2, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(4, 4)
        self.head = nn.Linear(4, CLASSES)

    def forward(self, x):
        x = F.gelu(self.norm1(self.conv1(x)))
        x = F.gelu(self.norm2(self.conv2(x)))
        return self.head(x.mean([2, 3]))


def row_losses(logits, labels):
    ce = F.cross_entropy(logits, labels.clamp(min=0), reduction="none")
    return torch.where(labels >= 0, ce, torch.logsumexp(logits, 1) - logits.mean(1))


def batch_of(step):
    n = N_ID + N_OOD
    x = uniform("family%d" % step, n * SIDE * SIDE * 3).reshape(n, SIDE, SIDE, 3).astype(np.float64)
    labels = torch.tensor([(3 * i + 1) % CLASSES for i in range(N_ID)] + [-1] * N_OOD)
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), labels


# ---- a run: vectors are lists with a tensor a parameter ----


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b))


def norm(a):
    return torch.sqrt(dot(a, a))


def plus(a, b, factor=1.0):
    return [x + factor * y for x, y in zip(a, b)]


class Run:
    def __init__(self, options):
        self.options = options
        self.model = Tiny().double()
        with torch.no_grad():
            for name, tensor in self.model.state_dict().items():
                tensor.copy_(torch.from_numpy(value_of(name, tuple(tensor.shape)).astype(np.float64)))
        self.names = [name for name, _ in self.model.named_parameters()]
        self.params = [p for _, p in self.model.named_parameters()]
        self.velocity = [torch.zeros_like(p) for p in self.params]
        self.memory = None
        self.t = 0
        kind = options.get("perturb", "all")
        self.in_set = [
            {
                "all": True,
                "norm": "norm" in name,
                "no-norm": "norm" not in name,
                "head": "head" in name,
                "conv": "conv" in name and "weight" in name,
            }[kind]
            for name in self.names
        ]

    def get(self, key, default):
        return self.options.get(key, default)

    def only_set(self, vector):
        return [x if inside else torch.zeros_like(x) for x, inside in zip(vector, self.in_set)]

    def gradient(self, images, labels, weights=None):
        self.model.zero_grad()
        logits = self.model(images)
        rows = row_losses(logits, labels)
        loss = sum(sft_loss(logits, labels)) if weights is None else (rows * weights).sum()
        loss.backward()
        return [p.grad.clone() for p in self.params], rows.detach()

    def moved(self, eps, function):
        kept = [p.detach().clone() for p in self.params]
        with torch.no_grad():
            for p, e in zip(self.params, eps):
                p.add_(e)
        result = function()
        with torch.no_grad():
            for p, old in zip(self.params, kept):
                p.copy_(old)
        return result

    def sgd(self, u):
        with torch.no_grad():
            for p, v, x in zip(self.params, self.velocity, u):
                v.mul_(MOMENTUM).add_(x + DECAY * p)
                p.sub_(LR * v)

    # What lies where in the program's flat tensor: norm parameters first, filters as (R,S,I,O), aligned to
    # 16 elements.
    def places(self):
        order = [i for i, n in enumerate(self.names) if "norm" in n] + [
            i for i, n in enumerate(self.names) if "norm" not in n
        ]
        at, places = 0, []
        for i in order:
            places.append((i, at))
            at += (self.params[i].numel() + 15) // 16 * 16
        return places, at

    @staticmethod
    def to_flat(x):
        return x.permute(2, 3, 1, 0).reshape(-1) if x.dim() == 4 else x.reshape(-1)

    @staticmethod
    def from_flat(values, like):
        if like.dim() == 4:
            o, i, r, s = like.shape
            return values.reshape(r, s, i, o).permute(3, 2, 0, 1)
        return values.reshape(like.shape)

    # T of the adaptive perturbations.
    def scales(self):
        adaptive, eta = self.get("adaptive", "none"), self.get("eta", 0.01)
        result = []
        for name, p in zip(self.names, self.params):
            p = p.detach()
            if adaptive == "none" or (name.endswith("bias") and not self.get("adaptive_biases", 0)):
                result.append(torch.ones_like(p))
            else:
                result.append(
                    p.abs() + eta if adaptive == "element" else torch.full_like(p, p.norm() * (1 + eta))
                )
        return result


# ---- the optimisers: each returns (rows at w, norm behind the perturbation, gradient to report) ----


def sam(run, images, labels, update=True):
    rho, scales = run.get("rho", 0.05), run.scales()
    g, rows = run.gradient(images, labels)
    v = run.only_set(g)
    scaled = [t * x for t, x in zip(scales, v)]
    length = norm(scaled) + 1e-16
    eps = [rho * t * x / length for t, x in zip(scales, scaled)]
    q, _ = run.moved(eps, lambda: run.gradient(images, labels))
    if update:
        run.sgd(q)
    return rows, length, q


def sam_linf(run, images, labels):
    g, rows = run.gradient(images, labels)
    scales = run.scales()
    scaled = [t * x for t, x in zip(scales, run.only_set(g))]
    q, _ = run.moved(
        [run.get("rho", 0.05) * t * torch.sign(x) for t, x in zip(scales, scaled)],
        lambda: run.gradient(images, labels),
    )
    run.sgd(q)
    return rows, norm(scaled) + 1e-16, q


def both_gradients(run, images, labels):
    g, rows = run.gradient(images, labels)
    length = norm(run.only_set(g)) + 1e-16
    q, _ = run.moved(
        [run.get("rho", 0.05) * x / length for x in run.only_set(g)], lambda: run.gradient(images, labels)
    )
    return g, q, rows, length


def gsam(run, images, labels):
    g, q, rows, length = both_gradients(run, images, labels)
    cos = dot(g, q) / (norm(g) * norm(q))
    run.sgd(plus(q, plus(g, q, -cos * norm(g) / norm(q)), -run.get("gsam_alpha", 0.4)))
    return rows, length, q


def wsam(run, images, labels):
    g, q, rows, length = both_gradients(run, images, labels)
    a = run.get("wsam_gamma", 0.9) / (1 - run.get("wsam_gamma", 0.9))
    if run.get("wsam_coupled", 0):
        run.sgd([(1 - a) * x + a * y for x, y in zip(g, q)])
    else:
        run.sgd(g)
        with torch.no_grad():
            for p, x, y in zip(run.params, g, q):
                p.sub_(LR * a * (y - x))
    return rows, length, q


def looksam(run, images, labels):
    if run.t % run.get("look_every", 10) == 0:
        g, q, rows, length = both_gradients(run, images, labels)
        run.memory = [
            y - y.norm() * ((x * y).sum() / (x.norm() * y.norm())) * x / x.norm() for x, y in zip(g, q)
        ]
        run.sgd(q)
        return rows, length, q
    g, rows = run.gradient(images, labels)
    run.sgd([x + run.get("look_alpha", 0.7) * x.norm() / h.norm() * h for x, h in zip(g, run.memory)])
    return rows, torch.tensor(0.0), g


def friendly_sam(run, images, labels):
    g, rows = run.gradient(images, labels)
    lam = run.get("friendly_lambda", 0.9)
    if run.memory is None:
        new, run.memory = g, g
    else:
        new = plus(g, run.memory, -run.get("friendly_sigma", 1.0))
        run.memory = [lam * m + (1 - lam) * x for m, x in zip(run.memory, new)]
    length = norm(run.only_set(new)) + 1e-16
    q, _ = run.moved(
        [run.get("rho", 0.05) * x / length for x in run.only_set(new)], lambda: run.gradient(images, labels)
    )
    run.sgd(q)
    return rows, length, q


def random_direction(run, images, labels):
    _, rows = run.gradient(images, labels)
    places, size = run.places()
    flat, n = torch.tensor(normals(size, run.t), dtype=torch.float64), [None] * len(run.params)
    for i, at in places:
        n[i] = run.from_flat(flat[at : at + run.params[i].numel()], run.params[i])
    n = run.only_set(n)
    length = norm(n) + 1e-16
    q, _ = run.moved([run.get("rho", 0.05) * x / length for x in n], lambda: run.gradient(images, labels))
    run.sgd(q)
    return rows, length, q


def chosen_rows(rise, inside, gamma):
    """Those strictly above the last of the top k, k - 1 of them; all where that is none."""
    k = int(inside.sum().item() * gamma)
    if gamma >= 0.99 or k < 1:
        return inside
    chosen = inside & (rise > torch.topk(rise[inside], k)[0][-1])
    return chosen if chosen.any() else inside


def esam(run, images, labels):
    beta, gamma = run.get("esam_beta", 0.6), run.get("esam_gamma", 0.5)
    g, before = run.gradient(images, labels)
    draws = iter(uniforms(sum(run.in_set), run.t))
    kept = [inside and next(draws) < beta for inside in run.in_set]
    kept = [x if k else torch.zeros_like(x) for x, k in zip(g, kept)]
    length = norm(kept) + 1e-7
    eps = [run.get("rho", 0.05) / beta * x / length for x in kept]
    rise = run.moved(eps, lambda: run.gradient(images, labels)[1]) - before
    weights = torch.zeros_like(rise)
    for inside in (labels >= 0, labels < 0):
        chosen = chosen_rows(rise, inside, gamma)
        weights[chosen] = 1.0 / chosen.sum().item()
    q, _ = run.moved(eps, lambda: run.gradient(images, labels, weights))
    run.sgd(q)
    return before, length, q


def masked_step(run, images, labels):
    g, rows = run.gradient(images, labels)
    length = norm(run.only_set(g)) + 1e-7
    eps = [run.get("rho", 0.05) * m * x / length for m, x in zip(run.memory, run.only_set(g))]
    q, _ = run.moved(eps, lambda: run.gradient(images, labels))
    run.sgd(q)
    return rows, length, q, g


def flat_set(run, vector):
    """The perturbed set's numbers, one after the other as they lie in the program's flat tensor."""
    return torch.cat([run.to_flat(vector[i].detach()) for i, _ in run.places()[0] if run.in_set[i]])


def mask_of(run, flat):
    masks, at = [torch.zeros_like(p) for p in run.params], 0
    for i, _ in run.places()[0]:
        if run.in_set[i]:
            n = run.params[i].numel()
            masks[i] = run.from_flat(flat[at : at + n], run.params[i])
            at += n
    return masks


def top(scores, k):
    mask = torch.zeros_like(scores)
    mask[torch.topk(scores, k)[1]] = 1.0
    return mask


def ssam_f(run, images, labels):
    if run.t % run.get("ssam_every", 10) == 0:
        fisher = [torch.zeros_like(p) for p in run.params]
        for i in range(min(N_ID, run.get("ssam_samples", 128))):
            g, _ = run.gradient(images[i : i + 1], labels[i : i + 1], torch.ones(1, dtype=torch.float64))
            fisher = [f + x * x for f, x in zip(fisher, g)]
        scores = flat_set(run, fisher)
        run.memory = mask_of(run, top(scores, int((1 - run.get("ssam_sparsity", 0.5)) * scores.numel())))
    return masked_step(run, images, labels)[:3]


def ssam_d(run, images, labels):
    n = sum(p.numel() for p, inside in zip(run.params, run.in_set) if inside)
    if run.t == 0:
        draws = torch.tensor(uniforms(n, 0), dtype=torch.float64)
        run.memory = mask_of(run, top(draws, int((1 - run.get("ssam_sparsity", 0.5)) * n)))
    rows, length, q, g = masked_step(run, images, labels)
    if (run.t + 1) % run.get("ssam_every", 10) == 0:
        live, sizes = flat_set(run, run.memory) > 0, flat_set(run, g).abs()
        rate = run.get("ssam_drop", 0.5) * 0.5 * (1 + math.cos(math.pi * (run.t + 1) / STEPS))
        die = min(int(rate * live.sum().item()), int((~live).sum().item()))
        score = {
            "gradient": lambda: sizes,
            "weight": lambda: flat_set(run, run.params).abs(),
            "random": lambda: torch.tensor(uniforms(n, run.t + 1), dtype=torch.float64),
        }[run.get("ssam_score", "gradient")]()
        born = top(torch.where(live, torch.full_like(sizes, -1.0), sizes), die)
        dead = top(torch.where(live, -score, torch.full_like(score, -math.inf)), die)
        run.memory = mask_of(run, live.double() - dead + born)
    return rows, length, q


def sam_in_parts(run, images, labels):
    parts = run.options["parts"]
    total, rows, length = None, torch.zeros(N_ID + N_OOD, dtype=torch.float64), 0.0
    for m in range(parts):
        at = list(range(m * N_ID // parts, (m + 1) * N_ID // parts))
        at += [N_ID + i for i in range(m * N_OOD // parts, (m + 1) * N_OOD // parts)]
        part_rows, part_length, q = sam(run, images[at], labels[at], update=False)
        rows[at] = part_rows
        length += part_length / parts
        total = [x / parts for x in q] if total is None else plus(total, q, 1.0 / parts)
    run.sgd(total)
    return rows, length, total


# ---- the runs ----

RUNS = [
    ("sam", sam, {}),
    ("sam-norm", sam, {"perturb": "norm", "rho": 0.5}),
    ("sam", sam, {"perturb": "no-norm"}),
    ("sam", sam, {"perturb": "head"}),
    ("sam", sam, {"perturb": "conv"}),
    ("sam", sam, {"separate": 1}),
    ("sam-norm", sam_in_parts, {"perturb": "norm", "rho": 0.5, "parts": 2}),
    ("sam", sam_in_parts, {"parts": 4}),
    ("asam", sam, {"adaptive": "element", "rho": 0.5}),
    ("asam", sam, {"adaptive": "element", "rho": 0.5, "eta": 0.0, "adaptive_biases": 1}),
    ("sam-norm", sam, {"adaptive": "layer", "perturb": "norm", "rho": 0.5}),
    ("sam-norm", sam, {"adaptive": "element", "perturb": "norm", "rho": 0.5, "adaptive_biases": 1}),
    ("sam-linf", sam_linf, {"rho": 0.01}),
    ("sam-linf", sam_linf, {"rho": 0.01, "adaptive": "element", "perturb": "norm"}),
    ("gsam", gsam, {"rho": 0.2}),
    ("gsam", gsam, {"rho": 0.5, "perturb": "norm", "gsam_alpha": 1.5}),
    ("wsam", wsam, {}),
    ("wsam", wsam, {"wsam_coupled": 1, "wsam_gamma": 0.6, "perturb": "norm"}),
    ("looksam", looksam, {"look_every": 3, "rho": 0.2}),
    ("looksam", looksam, {"look_every": 2, "look_alpha": 0.3, "perturb": "norm", "rho": 0.5}),
    ("friendly-sam", friendly_sam, {}),
    ("friendly-sam", friendly_sam, {"friendly_sigma": 0.6, "friendly_lambda": 0.5, "perturb": "norm"}),
    ("random", random_direction, {"rho": 0.5}),
    ("random", random_direction, {"rho": 0.5, "perturb": "norm"}),
    ("esam", esam, {"rho": 0.2}),
    ("esam", esam, {"rho": 0.2, "esam_beta": 0.8, "esam_gamma": 1.0}),
    ("ssam-f", ssam_f, {"ssam_every": 2, "rho": 0.2}),
    (
        "ssam-f",
        ssam_f,
        {"ssam_every": 2, "ssam_samples": 3, "ssam_sparsity": 0.8, "perturb": "conv", "rho": 0.2},
    ),
    ("ssam-d", ssam_d, {"ssam_every": 1, "rho": 0.2}),
    ("ssam-d", ssam_d, {"ssam_every": 2, "ssam_score": "weight", "perturb": "norm", "rho": 0.5}),
    (
        "ssam-d",
        ssam_d,
        {"ssam_every": 2, "ssam_score": "random", "ssam_sparsity": 0.7, "ssam_drop": 0.8, "rho": 0.2},
    ),
]


def run_of(name, step, options):
    run, losses, lengths, norms = Run(options), [], [], []
    start = [p.detach().clone() for p in run.params]
    for run.t in range(STEPS):
        images, labels = batch_of(run.t)
        rows, length, gradient = step(run, images, labels)
        losses.append(rounded([rows[labels >= 0].mean().item(), rows[labels < 0].mean().item()]))
        lengths.append(float(length))
        norms.append(norm(gradient).item())
    return {
        "optimizer": name,
        "options": options,
        "losses": losses,
        "perturb_norms": rounded(lengths),
        "grad_norms": rounded(norms),
        "change": {key: summary(p.detach() - old) for key, p, old in zip(run.names, run.params, start)},
    }


def main():
    torch.set_num_threads(1)
    golden = {
        "steps": STEPS,
        "n_id": N_ID,
        "n_ood": N_OOD,
        "lr": LR,
        "momentum": MOMENTUM,
        "weight_decay": DECAY,
        "seed": SEED,
        "runs": [run_of(*row) for row in RUNS],
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "optimizer_family.json")
    with open(path, "w") as file:
        json.dump(golden, file, indent=0, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

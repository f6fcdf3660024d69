#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes scores.safetensors: every OOD score, with its defaults and with its knobs turned, in float64, for
tests/ood/test_score_golden.c.

    /usr/bin/python3 tests/golden/scores.py      (Debian's python3-torch)

Written from docs/methods.md section 4 alone, without looking at ood/. Tensors of the file:

    fit.features, fit.logits, fit.labels     a made-up classifier's outputs for images of the training kind
    id.*, ood.*                              the images to score; features may be negative, as those of a transformer
    head.weight, head.bias                   the classifier: logits = features W^T + b, rounded to float32
    scores/NAME [KNOB=TEXT ...]              expected, ID images first, then OOD
    networks/MODEL/NAME [KNOB=TEXT ...]      likewise of networks and images by formula (make_models.py)

A test case is a line in CASES or NETWORK_CASES.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F

from make_models import images_of, make, write_safetensors

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES, WIDTH, N_FIT, N_ID, N_OOD = 10, 50, 300, 40, 20


# ---- a made-up classifier and its images ----

class Outputs:
    def __init__(self, features, head, labels=None):
        weight, bias = head
        self.h = features.astype(np.float32).astype(np.float64)
        self.z = (self.h @ weight.T + bias).astype(np.float32).astype(np.float64)
        self.labels = labels


def features_around(rng, directions, centres, spread):
    """Mostly non-negative, as behind a ReLU; every eighth feature keeps its sign."""
    n = len(centres)
    h = centres @ directions + spread * rng.normal(0, 1, (n, WIDTH))
    relu = np.arange(WIDTH) % 8 != 7
    return np.where(relu, np.maximum(h, 0), 0.3 * h)


def made_up():
    rng = np.random.default_rng(11)
    directions = rng.normal(0, 0.6, (CLASSES, WIDTH))
    weight = (0.5 * directions + rng.normal(0, 0.1, (CLASSES, WIDTH))).astype(np.float32).astype(np.float64)
    bias = rng.normal(0, 0.3, CLASSES).astype(np.float32).astype(np.float64)
    head, one_hot = (weight, bias), np.eye(CLASSES)

    def labelled(n):
        labels = np.arange(n) % CLASSES
        return Outputs(features_around(rng, directions, one_hot[labels], 0.4), head, labels)

    fit, ind = labelled(N_FIT), labelled(N_ID)
    ind = Outputs(ind.h * np.where(np.arange(N_ID) % 7 == 0, 4, 1)[:, None], head, ind.labels)  # some saturate
    mixtures = rng.dirichlet(np.full(CLASSES, 0.5), N_OOD) * 0.7
    return head, fit, ind, Outputs(features_around(rng, directions, mixtures, 0.6), head)


# ---- pieces ----

def lse(z, axis=-1):
    m = z.max(axis, keepdims=True)
    return (m + np.log(np.exp(z - m).sum(axis, keepdims=True))).squeeze(axis)


def softmax(z):
    return np.exp(z - lse(z)[..., None])


class Data:
    """What a score may look at: x is what is scored."""

    def __init__(self, x, fit, ind, head):
        self.x, self.fit, self.ind, (self.w, self.b) = x, fit, ind, head

    def energy_of(self, h):
        return lse(h @ self.w.T + self.b)


# ---- scores: section 4, in its order ----

def msp(d, log=False):
    if not log:
        return softmax(d.x.z).max(1)
    others = np.exp(np.sort(d.x.z, 1)[:, :-1] - d.x.z.max(1, keepdims=True)).sum(1)
    return -np.log1p(others)


def maxlogit(d):
    return d.x.z.max(1)


def odin(d, t=1000.0):
    return softmax(d.x.z / t).max(1)


def energy(d, t=1.0):
    return t * lse(d.x.z / t)


def gradnorm(d, t=1.0):
    """By autograd, an image at a time: the L1 norm of d/dW of minus the sum of all log-probabilities."""
    scores = []
    for h in d.x.h:
        w = torch.tensor(d.w, requires_grad=True)
        z = torch.from_numpy(h) @ w.T + torch.from_numpy(d.b)
        loss = -F.log_softmax(z / t, 0).sum()
        (gradient,) = torch.autograd.grad(loss, w)
        scores.append(gradient.abs().sum().item())
    return np.array(scores)


def react(d, clip=None, percentile=90):
    t = np.percentile(d.fit.h, percentile) if clip is None else clip
    return d.energy_of(np.minimum(d.x.h, t))


def klm(d, kind="mos"):
    source = d.ind if kind == "mos" else d.fit
    p, predicted = softmax(source.z), source.z.argmax(1)
    by = {"mos": source.labels, "train": predicted, "val": predicted, "pred-only": source.labels}[kind]
    means = np.stack([p[by == c].mean(0) if (by == c).any() else np.eye(CLASSES)[c] for c in range(CLASSES)])
    q = softmax(d.x.z)
    with np.errstate(divide="ignore"):
        divergences = np.array([[np.sum(qi * np.log(qi / mean)) for mean in means] for qi in q])
    if kind == "pred-only":
        return -divergences[np.arange(len(q)), q.argmax(1)]
    return -divergences.min(1)


def dice(d, p=90):
    contribution = d.fit.h.mean(0) * d.w
    w = np.where(contribution > np.percentile(contribution, p), d.w, 0)
    return lse(d.x.h @ w.T + d.b)


def knn(d, k=50):
    unit = lambda h: h / np.linalg.norm(h, axis=1, keepdims=True) + 1e-10
    distances = ((unit(d.x.h)[:, None, :] - unit(d.fit.h)[None]) ** 2).sum(2)
    return -np.sort(distances, 1)[:, k - 1]


def residuals(d, dimension):
    origin = -np.linalg.pinv(d.w) @ d.b
    centred = d.fit.h - origin
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    rest = vectors[:, np.argsort(-values)[dimension:]]
    length = lambda h: np.linalg.norm((h - origin) @ rest, axis=1)
    return length(d.fit.h), length(d.x.h)


def vim(d, dimension=WIDTH // 2):
    of_fit, of_x = residuals(d, dimension)
    alpha = d.fit.z.max(1).mean() / of_fit.mean()
    return lse(d.x.z) - alpha * of_x


def residual(d, dimension=WIDTH // 2):
    return -residuals(d, dimension)[1]


def shaped(d, percent, shape):
    """The k largest features of each image, and `shape` of (h, kept, s1, s2, k)."""
    k = WIDTH - round(WIDTH * percent / 100)
    rows = []
    for h in d.x.h:
        kept = np.zeros(WIDTH, bool)
        kept[np.argsort(-h, kind="stable")[:k]] = True
        rows.append(shape(h, kept, h.sum(), h[kept].sum(), k))
    return d.energy_of(np.array(rows))


def ash_p(d, percent=90):
    return shaped(d, percent, lambda h, kept, s1, s2, k: h * kept)


def ash_b(d, percent=90):
    return shaped(d, percent, lambda h, kept, s1, s2, k: kept * s1 / k)


def ash_s(d, percent=90):
    return shaped(d, percent, lambda h, kept, s1, s2, k: h * kept * np.exp(s1 / s2))


def scale(d, percent=85):
    return shaped(d, percent, lambda h, kept, s1, s2, k: h * np.exp(s1 / s2))


def gen(d, gamma=0.1, m=100):
    log_p = -np.sort(-(d.x.z - lse(d.x.z)[:, None]), 1)[:, :m]
    return -((np.exp(log_p) * -np.expm1(log_p)) ** gamma).sum(1)


def she(d):
    right = d.fit.z.argmax(1) == d.fit.labels
    means = np.stack([d.fit.h[right & (d.fit.labels == c)].mean(0) for c in range(CLASSES)])
    return (d.x.h * means[d.x.z.argmax(1)]).sum(1)


CASES = {
    "msp": (msp, {}),
    "msp msp-log=yes": (msp, {"log": True}),
    "maxlogit": (maxlogit, {}),
    "odin": (odin, {}),
    "odin odin-temperature=2.5": (odin, {"t": 2.5}),
    "odin odin-temperature=3 odin-fp64=yes": (odin, {"t": 3.0}),
    "energy": (energy, {}),
    "energy temperature=0.5": (energy, {"t": 0.5}),
    "energy temperature=20": (energy, {"t": 20.0}),
    "gradnorm": (gradnorm, {}),
    "gradnorm gradnorm-temperature=2.5": (gradnorm, {"t": 2.5}),
    "react": (react, {}),
    "react react-percentile=71.5": (react, {"percentile": 71.5}),
    "react react-clip=0.75": (react, {"clip": 0.75}),
    "klm": (klm, {}),
    "klm klm=train": (klm, {"kind": "train"}),
    "klm klm=val": (klm, {"kind": "val"}),
    "klm klm=pred-only": (klm, {"kind": "pred-only"}),
    "dice": (dice, {}),
    "dice dice-p=70": (dice, {"p": 70}),
    "knn": (knn, {}),
    "knn knn-k=7": (knn, {"k": 7}),
    "vim": (vim, {}),
    "vim vim-dim=40": (vim, {"dimension": 40}),
    "residual": (residual, {}),
    "residual residual-dim=12": (residual, {"dimension": 12}),
    "ash_p": (ash_p, {}),
    "ash_p ash-p-percentile=65": (ash_p, {"percent": 65}),  # 32.5: half to even
    "ash_b": (ash_b, {}),
    "ash_b ash-b-percentile=95": (ash_b, {"percent": 95}),  # 47.5: half to even
    "ash_s": (ash_s, {}),
    "ash_s ash-s-percentile=65": (ash_s, {"percent": 65}),
    "scale": (scale, {}),
    "scale scale-percentile=60": (scale, {"percent": 60}),
    "gen": (gen, {}),
    "gen gen-gamma=0.5 gen-m=3": (gen, {"gamma": 0.5, "m": 3}),
    "she": (she, {}),
}


# ---- scores that need the network ----

def odin_of_network(name, images, t=1000.0, eps=0.0):
    model, x = make(name).eval(), images_of(images, 3)
    x.requires_grad_(True)
    z = model(x) / t
    loss = F.cross_entropy(z, z.argmax(1), reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    moved = x - eps * torch.where(gradient >= 0, 1.0, -1.0)
    with torch.no_grad():
        return softmax((model(moved) / t).numpy()).max(1)


NETWORK_CASES = {
    "resnetv2_20_gn/odin odin-eps=0.0014": (odin_of_network, {"eps": 0.0014}),
    "vgg11_gn/odin odin-eps=0.02 odin-temperature=2": (odin_of_network, {"eps": 0.02, "t": 2.0}),
}


# ---- the file ----

def tensor(name, values, dtype):
    kinds = {"<f4": "F32", "<f8": "F64", "<i4": "I32"}
    array = np.asarray(values).astype(dtype)
    return (name, kinds[dtype], list(array.shape), array.tobytes())


def main():
    torch.set_num_threads(2)
    head, fit, ind, ood = made_up()
    tensors = [tensor("head.weight", head[0], "<f4"), tensor("head.bias", head[1], "<f4")]
    for name, outputs in (("fit", fit), ("id", ind), ("ood", ood)):
        tensors += [tensor(name + ".features", outputs.h, "<f4"), tensor(name + ".logits", outputs.z, "<f4")]
        if outputs.labels is not None:
            tensors.append(tensor(name + ".labels", outputs.labels, "<i4"))
    for name, (score, knobs) in CASES.items():
        expected = np.concatenate([score(Data(x, fit, ind, head), **knobs) for x in (ind, ood)])
        assert np.isfinite(expected).all(), name
        tensors.append(tensor("scores/" + name, expected, "<f8"))
    for name, (score, knobs) in NETWORK_CASES.items():
        tensors.append(tensor("networks/" + name, score(name.split("/")[0], "images0", **knobs), "<f8"))
    write_safetensors(os.path.join(HERE, "scores.safetensors"), tensors, {"made by": "tests/golden/scores.py"})


if __name__ == "__main__":
    main()

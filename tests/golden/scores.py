#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes scores.safetensors: every OOD score, with its defaults and with its knobs turned, in float64, for
tests/ood/scores/test_score_golden.c.

    /usr/bin/python3 tests/golden/scores.py      (Debian's python3-torch and python3-sklearn)

Written from docs/methods.md, "Scores", and the papers alone, without looking at ood/. Tensors of the file:

    fit.features, fit.logits, fit.labels     a made-up classifier's outputs for images of the training kind
    id.*, ood.*                              the images to score; features may be negative, as those of a transformer
    head.weight, head.bias                   the classifier: logits = features W^T + b, rounded to float32
    scores/NAME [KNOB=TEXT ...]              expected, ID images first, then OOD
    networks/MODEL/NAME [KNOB=TEXT ...]      likewise of networks and images by formula (make_models.py): two "imagesid",
                                             two "imagesood"; statistics of the first of "fit", of classes
                                             0, 1, ...

A test case is a line in CASES or NETWORK_CASES.
"""

import functools
import os

import numpy as np
import torch
import torch.nn.functional as F
from scipy import optimize, special
from sklearn.model_selection import StratifiedKFold

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
    ind = Outputs(
        ind.h * np.where(np.arange(N_ID) % 7 == 0, 4, 1)[:, None], head, ind.labels
    )  # some saturate
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


# ---- scores of logits and features ----


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


def fdbd(d):
    best = d.x.z.argmax(1)
    apart = np.linalg.norm(d.w[:, None] - d.w[None], axis=2) + np.eye(CLASSES)
    sums = ((d.x.z.max(1, keepdims=True) - d.x.z) / apart[best]).sum(1)
    return sums / np.linalg.norm(d.x.h - d.fit.h.mean(0), axis=1)


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
    "fdbd": (fdbd, {}),
}


# ---- scores that need the network ----

N_RATIO, N_GAUSSIANS = 8, 100  # images to fit on, the first of "fit"
TUNE = slice(6, 22)  # of them to tune on: at image 5 a ReLU opens within the rounding of single precision


class Network:
    """A network in two parts: feature maps (N, C, H, W) at its taps, and what follows each of them."""

    def __init__(self, name):
        self.model = make(name).eval()
        residual_net = name.startswith("resnet")
        self.stages = self.stages_of_resnet() if residual_net else self.stages_of_vgg()
        self.last, self.previous = (3, 2) if residual_net else (7, 5)  # taps of the last two stages

    def stages_of_resnet(self):
        m = self.model
        rest = lambda x: m.head.conv(m.activate(x).mean([2, 3])[:, :, None, None])[:, :, 0, 0]
        return [m.root.conv, m.body.block1, m.body.block2, m.body.block3, rest]

    def stages_of_vgg(self):
        """Cut after every ReLU, but after the pool behind the fourth."""
        layers, stages, start = list(self.model.features), [], 0
        for i, layer in enumerate(layers):
            if isinstance(layer, torch.nn.ReLU):
                end = i + (2 if len(stages) == 3 else 1)
                stages.append(torch.nn.Sequential(*layers[start:end]))
                start = end
        rest = torch.nn.Sequential(*layers[start:])
        return stages + [lambda x: self.model.classifier(rest(x).flatten(1))]

    def taps(self, x):
        maps = []
        for stage in self.stages[:-1]:
            x = stage(x)
            maps.append(x)
        return maps

    def from_tap(self, x, tap):
        for stage in self.stages[tap + 1 :]:
            x = stage(x)
        return x

    def logits(self, x):
        return self.model(x)


def signs(gradient):
    return torch.where(gradient >= 0, 1.0, -1.0).double()


def gradient_of_prediction(net, x, t=1.0):
    with torch.enable_grad():
        x = x.clone().requires_grad_(True)
        z = net.logits(x) / t
        return torch.autograd.grad(F.cross_entropy(z, z.argmax(1), reduction="sum"), x)[0]


def odin_of_network(net, x, kind, t=1000.0, eps=0.0):
    moved = x - eps * signs(gradient_of_prediction(net, x, t))
    return softmax((net.logits(moved) / t).numpy()).max(1)


def without_rank_one(matrices):
    u, s, v = torch.linalg.svd(matrices, full_matrices=False)
    return matrices - s[..., :1, None] * u[..., :, :1] @ v[..., :1, :]


def rankfeat_logits(net, x, tap):
    a = net.taps(x)[tap]
    return net.from_tap(without_rank_one(a.flatten(2)).reshape(a.shape), tap)


def rankfeat(net, x, kind, blocks="34", t=1.0):
    taps = {"4": [net.last], "3": [net.previous], "34": [net.last, net.previous]}[blocks]
    z = sum(rankfeat_logits(net, x, tap) for tap in taps) / len(taps)
    return t * lse((z / t).numpy())


def without_power_iterated(a, rounds=100):
    """As published but for the start, u = A 1: random filters have no gap, so that 100 rounds do not
    converge."""
    unit = lambda vector: vector / (vector.norm() + 1e-10)
    u = unit(a.sum(1))
    for _ in range(rounds):
        v = unit(a.T @ u)
        u = unit(a @ v)
    return a - (u @ a @ v) * torch.outer(u, v)


def rankweight(net, x, kind, twice=False):
    """The raw filters of the last two convolutions of the feature extractor, as (out, in * kernel)."""
    filters = [m for m in net.model.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size != (1, 1)][
        -2:
    ]
    saved = [f.weight.data for f in filters]
    for f in filters:
        for _ in range(2 if twice and kind == "ood" else 1):
            f.weight.data = without_power_iterated(f.weight.data.flatten(1)).reshape(f.weight.shape)
    scores = rankfeat(net, x, kind, "4")
    for f, weight in zip(filters, saved):
        f.weight.data = weight
    return scores


def block_norms(net, x):
    return torch.stack([F.relu(a).flatten(2).norm(dim=2).mean(1) for a in net.taps(x)], 1).numpy()


def jigsaw(x):
    """3 x 3 tiles, the rest of the border 0. The published order is drawn; here place k has tile k + 4."""
    side, y = x.shape[2] // 3, torch.zeros_like(x)
    span = lambda k: slice(k * side, (k + 1) * side)
    for k in range(9):
        row, column = divmod((k + 4) % 9, 3)
        y[:, :, span(k // 3), span(k % 3)] = x[:, :, span(row), span(column)]
    return y


@functools.lru_cache(None)
def best_block(net, ratio_input):
    fit = images_of("fit", N_RATIO)
    fit = 0.5 * fit + 0.5 if ratio_input == "raw" else fit
    return (block_norms(net, fit) / block_norms(net, jigsaw(fit))).mean(0).argmax()


def featurenorm(net, x, kind, block=None, ratio_input="raw"):
    return block_norms(net, x)[:, best_block(net, ratio_input) if block is None else block]


def gaussians(f, labels):
    means = np.stack([f[labels == c].mean(0) for c in range(CLASSES)])
    r = f - means[labels]
    r = r - r.mean(0)
    return means, np.linalg.pinv(r.T @ r / len(r), hermitian=True)


def distances(f, means, precision):
    """(f - mu)^T P (f - mu) of every row and class."""
    off = f[:, None, :] - means[None]
    return np.einsum("ncj,jk,nck->nc", off, precision, off)


def logistic(x, y, c):
    """The minimum of c * log loss + |beta|^2 / 2, the intercept (last) without penalty, by scipy's trust
    region."""
    x = np.c_[x, np.ones(len(x))]
    penalty = np.r_[np.ones(x.shape[1] - 1), 0]
    margin = lambda b: np.where(y > 0, 1, -1) * (x @ b)
    value = lambda b: c * np.logaddexp(0, -margin(b)).sum() + 0.5 * (penalty * b * b).sum()
    p = lambda b: special.expit(x @ b)
    slope = lambda b: c * x.T @ (p(b) - y) + penalty * b
    curvature = lambda b: c * (x.T * (p(b) * (1 - p(b)))) @ x + np.diag(penalty)
    return optimize.minimize(
        value,
        np.zeros(x.shape[1]),
        jac=slope,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-9 * max(c, 1), "maxiter": 1000},
    ).x


def cross_validated(x, y):
    def accuracy(c):
        folds = StratifiedKFold(5).split(x, y)
        fits = [(logistic(x[train], y[train], c), test) for train, test in folds]
        return np.mean([((x[test] @ b[:-1] + b[-1] > 0) == y[test]).mean() for b, test in fits])

    strengths = np.logspace(-4, 4, 10)
    return logistic(x, y, strengths[np.argmax([round(accuracy(c), 9) for c in strengths])])


def pooled_taps(net, x):
    return [a.mean([2, 3]).numpy() for a in net.taps(x)]


def half_distances(taps, layers):
    return np.stack([-0.5 * distances(f, *layer).min(1) for f, layer in zip(taps, layers)], 1)


@functools.lru_cache(None)
def fitted_gaussians(net):
    """Of every tap, and of the features."""
    images, labels = images_of("fit", N_GAUSSIANS), np.arange(N_GAUSSIANS) % CLASSES
    net.logits(images)
    features = net.model.h.numpy()
    return [gaussians(f, labels) for f in pooled_taps(net, images)], gaussians(features, labels)


def gradient_of_distance(net, x, tap, layer):
    """Of half the distance to the nearest mean, every mean's distance taken on its own."""
    means, precision = (torch.from_numpy(part) for part in layer)
    with torch.enable_grad():
        x = x.clone().requires_grad_(True)
        off = net.taps(x)[tap].mean([2, 3])[:, None] - means
        halves = 0.5 * torch.einsum("ncj,jk,nck->nc", off, precision, off)
        return torch.autograd.grad(halves.min(1).values.sum(), x)[0]


def stepped_distances(net, x, eps):
    """Of each tap for images that are stepped against its own distance."""
    layers = fitted_gaussians(net)[0]
    moved = [
        x - eps * signs(gradient_of_distance(net, x, tap, layer)) if eps else x
        for tap, layer in enumerate(layers)
    ]
    return half_distances([pooled_taps(net, y)[tap] for tap, y in enumerate(moved)], layers)


def fpr95(ind, ood):
    """The reference rule for scores without ties: of the thresholds whose recall is nearest to 0.95, the
    lowest."""
    thresholds = np.sort(np.r_[ind, ood[ood >= ind.min()]])
    miss = [abs(np.mean(ind >= t) - 0.95) for t in thresholds]
    return np.mean(ood >= thresholds[int(np.argmin(np.round(miss, 12)))])


@functools.lru_cache(None)
def fitted_regression(net, steps):
    """The step that is kept, and the regression for it."""
    clean = images_of("fit", TUNE.stop)[TUNE]
    adversarial = (clean + 0.05 * signs(gradient_of_prediction(net, clean))).clamp(0, 1)
    train, best = len(clean) // 2 if len(steps) > 1 else len(clean), (np.inf,)
    for eps in steps:
        rows = [stepped_distances(net, images, eps) for images in (clean, adversarial)]
        beta = cross_validated(np.concatenate([r[:train] for r in rows]), np.repeat([0.0, 1.0], train))
        fpr = fpr95(*[-(r[train:] @ beta[:-1] + beta[-1]) for r in rows]) if train < len(clean) else 0
        if fpr < best[0]:
            best = fpr, eps, beta
    return best[1:]


def mahalanobis(net, x, kind, steps=(0.0,)):
    eps, beta = fitted_regression(net, steps)
    return -1 / (1 + np.exp(-(stepped_distances(net, x, eps) @ beta[:-1] + beta[-1])))


def mahalanobis_of_features(net, x, kind):
    net.logits(x)
    return -distances(net.model.h.numpy(), *fitted_gaussians(net)[1]).min(1)


NETWORK_CASES = {
    "resnetv2_20_gn/odin odin-eps=0.0014": (odin_of_network, {"eps": 0.0014}),
    "vgg11_gn/odin odin-eps=0.02 odin-temperature=2": (odin_of_network, {"eps": 0.02, "t": 2.0}),
    "resnetv2_20_gn/rankfeat": (rankfeat, {}),
    "resnetv2_20_gn/rankfeat rankfeat-svd=exact rankfeat-blocks=4 rankfeat-temperature=2": (
        rankfeat,
        {"blocks": "4", "t": 2.0},
    ),
    "resnetv2_20_gn/rankfeat rankfeat-blocks=3 rankfeat-squarings=0 rankfeat-iterations=500": (
        rankfeat,
        {"blocks": "3"},
    ),
    "vgg11_gn/rankfeat": (rankfeat, {}),
    "resnetv2_20_gn/rankweight": (rankweight, {}),
    "resnetv2_20_gn/rankweight rankweight-twice=yes": (rankweight, {"twice": True}),
    "resnetv2_20_gn/featurenorm": (featurenorm, {}),
    "resnetv2_20_gn/featurenorm normratio-input=normalised": (featurenorm, {"ratio_input": "normalised"}),
    "resnetv2_20_gn/featurenorm featurenorm-block=2": (featurenorm, {"block": 2}),
    "vgg11_gn/featurenorm": (featurenorm, {"block": 5}),
    "resnetv2_20_gn/mahalanobis": (mahalanobis, {}),
    "resnetv2_20_gn/mahalanobis maha-eps=0.002": (mahalanobis, {"steps": (0.002,)}),
    "resnetv2_20_gn/mahalanobis maha-search=yes": (
        mahalanobis,
        {"steps": (0.0, 0.01, 0.005, 0.002, 0.0014, 0.001, 0.0005)},
    ),
    "resnetv2_20_gn/mahalanobis maha=features": (mahalanobis_of_features, {}),
}


network = functools.lru_cache(None)(Network)


@torch.no_grad()
def network_scores(case):
    score, knobs = NETWORK_CASES[case]
    net = network(case.split("/")[0])
    return np.concatenate(
        [score(net, images_of("images" + kind, 2), kind, **knobs) for kind in ("id", "ood")]
    )


# ---- the file ----


def tensor(name, values, dtype):
    kinds = {"<f4": "F32", "<f8": "F64", "<i4": "I32"}
    array = np.asarray(values).astype(dtype)
    return (name, kinds[dtype], list(array.shape), array.tobytes())


def main():
    torch.set_num_threads(1)
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
    tensors += [tensor("networks/" + case, network_scores(case), "<f8") for case in NETWORK_CASES]
    write_safetensors(
        os.path.join(HERE, "scores.safetensors"), tensors, {"made by": "tests/golden/scores.py"}
    )


if __name__ == "__main__":
    main()

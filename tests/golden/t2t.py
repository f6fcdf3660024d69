#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers of T2T-ViT, its gradients, SAM-only-norm steps, scores of its tokens and position embeddings,
from PyTorch in float64.

    python3 tests/golden/t2t.py

(PyTorch 2 and NumPy; writes t2t.json.)

Weights and images are those of make_models.py's formula, tamed where trained networks are: tests/nn/formula.h
makes the same. The network is written from its paper and docs/methods.md, without looking at nn/. Images are
of 64 pixels, so that 17 tokens remain; of 32 in steps, which are many.
"""

import json
import math
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from make_models import labels_of, rounded, sft_loss, summary, uniform

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES, SIDE, STEP_SIDE = 10, 64, 32


# ---- formula: what this network has of its own; the same in tests/nn/formula.h ----


def value_of(name, shape):
    u = uniform(name, int(np.prod(shape))).reshape(shape)
    if len(shape) == 1:
        return np.float32(1.0) + np.float32(0.2) * u if name.endswith("weight") else np.float32(0.1) * u
    if len(shape) == 3:  # cls_token, pos_embed
        return np.float32(0.5) * u
    if name.endswith(".w"):
        return np.float32(1.2) * u
    scale = math.sqrt(6.0 / shape[1])
    if name.endswith(".kqv.weight"):  # or exp(-|k|^2/2) leaves the range of float32
        scale *= 0.2
    return np.float32(scale) * u


def images_of(name, n, side=SIDE):
    x = uniform(name, n * side * side * 3).reshape(n, side, side, 3).astype(np.float64)
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


# ---- the network ----


class Performer(nn.Module):
    """y = v + drop(proj(linear attention)), out = y + drop(mlp(norm2(y)))."""

    def __init__(self, width, inner=64, features=32):
        super().__init__()
        self.inner, self.features = inner, features
        w = nn.init.orthogonal_(torch.empty(features, inner)) * math.sqrt(features)
        self.w = nn.Parameter(w, requires_grad=False)
        self.kqv = nn.Linear(width, 3 * inner)
        self.proj = nn.Linear(inner, inner)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(inner)
        self.mlp = nn.Sequential(nn.Linear(inner, inner), nn.GELU(), nn.Linear(inner, inner))
        self.dropout = 0.1

    def phi(self, x):
        return torch.exp(x @ self.w.T - (x * x).sum(-1, keepdim=True) / 2) / math.sqrt(self.features)

    def forward(self, x):
        drop = lambda y: F.dropout(y, self.dropout, self.training)
        k, q, v = self.kqv(self.norm1(x)).split(self.inner, -1)
        kp, qp = self.phi(k), self.phi(q)
        d = torch.einsum("ntm,nm->nt", qp, kp.sum(1)).unsqueeze(-1)
        kv = torch.einsum("nsd,nsm->ndm", v, kp)
        y = v + drop(self.proj(torch.einsum("ntm,ndm->ntd", qp, kv) / (d + 1e-8)))
        return y + drop(self.mlp(self.norm2(y)))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Attention(nn.Module):
    """Of `heads` heads, each of 64; `width` is the input's. Also gives the values."""

    def __init__(self, width, inner, heads, scale):
        super().__init__()
        self.heads, self.scale = heads, scale
        self.qkv, self.proj = nn.Linear(width, 3 * inner, bias=False), nn.Linear(inner, inner)

    def forward(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        p = torch.softmax(q @ k.transpose(-2, -1) * self.scale, -1)
        join = lambda y: y.transpose(1, 2).reshape(n, t, -1)
        return self.proj(join(p @ v)), join(v)


class TokenTransformer(nn.Module):
    def __init__(self, width, inner=64):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(inner)
        self.attn = Attention(width, inner, 1, width**-0.5)
        self.mlp = Mlp(inner, inner)

    def forward(self, x):
        y, v = self.attn(self.norm1(x))
        y = v + y
        return y + self.mlp(self.norm2(y))


class TokensToToken(nn.Module):
    def __init__(self, block, width):
        super().__init__()
        self.attention1, self.attention2 = block(3 * 7 * 7), block(64 * 3 * 3)
        self.project = nn.Linear(64 * 3 * 3, width)

    def forward(self, x):
        x = self.attention1(F.unfold(x, 7, stride=4, padding=2).transpose(1, 2))
        for following in (self.attention2, self.project):
            side = math.isqrt(x.shape[1])
            x = x.transpose(1, 2).reshape(x.shape[0], -1, side, side)
            x = following(F.unfold(x, 3, stride=2, padding=1).transpose(1, 2))
        return x


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, width, heads, (width // heads) ** -0.5)
        self.mlp = Mlp(width, 3 * width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))[0]
        return x + self.mlp(self.norm2(x))


def sinusoid(vectors, width):
    p = np.arange(vectors, dtype=np.float64)[:, None]
    angle = p / np.power(10000.0, 2 * (np.arange(width) // 2) / width)
    angle[:, 0::2], angle[:, 1::2] = np.sin(angle[:, 0::2]), np.cos(angle[:, 1::2])
    return torch.from_numpy(angle).unsqueeze(0)


WIDTHS = {14: (384, 6), 19: (448, 7), 24: (512, 8)}


class T2TViT(nn.Module):
    def __init__(self, depth, token_block, side=SIDE, classes=CLASSES):
        super().__init__()
        width, heads = WIDTHS[depth]
        self.tokens_to_token = TokensToToken(token_block, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(sinusoid(1 + (side // 16) ** 2, width), requires_grad=False)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.tokens_to_token(x)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        self.seen = []
        for block in self.blocks:
            x = block(x)
            self.seen.append(x)
        return self.classify(x)

    def classify(self, x):
        self.h = self.norm(x)[:, 0]
        return self.head(self.h)


def build(name, side=SIDE, classes=CLASSES):
    kind, depth = name.rsplit("_", 1)
    block = TokenTransformer if kind == "t2t_vit_t" else Performer
    return T2TViT(int(depth), block, side, classes).double()


def without_dropout(model):
    for module in model.modules():
        if isinstance(module, Performer):
            module.dropout = 0.0
    return model


def make(name, side=SIDE):
    model = without_dropout(build(name, side))
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            tensor.copy_(torch.from_numpy(value_of(key, tuple(tensor.shape)).astype(np.float64)))
    return model


# ---- what is stored ----


def trained_of(model):
    return {key: p for key, p in model.named_parameters() if p.requires_grad}


def golden_model(name):
    model = make(name).train()
    trained = trained_of(model)
    logits = model(images_of("images0", 4))
    loss_id, loss_ood = sft_loss(logits, labels_of(2, 2))
    (loss_id + loss_ood).backward()
    return {
        "images": "images0",
        "parameters": sum(p.numel() for p in trained.values()),
        "logits": rounded(logits.reshape(-1).tolist()),
        "features": summary(model.h),
        "loss": rounded([loss_id.item(), loss_ood.item()]),
        "gradients": {key: summary(p.grad) for key, p in trained.items()},
    }


def layer_norms(model):
    return [p for m in model.modules() if isinstance(m, nn.LayerNorm) for p in (m.weight, m.bias)]


def sam_only_norm(name, steps, rho, lr, momentum, weight_decay, n_id, n_ood):
    """SAM-ON (Mueller et al. 2023) over SGD; the batch of step t is images_of("step<t>")."""
    model = make(name, STEP_SIDE).train()
    trained, in_s = trained_of(model), layer_norms(model)
    start = {key: p.detach().clone() for key, p in trained.items()}
    optimizer = torch.optim.SGD(trained.values(), lr=lr, momentum=momentum, weight_decay=weight_decay)
    losses, norms, labels = [], [], labels_of(n_id, n_ood)
    for step in range(steps):
        images = images_of("step%d" % step, n_id + n_ood, STEP_SIDE)
        loss_id, loss_ood = sft_loss(model(images), labels)
        grads = torch.autograd.grad(loss_id + loss_ood, in_s)
        norm = torch.sqrt(sum((g**2).sum() for g in grads)) + 1e-16
        saved = [p.detach().clone() for p in in_s]
        with torch.no_grad():
            for p, g in zip(in_s, grads):
                p.add_(rho * g / norm)
        optimizer.zero_grad()
        sum(sft_loss(model(images), labels)).backward()
        with torch.no_grad():
            for p, old in zip(in_s, saved):
                p.copy_(old)
        optimizer.step()
        losses.append(rounded([loss_id.item(), loss_ood.item()]))
        norms.append(rounded([norm.item()])[0])
    settings = dict(steps=steps, rho=rho, lr=lr, momentum=momentum, weight_decay=weight_decay)
    return {
        **settings,
        "side": STEP_SIDE,
        "n_id": n_id,
        "n_ood": n_ood,
        "losses": losses,
        "grad_norms": norms,
        "final": {key: summary(p) for key, p in trained.items()},
        "change": {key: summary(p.detach() - start[key]) for key, p in trained.items()},
    }


# ---- scores that look at tokens ----


def without_rank_one(x):
    """Matrices of tokens by channels without their largest rank-1 part."""
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    return x - s[:, :1, None] * u[:, :, :1] * v[:, :1]


def without_rank_one_by_power(x, rounds):
    """The same of one matrix, found by so many rounds of a power iteration from X^T 1, converged or not."""
    v = x.sum(0)
    for _ in range(rounds):
        u = x @ v / (x @ v).norm()
        v = x.T @ u / (x.T @ u).norm()
    return x - (x.T @ u).norm() * torch.outer(u, v)


def token_scores(name, n):
    model = make(name).eval()
    depth = len(model.blocks)
    after = [q * depth // 4 for q in (1, 2, 3, 4)]  # blocks behind each tap
    with torch.no_grad():
        model(images_of("scored", n))
        taps = [model.seen[i - 1] for i in after]
        energy = lambda z: rounded(torch.logsumexp(z, 1).tolist())
        result = {"n": n, "rankfeat": energy(model.classify(without_rank_one(taps[3])))}
        x = without_rank_one(taps[2])
        for block in model.blocks[after[2] :]:
            x = block(x)
        result["rankfeat rankfeat-blocks=3"] = energy(model.classify(x))
        last = model.blocks[-1].mlp.fc2
        last.weight.copy_(without_rank_one_by_power(last.weight.clone(), 100))
        model(images_of("scored", n))
        result["rankweight"] = energy(model.classify(without_rank_one(model.seen[-1])))
    rf, pool = (torch.cat([tap.mean(axis) for tap in taps], 1) for axis in (2, 1))
    result["mahalanobis maha-t2t=rf"] = rounded(rf.reshape(-1).tolist())
    result["mahalanobis maha-t2t=pool"] = rounded(pool[:, ::48].reshape(-1).tolist())
    return result


def resampled(source, target, width=3):
    """Position embeddings of a grid of side `source`, by formula, for one of side `target`."""
    x = torch.from_numpy(uniform("positions", (1 + source**2) * width).reshape(-1, width).astype(np.float64))
    grid = x[1:].T.reshape(1, width, source, source)
    grid = F.interpolate(grid, size=(target, target), mode="bicubic", align_corners=False)
    values = torch.cat([x[:1], grid.reshape(width, -1).T]).reshape(-1)
    return {"from": source, "to": target, "width": width, "values": rounded(values.tolist())}


def counts(name):
    model = build(name, 224, 1000)
    return {
        "trained": sum(p.numel() for p in trained_of(model).values()),
        "stored": sum(t.numel() for t in model.state_dict().values()),
        "norm_layers": sum(isinstance(m, nn.LayerNorm) for m in model.modules()),
        "norm": sum(p.numel() for p in layer_norms(model)),
    }


def main():
    torch.set_num_threads(2)
    names = ["t2t_vit_%s%d" % (kind, depth) for depth in WIDTHS for kind in ("", "t_")]
    tested = ("t2t_vit_14", "t2t_vit_t_14")
    golden = {
        "models": {name: golden_model(name) for name in tested},
        "sam_only_norm": {
            name: sam_only_norm(name, 3, rho=0.5, lr=1e-3, momentum=0.9, weight_decay=1e-5, n_id=2, n_ood=2)
            for name in tested
        },
        "token_scores": token_scores(tested[0], 3),
        "counts": {name: counts(name) for name in names},
        "sinusoid": rounded(sinusoid(10, 6).reshape(-1).tolist()),
        "positions": [resampled(4, 6), resampled(4, 3), resampled(5, 11)],
    }
    with open(os.path.join(HERE, "t2t.json"), "w") as file:
        json.dump(golden, file, indent=0, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

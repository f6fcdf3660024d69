#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers of the models, their gradients and SAM-only-norm steps, from PyTorch in float64.

    /usr/bin/python3 tests/golden/make_models.py

(Debian's python3-torch; writes models.json and tiny.safetensors.)

Weights and images are not stored: this script and tests/nn/formula.h make the same ones from a hash of the
name and the position. The networks are written from the papers' formulas, without looking at nn/.
"""

import json
import math
import os
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10


# ---- formula: the same in tests/nn/formula.h ----


def hash_name(name):
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def uniform(name, count):
    """float32 in [-1, 1): a 32-bit mix of the position, started by the name's FNV-1a hash."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(hash_name(name))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1.0)


def value_of(name, shape):
    u = uniform(name, int(np.prod(shape))).reshape(shape)
    if name.endswith("running_var"):
        usual = (
            1.0 if name.startswith("features") else 200.0
        )  # what standardised filters make of inputs near 1
        return np.float32(usual) * (np.float32(1.0) + np.float32(0.5) * u)
    if len(shape) == 1 and name.endswith("weight"):
        return np.float32(1.0) + np.float32(0.2) * u
    if len(shape) == 1:
        return np.float32(0.1) * u
    fan_in = int(np.prod(shape[1:]))
    return np.float32(math.sqrt(6.0 / fan_in)) * u


def set_by_formula(model):
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.from_numpy(value_of(name, tuple(tensor.shape)).astype(np.float64)))


def images_of(name, n):
    x = uniform(name, n * 32 * 32 * 3).reshape(n, 32, 32, 3).astype(np.float64)
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


# ---- networks ----


def make_norm(kind, channels, groups):
    if kind == "gn":
        return nn.GroupNorm(groups, channels, eps=1e-5)
    return nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1)


class VGG11(nn.Module):
    def __init__(self, norm):
        super().__init__()
        layers, channels = [], 3
        for width in (64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"):
            if width == "M":
                layers.append(nn.MaxPool2d(2, 2))
                continue
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if norm != "none":
                layers.append(make_norm(norm, width, min(32, width // 8)))
            layers.append(nn.ReLU())
            channels = width
        layers.append(nn.AvgPool2d(1, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Dropout(0.0),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Dropout(0.0),
            nn.Linear(512, CLASSES),
        )

    def forward(self, x):
        self.h = self.classifier[:6](self.features(x).flatten(1))
        return self.classifier[6](self.h)


class StdConv2d(nn.Conv2d):
    def forward(self, x):
        variance, mean = torch.var_mean(self.weight, dim=[1, 2, 3], keepdim=True, unbiased=False)
        weight = (self.weight - mean) / torch.sqrt(variance + 1e-10)
        return F.conv2d(x, weight, None, self.stride, self.padding)


def make_conv(norm, cin, cout, kernel, stride=1):
    kind = nn.Conv2d if norm == "none" else StdConv2d
    return kind(cin, cout, kernel, stride=stride, padding=kernel // 2, bias=norm == "none")


class Activate(nn.Module):
    """Adds the norm under its name to `owner`; called as a function it is norm and ReLU."""

    def __init__(self, owner, norm, place, channels):
        super().__init__()
        if norm != "none":
            owner.add_module(norm + place, make_norm(norm, channels, 8))
        self.look_up = lambda: getattr(owner, norm + place) if norm != "none" else (lambda x: x)

    def forward(self, x):
        return F.relu(self.look_up()(x))


class Unit(nn.Module):
    def __init__(self, norm, cin, cout, stride):
        super().__init__()
        self.activate1 = Activate(self, norm, "1", cin)
        self.conv1 = make_conv(norm, cin, cout, 3, stride)
        self.activate2 = Activate(self, norm, "2", cout)
        self.conv2 = make_conv(norm, cout, cout, 3)
        self.project = stride != 1 or cin != cout
        if self.project:
            self.downsample = make_conv(norm, cin, cout, 1, stride)

    def forward(self, x):
        a = self.activate1(x)
        y = self.conv2(self.activate2(self.conv1(a)))
        return y + (self.downsample(a) if self.project else x)


class ResNetV2(nn.Module):
    def __init__(self, depth, norm):
        super().__init__()
        self.root = nn.Module()
        self.root.conv = make_conv(norm, 3, 16, 3)
        self.body = nn.Module()
        cin = 16
        for b, (cout, first) in enumerate(((16, 1), (32, 2), (64, 2))):
            block = nn.Sequential()
            for u in range((depth - 2) // 6):
                block.add_module("unit%02d" % (u + 1), Unit(norm, cin, cout, first if u == 0 else 1))
                cin = cout
            self.body.add_module("block%d" % (b + 1), block)
        self.before_head = nn.Module()
        self.activate = Activate(self.before_head, norm, "", 64)
        self.head = nn.Module()
        self.head.conv = nn.Conv2d(64, CLASSES, 1)

    def forward(self, x):
        x = self.root.conv(x)
        for b in (1, 2, 3):
            x = getattr(self.body, "block%d" % b)(x)
        self.h = self.activate(x).mean([2, 3])
        return self.head.conv(self.h[:, :, None, None])[:, :, 0, 0]


MODELS = {"vgg11": lambda: VGG11("none"), "vgg11_bn": lambda: VGG11("bn"), "vgg11_gn": lambda: VGG11("gn")}
for model_depth in (20, 26, 56):
    for model_norm in ("gn", "bn", "none"):
        MODELS["resnetv2_%d_%s" % (model_depth, model_norm)] = lambda d=model_depth, n=model_norm: ResNetV2(
            d, n
        )


def make(name):
    model = MODELS[name]().double()
    set_by_formula(model)
    return model


# ---- what is stored ----


def sft_loss(logits, labels):
    """Mean cross entropy of ID rows + mean of LSE - mean logit of outliers (label -1), lambda 1."""
    is_id = labels >= 0
    loss_id = F.cross_entropy(logits[is_id], labels[is_id])
    ood = logits[~is_id]
    return loss_id, (torch.logsumexp(ood, 1) - ood.mean(1)).mean()


def labels_of(n_id, n_ood):
    return torch.tensor([(3 * i + 1) % CLASSES for i in range(n_id)] + [-1] * n_ood)


def rounded(values, digits=9):
    return [float("%.*g" % (digits, v)) for v in values]


def summary(tensor):
    """Norm, sum and four elements at fixed shares of the length, in the file's layout."""
    flat = tensor.detach().reshape(-1)
    at = [flat.numel() * k // 7 for k in (0, 2, 4, 6)]
    return rounded([flat.norm().item(), flat.sum().item()] + [flat[i].item() for i in at], 7)


def trained_names(model):
    return [name for name, _ in model.named_parameters()]


def kink_distance(model, images):
    """The least |x| that a ReLU sees, in standard deviations of what it sees."""
    seen, relu = [], F.relu

    def watch(x, inplace=False):
        seen.append((x.abs().min() / x.std()).item())
        return relu(x)

    F.relu = watch
    with torch.no_grad():
        model.train()(images)
    F.relu = relu
    return min(seen)


def smooth_images(name):
    """The name of images that keep every ReLU off zero: there float32 may take the other side, and a
    gradient jumps."""
    names = ["images%d" % i for i in range(12)]
    return max(names, key=lambda images: kink_distance(make(name), images_of(images, 4)))


def golden_model(name, with_gradients):
    images_name = smooth_images(name) if with_gradients else "images0"
    model, images = make(name), images_of(images_name, 4)
    trained = dict(model.named_parameters())
    result = {"images": images_name, "parameters": sum(p.numel() for p in trained.values())}
    model.eval()
    with torch.no_grad():
        result["logits"] = rounded(model(images).reshape(-1).tolist())
        result["features"] = summary(model.h)
    if not with_gradients:
        return result
    model.train()
    logits = model(images)
    loss_id, loss_ood = sft_loss(logits, labels_of(2, 2))
    (loss_id + loss_ood).backward()
    result["train_logits"] = rounded(logits.reshape(-1).tolist())
    result["loss"] = rounded([loss_id.item(), loss_ood.item()])
    result["gradients"] = {key: summary(p.grad) for key, p in trained.items()}
    result["buffers"] = {key: summary(b) for key, b in model.named_buffers() if b.dim() > 0}
    return result


def sam_only_norm(name, steps, rho, lr, momentum, weight_decay, n_id, n_ood):
    """SAM-ON (Mueller et al. 2023), norm parameters only, over SGD; the batch of step t is
    images_of("step<t>")."""
    model = make(name)
    model.train()
    trained = dict(model.named_parameters())
    norm_types = (nn.GroupNorm, nn.BatchNorm2d)
    in_s = [
        p
        for module in model.modules()
        if isinstance(module, norm_types)
        for p in (module.weight, module.bias)
    ]
    start = {key: p.detach().clone() for key, p in trained.items()}
    optimizer = torch.optim.SGD(trained.values(), lr=lr, momentum=momentum, weight_decay=weight_decay)
    losses, norms, labels = [], [], labels_of(n_id, n_ood)
    for step in range(steps):
        images = images_of("step%d" % step, n_id + n_ood)
        optimizer.zero_grad()
        loss_id, loss_ood = sft_loss(model(images), labels)
        (loss_id + loss_ood).backward()
        norm = torch.sqrt(sum((p.grad**2).sum() for p in in_s)) + 1e-16
        saved = [p.detach().clone() for p in in_s]
        with torch.no_grad():
            for p in in_s:
                p.add_(rho * p.grad / norm)
        optimizer.zero_grad()
        sum(sft_loss(model(images), labels)).backward()
        with torch.no_grad():
            for p, old in zip(in_s, saved):
                p.copy_(old)
        optimizer.step()
        losses.append(rounded([loss_id.item(), loss_ood.item()]))
        norms.append(rounded([norm.item()])[0])
    return {
        "steps": steps,
        "rho": rho,
        "lr": lr,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "n_id": n_id,
        "n_ood": n_ood,
        "losses": losses,
        "grad_norms": norms,
        "final": {key: summary(p) for key, p in trained.items()},
        "change": {key: summary(p.detach() - start[key]) for key, p in trained.items()},
    }


# ---- safetensors by hand ----


def write_safetensors(path, tensors, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, dtype, shape, raw in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def tiny_safetensors():
    numbers = [0.0, 1.0, -2.5, 0.15625, 65504.0, 2.0**-24]
    raw = lambda dtype: np.array(numbers, dtype).tobytes()
    bf16 = (np.array(numbers, "<f4").view(np.uint32) >> 16).astype("<u2").tobytes()
    return [
        ("f32", "F32", [2, 3], raw("<f4")),
        ("f16", "F16", [6], raw("<f2")),
        ("bf16", "BF16", [3, 2], bf16),
        ("f64", "F64", [1, 6, 1], raw("<f8")),
        ("i64", "I64", [2], np.array([7, -9], "<i8").tobytes()),
        ("scalar", "F32", [], struct.pack("<f", 3.0)),
    ]


def main():
    torch.set_num_threads(2)
    with_gradients = ("vgg11", "vgg11_bn", "vgg11_gn", "resnetv2_20_gn", "resnetv2_20_bn", "resnetv2_20_none")
    golden = {"version": 1, "models": {name: golden_model(name, name in with_gradients) for name in MODELS}}
    # Untrained networks on noise are rough: weights changed by 1e-5 flip ReLUs and move the gradient by
    # 2e-2, also between PyTorch's own float32 and float64. A small rate keeps the paths together; rho is
    # the paper's. The residual network has a million ReLUs in 4 images: 16 keep the weight of one that
    # flips small.
    golden["sam_only_norm"] = {
        name: sam_only_norm(name, 5, rho=0.5, lr=1e-4, momentum=0.9, weight_decay=5e-4, n_id=n, n_ood=n)
        for name, n in (("resnetv2_20_gn", 8), ("vgg11_gn", 2))
    }
    with open(os.path.join(HERE, "models.json"), "w") as file:
        json.dump(golden, file, indent=0, separators=(",", ":"))
        file.write("\n")
    write_safetensors(
        os.path.join(HERE, "tiny.safetensors"), tiny_safetensors(), {"model": "none", "note": "by hand"}
    )


if __name__ == "__main__":
    main()

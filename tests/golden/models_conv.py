#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden numbers of the convolutional networks for ImageNet and CIFAR, from PyTorch in float64.

    python3 tests/golden/models_conv.py

(PyTorch 2.15; writes models_conv.json. A part, at another size, for a run by hand of
`SFT_TEST_GOLDEN=FILE build/tests/test_nn_models` and test_sam_golden:
`models_conv.py --only resnetv2_101x1_bit --size 480 --images 1 --out FILE`.)

For each network: logits in evaluation, and of one training pass the losses, the gradient of every parameter
and the running statistics; then SAM-only-norm steps. Beside them PyTorch's own distance between float32 and
float64 on the same case ("float32"), measured as the tests measure ours: a ReLU whose input rounding moves
across zero moves the gradient, and no float32 implementation is nearer than that.

Weights and images are not stored: make_models.py and tests/nn/formula.h make the same ones from a hash of the
name and the position. Weights are tamed: the last norm of each residual branch is scaled by 0.2, as training
does. The networks are written from the papers' formulas, without looking at nn/.
"""

import argparse
import json
import os

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import make_models
from make_models import rounded, uniform

HERE = os.path.dirname(os.path.abspath(__file__))
CLASSES = 10
TAMED_TO = 0.2


# ---- formula: the same in tests/nn/formula.h ----


def value_of(name, shape):
    if name.endswith("running_var"):
        return np.float32(1.0) + np.float32(0.5) * uniform(name, int(np.prod(shape))).reshape(shape)
    return make_models.value_of(name, shape)


def set_by_formula(model, tamed, filters=1.0):
    """`filters` scales all filters."""
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            value = value_of(name, tuple(tensor.shape))
            if name.rsplit(".", 1)[0].endswith(tamed):
                value = np.float32(TAMED_TO) * value
            if len(value.shape) == 4 and filters != 1.0:
                value = np.float32(filters) * value
            tensor.copy_(torch.from_numpy(value.astype(np.float64)))


def images_of(name, n, size):
    x = uniform(name, n * size * size * 3).reshape(n, size, size, 3).astype(np.float64)
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


# ---- BiT (Kolesnikov et al. 2020) ----


class StdConv2d(nn.Conv2d):
    epsilon = 1e-10

    def forward(self, x):
        w = self.weight
        mean = w.mean(dim=(1, 2, 3), keepdim=True)
        variance = ((w - mean) ** 2).mean(dim=(1, 2, 3), keepdim=True)
        w = (w - mean) / torch.sqrt(variance + self.epsilon)
        return F.conv2d(x, w, None, self.stride, self.padding)


def std_conv(cin, cout, kernel, stride=1):
    return StdConv2d(cin, cout, kernel, stride, kernel // 2, bias=False)


class BitUnit(nn.Module):
    def __init__(self, cin, cmid, stride):
        super().__init__()
        cout = 4 * cmid
        self.gn1, self.conv1 = nn.GroupNorm(32, cin), std_conv(cin, cmid, 1)
        self.gn2, self.conv2 = nn.GroupNorm(32, cmid), std_conv(cmid, cmid, 3, stride)
        self.gn3, self.conv3 = nn.GroupNorm(32, cmid), std_conv(cmid, cout, 1)
        if stride != 1 or cin != cout:
            self.downsample = std_conv(cin, cout, 1, stride)

    def forward(self, x):
        a = F.relu(self.gn1(x))
        y = self.conv1(a)
        y = self.conv2(F.relu(self.gn2(y)))
        y = self.conv3(F.relu(self.gn3(y)))
        return y + (self.downsample(a) if hasattr(self, "downsample") else x)


class Bit(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.root, self.body, self.before_head, self.head = (nn.Module() for _ in range(4))
        self.root.conv = std_conv(3, 64, 7, 2)
        cin = 64
        for b, n in enumerate(units):
            block = nn.Sequential()
            for u in range(n):
                block.add_module("unit%02d" % (u + 1), BitUnit(cin, 64 << b, 2 if b > 0 and u == 0 else 1))
                cin = 256 << b
            setattr(self.body, "block%d" % (b + 1), block)
        self.before_head.gn = nn.GroupNorm(32, cin)
        self.head.conv = nn.Conv2d(cin, CLASSES, 1)

    def forward(self, x):
        x = F.max_pool2d(F.pad(self.root.conv(x), (1, 1, 1, 1)), 3, 2)
        for b in range(1, 5):
            x = getattr(self.body, "block%d" % b)(x)
        h = F.relu(self.before_head.gn(x)).mean((2, 3), keepdim=True)
        return self.head.conv(h).flatten(1)


# ---- ResNets with batch norm ----


class Bottleneck(nn.Module):
    def __init__(self, cin, cmid, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cmid, 1, bias=False), nn.BatchNorm2d(cmid)
        self.conv2, self.bn2 = nn.Conv2d(cmid, cmid, 3, stride, 1, bias=False), nn.BatchNorm2d(cmid)
        self.conv3, self.bn3 = nn.Conv2d(cmid, 4 * cmid, 1, bias=False), nn.BatchNorm2d(4 * cmid)
        self.downsample = nn.Sequential()
        if stride != 1 or cin != 4 * cmid:
            self.downsample = nn.Sequential(
                nn.Conv2d(cin, 4 * cmid, 1, stride, bias=False), nn.BatchNorm2d(4 * cmid)
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        return F.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class BasicUnit(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.conv2, self.bn2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.shortcut = nn.Sequential()
        if stride != 1 or cin != cout:
            self.shortcut = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    """root: (kernel, stride, padding, whether a max pool follows)."""

    def __init__(self, unit, expansion, units, root):
        super().__init__()
        kernel, stride, padding, self.pools = root
        self.conv1 = nn.Conv2d(3, 64, kernel, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        cin = 64
        for layer, n in enumerate(units):
            made = []
            for u in range(n):
                made.append(unit(cin, 64 << layer, 2 if layer > 0 and u == 0 else 1))
                cin = expansion * (64 << layer)
            setattr(self, "layer%d" % (layer + 1), nn.Sequential(*made))
        self.fc = nn.Linear(cin, CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if self.pools:
            x = F.max_pool2d(x, 3, 2, 1)
        for layer in range(1, 5):
            x = getattr(self, "layer%d" % layer)(x)
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class WideUnit(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(cin), nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn2, self.conv2 = nn.BatchNorm2d(cout), nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(cin, cout, 1, stride, bias=False) if cin != cout else None

    def forward(self, x):
        a = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(a))))
        return y + (self.convShortcut(a) if self.convShortcut is not None else x)


class WideResNet(nn.Module):
    def __init__(self, depth, k):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        cin = 16
        for b in range(3):
            block, made = nn.Module(), []
            for u in range((depth - 4) // 6):
                made.append(WideUnit(cin, k * (16 << b), 2 if b > 0 and u == 0 else 1))
                cin = k * (16 << b)
            block.layer = nn.Sequential(*made)
            setattr(self, "block%d" % (b + 1), block)
        self.bn1 = nn.BatchNorm2d(cin)
        self.fc = nn.Linear(cin, CLASSES)

    def forward(self, x):
        x = self.conv1(x)
        for b in range(1, 4):
            x = getattr(self, "block%d" % b).layer(x)
        return self.fc(F.relu(self.bn1(x)).mean((2, 3)))


# ---- cases ----


class Case:
    """slow: on a Vulkan driver that runs on the CPU; tests leave it to the CPU backend there."""

    def __init__(self, make, tamed, size, steps=3, slow=True):
        self.make, self.tamed, self.size, self.steps, self.slow = make, tamed, size, steps, slow


IMAGENET_ROOT = (7, 2, 3, True)
CASES = {
    "resnetv2_50x1_bit": Case(lambda: Bit((3, 4, 6, 3)), "gn3", 64, slow=False),
    "resnetv2_101x1_bit": Case(lambda: Bit((3, 4, 23, 3)), "gn3", 48),
    "resnet50": Case(lambda: ResNet(Bottleneck, 4, (3, 4, 6, 3), IMAGENET_ROOT), "bn3", 64),
    "resnet18_32x32": Case(lambda: ResNet(BasicUnit, 1, (2, 2, 2, 2), (3, 1, 1, False)), ".bn2", 16),
    "resnet18_32x32_pad2": Case(
        lambda: ResNet(BasicUnit, 1, (2, 2, 2, 2), (3, 1, 2, False)), ".bn2", 16, slow=False
    ),
    "wide_resnet_28_10": Case(lambda: WideResNet(28, 10), ".bn2", 8),
    "wide_resnet_40_2": Case(lambda: WideResNet(40, 2), ".bn2", 16),
}


def make(case, dtype=torch.float64):
    model = case.make().double()
    set_by_formula(model, case.tamed)
    return model.to(dtype)


# ---- what is stored ----


def losses_of(logits, n_id):
    """Mean cross entropy of the ID rows; mean of LSE - mean logit of the outliers."""
    labels = torch.tensor([(3 * i + 1) % CLASSES for i in range(n_id)])
    ood = logits[n_id:]
    return F.cross_entropy(logits[:n_id], labels), (torch.logsumexp(ood, 1) - ood.mean(1)).mean()


def flat(tensors):
    return torch.cat([t.detach().double().reshape(-1) for t in tensors])


def summary(tensor):
    """Norm, sum and four elements at fixed shares of the length, in the file's layout."""
    values = tensor.detach().double().reshape(-1)
    at = [values.numel() * k // 7 for k in (0, 2, 4, 6)]
    return rounded([values.norm().item(), values.sum().item()] + [values[i].item() for i in at], 6)


def summaries(tensors):
    return {name: summary(tensor) for name, tensor in tensors.items()}


def summary_distance(expected, tensor):
    """As tests/nn/golden.h measures it."""
    found, count = summary(tensor), tensor.numel()
    norm = expected[0]
    if norm == 0:
        return found[0]
    most = max(abs(found[0] - norm) / norm, abs(found[1] - expected[1]) / (norm * count**0.5))
    return max(
        [most]
        + [abs(f - e) / max(abs(e), norm / count**0.5) for f, e in zip(found[2:], expected[2:])]
    )


def distance(expected, found):
    """The largest distance of a parameter's summary."""
    return max(summary_distance(expected[name], found[name]) for name in expected)


def relative(a, b):
    a, b = torch.as_tensor(a).double(), torch.as_tensor(b).double()
    return ((a - b).abs().max() / a.abs().max()).item()


# The same network in float32, with other orders of addition: what is off by most counts.
FLOAT32 = (
    (torch.float32, torch.contiguous_format),
    (torch.float32, torch.channels_last),
)
EXACT = (torch.float64, torch.contiguous_format)


def training_pass(case, images, n_id, how):
    dtype, order = how
    model = make(case, dtype).to(memory_format=order).train()
    logits = model(images.to(dtype).to(memory_format=order))
    parts = losses_of(logits, n_id)
    sum(parts).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    buffers = {name: b for name, b in model.named_buffers() if b.dim() > 0}
    return logits.detach(), torch.stack(parts).detach(), gradients, buffers


def kink_distance(case, images):
    """The least |x| that a ReLU sees, in standard deviations of what it sees."""
    seen, relu = [], F.relu

    def watch(x):
        seen.append((x.abs().min() / x.std()).item())
        return relu(x)

    F.relu = watch
    with torch.no_grad():
        make(case).train()(images)
    F.relu = relu
    return min(seen)


def smooth_images(case, size, n):
    """The name of images that keep ReLUs away from zero, as far as that goes."""
    names = ["images%d" % i for i in range(8)]
    return max(names, key=lambda name: kink_distance(case, images_of(name, 2 * n, size)))


def golden_model(case, size, n, choose):
    images_name = smooth_images(case, size, n) if choose else "images0"
    images = images_of(images_name, 2 * n, size)
    with torch.no_grad():
        exact = make(case).eval()(images)
        near = make(case, torch.float32).eval()(images.float())
    logits, losses, gradients, buffers = training_pass(case, images, n, EXACT)
    off = {"logits": relative(exact, near), "train_logits": 0, "loss": 0, "gradients": 0, "gradients_l2": 0}
    whole = flat(gradients.values())
    for how in FLOAT32:
        near = training_pass(case, images, n, how)
        for key, value in (
            ("train_logits", relative(logits, near[0])),
            ("loss", relative(losses, near[1])),
            ("gradients", distance(summaries(gradients), near[2])),
            ("gradients_l2", ((flat(near[2].values()) - whole).norm() / whole.norm()).item()),
        ):
            off[key] = max(off[key], value)
    return {
        "size": size,
        "n_id": n,
        "n_ood": n,
        "tamed": case.tamed,
        "slow": case.slow,
        "images": images_name,
        "parameters": sum(p.numel() for p in case.make().parameters()),
        "logits": rounded(exact.reshape(-1).tolist()),
        "train_logits": rounded(logits.reshape(-1).tolist()),
        "loss": rounded(losses.tolist()),
        "gradients": summaries(gradients),
        "buffers": summaries(buffers),
        "float32": {key: rounded([value], 3)[0] for key, value in off.items()},
    }


def norm_parameters(model):
    layers = [m for m in model.modules() if isinstance(m, (nn.GroupNorm, nn.BatchNorm2d))]
    return [p for layer in layers for p in (layer.weight, layer.bias)]


RATES = {"rho": 0.5, "lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}


def sam_only_norm(case, size, n, how):
    """SAM-ON (Mueller et al. 2023) over SGD. Losses and gradient norms of each step, and what the first step
    changed."""
    dtype, order = how
    model = make(case, dtype).to(memory_format=order).train()
    perturbed = norm_parameters(model)
    start = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATES["lr"], momentum=RATES["momentum"], weight_decay=RATES["weight_decay"]
    )
    losses, norms, change = [], [], None
    for step in range(case.steps):
        images = images_of("step%d" % step, 2 * n, size).to(dtype).to(memory_format=order)
        optimizer.zero_grad()
        parts = losses_of(model(images), n)
        sum(parts).backward()
        norm = flat([p.grad for p in perturbed]).norm().item() + 1e-16
        saved = [p.detach().clone() for p in perturbed]
        with torch.no_grad():
            for p in perturbed:
                p.add_(p.grad, alpha=RATES["rho"] / norm)
        optimizer.zero_grad()
        sum(losses_of(model(images), n)).backward()
        with torch.no_grad():
            for p, old in zip(perturbed, saved):
                p.copy_(old)
        optimizer.step()
        losses.append([part.item() for part in parts])
        norms.append(norm)
        if step == 0:
            change = {name: p.detach() - start[name] for name, p in model.named_parameters()}
    return losses, norms, change


def golden_steps(case, size, n):
    losses, norms, change = sam_only_norm(case, size, n, EXACT)
    result = {"size": size, "n_id": n, "n_ood": n, "tamed": case.tamed, "slow": case.slow or size > 16}
    result.update(RATES, steps=case.steps)
    result["losses"] = [rounded(pair) for pair in losses]
    result["grad_norms"] = rounded(norms)
    result["first_change"] = summaries(change)
    off = {"losses": [0] * case.steps, "grad_norms": [0] * case.steps, "first_change": 0}
    for how in FLOAT32:
        near_losses, near_norms, near_change = sam_only_norm(case, size, n, how)
        for key, exact, near in (("losses", losses, near_losses), ("grad_norms", norms, near_norms)):
            off[key] = [max(old, relative(a, b)) for old, a, b in zip(off[key], exact, near)]
        off["first_change"] = max(off["first_change"], distance(result["first_change"], near_change))
    result["float32"] = {
        key: rounded(value, 3) if isinstance(value, list) else rounded([value], 3)[0]
        for key, value in off.items()
    }
    return result


def golden_epsilons():
    """Logits of small filters, for which the epsilon of weight standardisation matters."""
    name, filters, result = "resnetv2_50x1_bit", 0.02, {}
    case = CASES[name]
    images = images_of("images0", 4, case.size)
    for epsilon in (1e-10, 1e-8):
        model = case.make().double().eval()
        set_by_formula(model, case.tamed, filters)
        for module in model.modules():
            if isinstance(module, StdConv2d):
                module.epsilon = epsilon
        with torch.no_grad():
            result["%g" % epsilon] = rounded(model(images).reshape(-1).tolist())
    return {
        "model": name,
        "size": case.size,
        "images": "images0",
        "tamed": case.tamed,
        "slow": case.slow,
        "filters": filters,
        "logits": result,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=list(CASES))
    parser.add_argument("--size", type=int)
    parser.add_argument("--images", type=int, default=2, help="ID images, and as many outliers")
    parser.add_argument("--steps", type=int, help="SAM steps")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default=os.path.join(HERE, "models_conv.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    golden = {"version": 1, "models": {}, "sam_only_norm": {}}
    for name in options.only:
        case = CASES[name]
        size = options.size or case.size
        case.steps = case.steps if options.steps is None else options.steps
        golden["models"][name] = golden_model(case, size, options.images, not options.size)
        print(name, golden["models"][name]["float32"], flush=True)
        if case.steps:
            golden["sam_only_norm"][name] = golden_steps(case, size, options.images)
            print(name, golden["sam_only_norm"][name]["float32"], flush=True)
    if not options.size:
        golden["epsilons"] = golden_epsilons()
    with open(options.out, "w") as file:
        json.dump(golden, file, indent=0, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

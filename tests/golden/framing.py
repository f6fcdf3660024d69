#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/datasets/framing.txt: hashes of what torchvision's Resize and CenterCrop, set up as timm
sets them up for evaluation, cut out of pictures of noise (tests/datasets/test_resize.c). Run with Python 3.11,
PyTorch 2.15, torchvision 0.29.2, timm 1.0.31, NumPy and Pillow 12.2: later ones resize some pictures vertically
first."""

import hashlib
import os

import numpy as np
from PIL import Image
from timm.data import create_transform

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "datasets")

PICTURES = [(500, 375), (375, 500), (333, 500), (64, 48), (33, 32), (1, 7), (300, 5), (257, 256), (224, 224)]
SQUARES = [(224, 0.875), (224, 0.9), (224, 1.0), (32, 0.95), (45, 0.5), (480, 1.0), (7, 0.33)]
RULES = {"squash": "squash", "short-side": "center"}


def noise(width, height):
    """The generator of support.h's fill_bytes()."""
    state, made = width * 65537 + height, np.empty(width * height * 3, np.uint8)
    for i in range(made.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        made[i] = state >> 24
    return Image.fromarray(made.reshape(height, width, 3))


with open(os.path.join(out, "framing.txt"), "w", encoding="ascii") as file:
    for width, height in PICTURES:
        picture = noise(width, height)
        for side, crop in SQUARES:
            for rule, mode in RULES.items():
                for interpolation in ("bilinear", "bicubic"):
                    transform = create_transform(
                        side, crop_pct=crop, crop_mode=mode, interpolation=interpolation, normalize=False
                    )
                    square = np.ascontiguousarray(transform(picture).numpy().transpose(1, 2, 0))
                    assert square.shape == (side, side, 3) and square.dtype == np.uint8
                    digest = hashlib.sha256(square.tobytes()).hexdigest()
                    file.write(f"{width} {height} {side} {rule} {interpolation} {crop} {digest}\n")

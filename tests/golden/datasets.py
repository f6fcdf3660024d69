#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/datasets/: pictures with Pillow's pixels (tests/datasets/test_decode.c), hashes of
Pillow's resize (test_resize.c), and small data files of NumPy and SciPy (test_formats.c). Run it with
Debian 12's /usr/bin/python3 (Pillow 9.4, NumPy 1.24, SciPy 1.10)."""

import hashlib
import os
import struct

import numpy as np
import scipy.io
from PIL import Image

out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "datasets")
os.makedirs(out, exist_ok=True)


def bytes_of(count, state):
    """The generator of support.h's fill_bytes()."""
    made = np.empty(count, np.uint8)
    for i in range(count):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        made[i] = state >> 24
    return made


def scene(width, height):
    """Smooth colours with edges, so that lossy coding has something to do."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    rgb = np.stack(
        [128 + 100 * np.sin(x / 5), 128 + 100 * np.cos(y / 4 + x / 9), 255 * ((x // 6 + y // 5) % 2)], 2
    )
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))


def save(name, image, **options):
    path = os.path.join(out, name)
    image.save(path, **options)
    with Image.open(path) as again:
        rgb = again.convert("RGB")
    with open(path + ".rgb", "wb") as file:
        file.write(struct.pack("<ii", *rgb.size) + rgb.tobytes())


def pictures():
    rgb = scene(33, 21)
    grey = rgb.convert("L")
    alpha = rgb.copy()
    alpha.putalpha(grey)
    palette = rgb.quantize(13)
    save("rgb.png", rgb)
    save("rgba.png", alpha)
    save("grey.png", grey)
    save("grey_alpha.png", alpha.convert("LA"))
    save("one_bit.png", grey.convert("1"))
    save("palette.png", palette, bits=4)
    save("palette_transparent.png", palette, transparency=3)
    save("rgb_transparent.png", rgb, transparency=(128, 0, 0))
    save("444.jpg", rgb, quality=90, subsampling=0)
    save("420.jpg", rgb, quality=60, subsampling=2)
    save("422.jpg", rgb, quality=75, subsampling=1)
    save("progressive.jpg", rgb, quality=75, progressive=True)
    save("grey.jpg", grey, quality=75)
    save("cmyk.jpg", rgb.convert("CMYK"), quality=80)


def resizes():
    cases = [
        (37, 29, 32, 32),
        (32, 32, 480, 480),
        (2, 2, 480, 480),
        (500, 375, 480, 480),
        (64, 64, 32, 32),
        (33, 32, 32, 32),
        (32, 33, 32, 32),
        (1, 1, 5, 7),
        (400, 300, 1, 1),
        (1000, 3, 17, 200),
        (1200, 900, 480, 480),
    ]
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    with open(os.path.join(out, "resize.txt"), "w", encoding="ascii") as file:
        for width, height, to_width, to_height in cases:
            pixels = bytes_of(width * height * 3, width * 65537 + height).reshape(height, width, 3)
            for name, kind in filters.items():
                resized = Image.fromarray(pixels).resize((to_width, to_height), kind).tobytes()
                digest = hashlib.sha256(resized).hexdigest()
                file.write(f"{width} {height} {to_width} {to_height} {name} {digest}\n")


def save_mat(name, variables, **options):
    """Without the time of day that savemat() writes into the header: every run makes the same file."""
    path = os.path.join(out, name)
    scipy.io.savemat(path, variables, **options)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 5.0 MAT-file".ljust(116))


def arrays():
    images = bytes_of(3 * 32 * 32 * 3, 7).reshape(3, 32, 32, 3)
    np.save(os.path.join(out, "uint8.npy"), images[:, :5, :4])
    np.save(os.path.join(out, "float.npy"), (images[:, :5, :4] / np.float32(255)).astype(np.float32))
    variables = {"X": images.transpose(1, 2, 3, 0), "y": np.array([[10], [1], [9]], np.uint8)}
    save_mat("svhn.mat", variables, do_compression=True)
    save_mat("svhn_plain.mat", {**variables, "y": variables["y"].astype(float)})


pictures()
resizes()
arrays()

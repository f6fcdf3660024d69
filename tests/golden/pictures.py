#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds to tests/golden/datasets/ the pictures that datasets.py's older Pillow cannot write, with Pillow's pixels
(tests/datasets/test_decode.c); tests/datasets/pillow.py compares some hundred more. Run with Python 3.11,
Pillow 12.2 and NumPy."""

import importlib.util
import os
import struct
import sys

import numpy as np
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("pillow", os.path.join(here, "../datasets/pillow.py"))
others = importlib.util.module_from_spec(spec)
sys.dont_write_bytecode = True
spec.loader.exec_module(others)
out = os.path.join(here, "datasets")


def keep(name):
    with Image.open(os.path.join(out, name)) as again:
        rgb = again.convert("RGB")
    with open(os.path.join(out, name + ".rgb"), "wb") as file:
        file.write(struct.pack("<ii", *rgb.size) + rgb.tobytes())


def save(name, image, change=None, **options):
    path = os.path.join(out, name)
    image.save(path, **options)
    if change:
        change(path)
    keep(name)


random = np.random.default_rng(1)
rgb = others.scene(random, 33, 21)
alpha = rgb.copy()
alpha.putalpha(rgb.convert("L"))
save("ycck.jpg", rgb.convert("CMYK"), others.as_ycck, quality=80)
save("no_adobe.jpg", rgb.convert("CMYK"), others.without_adobe, quality=80)
save("no_ycc.jpg", rgb, quality=80, keep_rgb=True)
save("restarts.jpg", rgb, quality=80, restart_marker_blocks=2)
save("lossy.webp", rgb, quality=50)
save("lossless.webp", rgb, lossless=True)
save("lossy_alpha.webp", alpha, quality=50)
save("lossless_alpha.webp", alpha, lossless=True)
save("animated.webp", alpha, save_all=True, append_images=[alpha.rotate(180)], quality=50)
save("one_bit.bmp", rgb.convert("1"))
save("palette.bmp", rgb.quantize(200))
save("rgb.bmp", rgb)
save("rgba.bmp", alpha)
save("one_bit.pbm", rgb.convert("1"))
save("grey.pgm", rgb.convert("L"))
save("rgb.ppm", rgb)
deep = random.integers(0, 65536, (21, 33, 4))
others.png(os.path.join(out, "rgb_deep.png"), deep[:, :, :3], 16, 2, True)
keep("rgb_deep.png")
others.png(os.path.join(out, "rgba_deep.png"), deep, 16, 6)
keep("rgba_deep.png")
with open(os.path.join(out, "deep.ppm"), "wb") as file:
    file.write(b"P6 # a comment\n33\t21\n4095\n" + (deep[:, :, :3] % 4096).astype(">u2").tobytes())
keep("deep.ppm")

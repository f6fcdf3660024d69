#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares decoding and framing with Pillow, byte for byte, over some hundred pictures made from seeds in all
the kinds that are read, and over tars of pictures where they are given:

    tests/datasets/pillow.py build/tests/framed [DIR/*.tar]

Needs Pillow 10.3 or later (it was run with 9.5, as far as that can write the files, and with 12.2 and 13.0) and
NumPy. The resize is Pillow's, an axis at a time: horizontally first, as every Pillow up to 12.2 does it in one
call. Exits with 1 where a byte differs. Two kinds are compared with something else than Pillow's convert("RGB"),
which clips them to white: 16-bit grey, of which the high byte is taken."""

import hashlib
import math
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

import numpy as np
import PIL
from PIL import Image, ImageFile

ImageFile.MAXBLOCK = 1 << 24  # for optimized and progressive JPEGs of noise

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
FRAMINGS = [
    (224, "squash", "bilinear", "1"),
    (480, "squash", "bilinear", "1"),
    (224, "short-side", "bicubic", "0.9"),
    (224, "short-side", "bilinear", "0.875"),
    (32, "short-side", "bicubic", "1"),
    (32, "squash", "bicubic", "0.7"),
]


# ---- pictures ----


def scene(random, width, height):
    """Smooth colours, edges and noise, in shares that differ."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    a, b, c, d = random.uniform(2, 40, 4)
    rgb = np.stack(
        [128 + 120 * np.sin(x / a), 128 + 120 * np.cos(y / b + x / c), 255 * ((x // d + y // a) % 2)], 2
    )
    rgb += random.normal(0, random.choice([0, 3, 60]), rgb.shape)
    return Image.fromarray(rgb.clip(0, 255).astype(np.uint8))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(path, samples, depth, colour, interlaced=False, more=b""):
    """Writes what Pillow cannot: 16 bits a sample, and Adam7. samples is (height, width, channels)."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for left, top, right, down in passes if interlaced else [(0, 0, 1, 1)]:
        part = samples[top::down, left::right]
        for row in part if part.shape[1] else []:
            rows += b"\0" + (row.astype(">u2").tobytes() if depth == 16 else row.astype(np.uint8).tobytes())
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(interlaced))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more)
        file.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def as_ycck(path):
    """Says in Adobe's marker of a CMYK JPEG that its inks are coded as YCCK."""
    with open(path, "r+b") as file:
        data = bytearray(file.read())
        at = data.index(b"\xff\xee") + 4
        assert data[at : at + 5] == b"Adobe" and data[at + 11] == 0
        data[at + 11] = 2
        file.seek(0)
        file.write(data)


def without_adobe(path):
    with open(path, "rb") as file:
        data = file.read()
    at = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[at + 2 : at + 4])[0]
    with open(path, "wb") as file:
        file.write(data[:at] + data[at + 2 + length :])


def jpegs(random, rgb, path):
    exif = Image.Exif()
    exif[274] = int(random.integers(1, 9))
    options = {
        "quality": int(random.integers(1, 101)),
        "subsampling": int(random.integers(0, 3)),
        "progressive": bool(random.integers(0, 2)),
        "optimize": bool(random.integers(0, 2)),
    }
    kind = int(random.integers(0, 8))
    if kind == 0:
        rgb.convert("L").save(path, **options)
    elif kind == 1:
        inks = rgb.convert("CMYK").tobytes()
        noise = random.integers(0, 60, len(inks)).astype(np.uint8)
        inks = np.frombuffer(inks, np.uint8) // 2 + noise
        Image.frombytes("CMYK", rgb.size, inks.tobytes()).save(path, **options)
        random.choice([lambda _: None, as_ycck, without_adobe])(path)
    elif kind == 2:
        rgb.save(path, **{**options, "subsampling": 0}, keep_rgb=True)
    elif kind == 3:
        rgb.save(path, **options, restart_marker_blocks=int(random.integers(1, 9)))
    else:
        rgb.save(path, **options, exif=exif)


def pngs(random, rgb, path):
    width, height = rgb.size
    kind = int(random.integers(0, 12))
    alpha = Image.fromarray(random.integers(0, 256, (height, width), dtype=np.uint8))
    deep = random.integers(0, 65536, (height, width, 4))
    palette = rgb.quantize(int(random.choice([2, 4, 13, 16, 200, 256])))
    if kind == 0:
        rgb.convert(str(random.choice(["1", "L", "RGB"]))).save(path)
    elif kind == 1:
        rgb.putalpha(alpha)
        rgb.convert(str(random.choice(["LA", "RGBA"]))).save(path)
    elif kind == 2:
        colours = len(palette.getcolors())
        palette.save(path, bits=max(1, 1 << max(0, math.ceil(math.log2(max(1, (colours - 1).bit_length()))))))
    elif kind == 3:
        palette.save(path, transparency=bytes(random.integers(0, 256, 16, dtype=np.uint8)))
    elif kind == 4:
        rgb.save(path, transparency=rgb.getpixel((0, 0)))
    elif kind == 5:
        rgb.convert("L").save(path, transparency=128)
    elif kind in (6, 7, 8, 9):
        channels, colour = [(1, 0), (2, 4), (3, 2), (4, 6)][kind - 6]
        png(path, deep[:, :, :channels], 16, colour, bool(random.integers(0, 2)))
        if kind == 6:
            return np.repeat((deep[:, :, :1] >> 8).astype(np.uint8), 3, 2)
    elif kind == 10:
        png(path, np.asarray(rgb), 8, 2, True)
    else:
        entries = random.integers(0, 256, 768, dtype=np.uint8).tobytes()
        places = random.integers(0, 256, (height, width, 1))
        png(path, places, 8, 3, bool(random.integers(0, 2)), chunk(b"PLTE", entries))
    return None


def webps(random, rgb, path):
    kind, quality = int(random.integers(0, 5)), int(random.integers(0, 101))
    alpha = Image.fromarray(random.integers(0, 256, rgb.size[::-1], dtype=np.uint8))
    if kind >= 2:
        rgb.putalpha(alpha)
    if kind == 4:
        rgb.save(path, save_all=True, append_images=[rgb.transpose(Image.Transpose.FLIP_LEFT_RIGHT)])
    else:
        rgb.save(path, lossless=kind % 2 == 1, quality=quality, method=int(random.integers(0, 5)))


def bmps(random, rgb, path):
    mode = str(random.choice(["1", "L", "P", "RGB", "RGBA"]))
    (rgb.quantize(200) if mode == "P" else rgb.convert(mode)).save(path)


def pnms(random, rgb, path):
    width, height = rgb.size
    kind = int(random.integers(0, 4))
    if kind < 3:
        rgb.convert(["1", "L", "RGB"][kind]).save(path)
        return
    largest = int(random.choice([1, 7, 100, 254, 256, 4095, 65535]))
    samples = random.integers(0, largest + 1, (height, width, 3))
    with open(path, "wb") as file:
        file.write(f"P6 # a comment\n{width}\t{height}\n{largest}\n".encode())
        file.write(samples.astype(">u2" if largest > 255 else np.uint8).tobytes())


# The endings are those of another kind now and then: what a file is, is told by its content.
KINDS = [
    (jpegs, [".jpg", ".JPEG", ".jpeg", ".png"], 240),
    (pngs, [".png", ".PNG", ".JPEG"], 220),
    (webps, [".webp", ".jpg"], 100),
    (bmps, [".bmp"], 40),
    (pnms, [".ppm", ".pgm", ".pbm"], 60),
]


def make(folder):
    """Returns [(name, pixels or None)]."""
    made = []
    for number, (write, endings, count) in enumerate(KINDS):
        for i in range(count):
            random = np.random.default_rng(number * 10000 + i)
            large = random.integers(0, 4) == 0
            width, height = (int(n) for n in random.integers(1, 900 if large else 260, 2))
            name = f"{write.__name__}{i}{endings[i % len(endings)]}"
            path = os.path.join(folder, name)
            with open(path, "wb"):
                pass
            made.append((name, save(write, random, scene(random, width, height), path)))
    return made


def save(write, random, rgb, path):
    """Pillow picks the format by the ending, which is not to be."""
    proper = path + {jpegs: ".jpg", pngs: ".png", webps: ".webp", bmps: ".bmp", pnms: ".ppm"}[write]
    pixels = write(random, rgb, proper)
    os.replace(proper, path)
    return pixels


def unpack(tars, folder):
    made = []
    for path in tars:
        with tarfile.open(path) as tar:
            for member in tar.getmembers():
                if not member.isfile() or not member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                    continue
                name = f"{os.path.basename(path)}-{len(made)}" + os.path.splitext(member.name)[1]
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(tar.extractfile(member).read())
                made.append((name, None))
    return made


# ---- comparison ----


def resize(image, width, height, kind):
    """Horizontally, then vertically."""
    return image.resize((width, image.height), kind).resize((width, height), kind)


def frame(image, side, rule, kind, crop):
    """torchvision's Resize and CenterCrop, as timm sets them up."""
    edge = math.floor(side / crop)
    width = height = edge
    if rule == "short-side":
        short, long = min(image.size), max(image.size)
        longer = int(edge * long / short)
        width, height = (edge, longer) if image.width <= image.height else (longer, edge)
    resized = resize(image, width, height, kind)
    left, top = round((width - side) / 2), round((height - side) / 2)
    return resized.crop((left, top, left + side, top + side))


def expected_pixels(folder, name, pixels):
    if pixels is not None:
        return Image.fromarray(pixels)
    with Image.open(os.path.join(folder, name)) as image:
        return image.convert("RGB")


def main():
    program, tars = sys.argv[1], sys.argv[2:]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        made = make(folder) + unpack(tars, folder)
        with open(os.path.join(folder, "list.txt"), "w", encoding="ascii") as file:
            file.writelines(name + "\n" for name, _ in made)
        images = [expected_pixels(folder, name, pixels) for name, pixels in made]
        for side, rule, interpolation, crop in FRAMINGS:
            out = os.path.join(folder, "out")
            spec = "list:" + os.path.join(folder, "list.txt")
            subprocess.run([program, spec, str(side), rule, interpolation, crop, out], check=True)
            squares = np.memmap(out, np.uint8, "r").reshape(len(made), side, side, 3)
            with open(out + ".txt", encoding="utf-8") as file:
                lines = file.read().splitlines()
            differing = 0
            for (name, _), image, square, line in zip(made, images, squares, lines):
                digest = hashlib.sha256(image.tobytes()).hexdigest()
                if line != f"{image.width} {image.height} {digest}":
                    print(f"{name}: decoded as {line}, by Pillow {image.size} {digest}")
                    wrong += 1
                square_of = np.asarray(frame(image, side, rule, FILTERS[interpolation], float(crop)))
                bytes_off = int((square_of != square).sum())
                if bytes_off:
                    print(f"{name}: {side} {rule} {interpolation} {crop}: {bytes_off} bytes differ")
                differing += bytes_off
            wrong += differing > 0
            print(f"{len(made)} pictures, {side} {rule} {interpolation} {crop}: {differing} bytes differ")
    print(f"Pillow {PIL.__version__}: {'differs' if wrong else 'no byte differs'}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()

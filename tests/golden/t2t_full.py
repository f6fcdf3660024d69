#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Logits of whole T2T-ViT networks with 1000 classes, by sft-vk and by PyTorch in float64, side by side.

    python3 tests/golden/t2t_full.py build/tools/sft-vk [DEVICE]

(PyTorch 2, NumPy and safetensors.) Weights are PyTorch's own random ones, images are random; both lie in a
temporary folder. The last row is a file of 224 pixels at 384, against torch.nn.functional.interpolate.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import t2t

ROWS = (("t2t_vit_24", 224, 2), ("t2t_vit_t_24", 224, 2), ("t2t_vit_24", 384, 1))


def resize(model, side):
    grid, width = grid_side(model), model.pos_embed.shape[2]
    places = model.pos_embed[:, 1:].reshape(1, grid, grid, width).permute(0, 3, 1, 2)
    places = F.interpolate(places, size=(side // 16, side // 16), mode="bicubic", align_corners=False)
    places = torch.cat([model.pos_embed[:, :1], places.flatten(2).transpose(1, 2)], 1)
    model.pos_embed = torch.nn.Parameter(places, requires_grad=False)


def grid_side(model):
    return int(round((model.pos_embed.shape[1] - 1) ** 0.5))


def main():
    tool, device = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "cpu"
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        for name, side, n in ROWS:
            torch.manual_seed(0)
            model = t2t.build(name, 224, 1000).float().eval()
            torch.nn.init.normal_(model.cls_token, std=0.02)
            save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path("w.safetensors"))
            images = torch.randn(n, 3, side, side)
            np.save(path("x.npy"), images.permute(0, 2, 3, 1).contiguous().numpy())
            words = ["predict", "--weights", path("w.safetensors"), "--input", path("x.npy"), "--output", "logits"]
            words += ["--out", path("z.npy"), "--device", device, "--batch", "1", "--img-size", str(side), "--quiet", "--overwrite"]
            subprocess.run([tool] + words, check=True, stdout=subprocess.DEVNULL)
            with torch.no_grad():
                model.double()
                if side != 224:
                    resize(model, side)
                expected = model(images.double()).numpy()
            found = np.load(path("z.npy"))
            distance = np.abs(found - expected).max() / np.abs(expected).max()
            print(f"{name:13s} {side} pixels, {n} images on {device}: max |dz| / max |z| = {distance:.1e}", flush=True)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small checkpoints of the kinds that people have, and what is in them by the libraries that own the formats.

    python3 tests/golden/checkpoints.py            writes tests/golden/checkpoints/ (torch >= 2.3, safetensors)
    python3 tests/golden/checkpoints.py check FILE...   compares files of one model with each other

manifest.json says for each file the dictionary that is chosen, the prefix of all names, and each tensor's type,
shape and SHA-256 of its values as float32 in row-major order, taken from the tensors before they were saved; or
the words that a refusal has to say. `check` reads files with torch.load(weights_only=True), numpy.load() and
safetensors, each as its format has it, and fails unless all hold the same tensors bit for bit.
"""

import argparse
import collections
import datetime
import hashlib
import io
import json
import os
import pathlib
import pickle
import shutil
import struct
import sys
import tarfile
import zipfile

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "checkpoints")
ENTRIES = []
NAMES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
    torch.bool: "BOOL", torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
}


def weights(seed=1):
    """A few tensors; every kind of name that a network has."""
    g = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=g)
    return collections.OrderedDict(
        [
            ("conv1.weight", draw(4, 3, 3, 3)),
            ("bn1.weight", 1 + 0.1 * draw(4)),
            ("bn1.running_var", draw(4).abs()),
            ("bn1.num_batches_tracked", torch.tensor(7)),
            ("fc.weight", draw(5, 4)),
        ]
    )


def values(tensor):
    return tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def path_of(name):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def described(tensors, dtypes=None):
    return [
        {"name": k, "dtype": (dtypes or {}).get(k) or NAMES[v.dtype], "shape": list(v.shape),
         "sha256_f32": sha(values(v))}
        for k, v in tensors.items()
    ]


def loads(name, tensors, choose=None, prefix="", says=None, dtypes=None, open_as=None):
    ENTRIES.append({"file": open_as or name, "choose": choose, "prefix": prefix, "says": says or [],
                    "tensors": described(tensors, dtypes)})


def refuses(name, *says):
    ENTRIES.append({"file": name, "says": list(says)})


def prefixed(tensors, prefix):
    return collections.OrderedDict((prefix + k, v) for k, v in tensors.items())


def write(name, data):
    with open(path_of(name), "wb") as file:
        file.write(data)


def read(name):
    with open(path_of(name), "rb") as file:
        return file.read()


def zipped(members, compression=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as z:
        for name, data in members:
            z.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return out.getvalue()


def members_of(name):
    with zipfile.ZipFile(path_of(name)) as z:
        return [(n, z.read(n)) for n in z.namelist()]


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(2, 3)

    def forward(self, x):
        return self.fc(x)


class Marked(torch.Tensor):
    """A subclass: saved by _rebuild_from_type_v2."""


class Harm:
    def __reduce__(self):
        return (os.system, ("touch hostile_ran",))


# ---- PyTorch ----


def views():
    base = torch.arange(60, dtype=torch.float32)
    w = weights()
    return collections.OrderedDict(
        [
            ("channels_last", w["conv1.weight"].to(memory_format=torch.channels_last)),
            ("transposed", w["fc.weight"].t()),
            ("part", base[7:27].reshape(4, 5)[:, 1:4]),
            ("tied.a", base[30:36]),
            ("tied.b", base[30:36].reshape(2, 3)),
            ("expanded", base[3:6].unsqueeze(0).expand(4, 3)),
            ("empty", torch.zeros(0, 3)),
            ("scalar", torch.tensor(2.5)),
        ]
    )


def every_dtype():
    numbers = torch.tensor([0, 1, 2, 100, 127])
    out = collections.OrderedDict((str(d).split(".")[1], numbers.to(d)) for d in NAMES if d not in (
        torch.uint16, torch.uint32, torch.uint64))
    out["int16"], out["int8"] = -out["int16"], -out["int8"]
    for d in (torch.uint16, torch.uint32, torch.uint64):
        out[str(d).split(".")[1]] = numbers.to(d)  # these need _rebuild_tensor_v3
    return out


def training(tensors, **others):
    state = {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/tmp"), when=datetime.date(2020, 1, 2)),
        "state_dict": prefixed(tensors, "module."),
        "best": torch.tensor(71.5),
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3), "step": torch.tensor(5.0)}},
                      "param_groups": [{"lr": 0.1, "params": [0]}]},
        "loss": np.float64(1.5),
        "curve": np.arange(3.0),
        "size": torch.Size([3, 4]),
        "seen": {1, 2},
        "none": None,
        "big": 1 << 80,
        "minus": -5,
        "pairs": collections.defaultdict(list, {"a": [1, (2, 3)]}),
    }
    state.update(others)
    return state


def old_rebuild(tensors):
    """As PyTorch 0.3 wrote it in Python 2: _rebuild_tensor of four arguments, OrderedDict of a list of pairs."""
    storages = []

    class Pickler(pickle._Pickler):
        def persistent_id(self, obj):
            if not isinstance(obj, Storage):
                return None
            storages.append(obj)
            return ("storage", torch.FloatStorage, obj.key, "cpu", obj.values.numel(), None)

    class Storage:
        def __init__(self, key, values):
            self.key, self.values = key, values

    class Call:
        def __init__(self, function, args):
            self.call = (function, args)

        def __reduce__(self):
            return self.call

    made = []
    for number, (name, tensor) in enumerate(tensors.items()):
        storage = Storage(str(9000 - number), tensor)  # the order of the keys is not that of the names
        made.append([name, Call(torch._utils._rebuild_tensor, (storage, 0, tuple(tensor.shape), tensor.stride()))])
    out = io.BytesIO()
    for thing in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(thing, out, 2)
    Pickler(out, 2).dump({"state_dict": Call(collections.OrderedDict, (made,))})
    keys = sorted(s.key for s in storages)
    pickle.dump(keys, out, 2)
    for key in keys:
        tensor = next(s.values for s in storages if s.key == key)
        out.write(struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes())
    return out.getvalue()


def make_torch():
    w = weights()
    torch.save(w, path_of("plain.pth"))
    loads("plain.pth", w, "")
    torch.save(w, path_of("legacy.pth"), _use_new_zipfile_serialization=False)
    loads("legacy.pth", w, "")
    torch.save(views(), path_of("views.pth"))
    loads("views.pth", views(), "")
    torch.save(views(), path_of("views.legacy.pth"), _use_new_zipfile_serialization=False)
    loads("views.legacy.pth", views(), "")
    torch.save(every_dtype(), path_of("dtypes.pth"))
    loads("dtypes.pth", every_dtype(), "")
    for protocol in (3, 4, 5):
        torch.save({"model": w}, path_of(f"protocol{protocol}.pth"), pickle_protocol=protocol,
                   _use_new_zipfile_serialization=protocol % 2 == 0)
        loads(f"protocol{protocol}.pth", w, "model")
    ema = prefixed(weights(2), "module._orig_mod.")
    torch.save(training(w, state_dict_ema=ema), path_of("training.pth.tar"))
    loads("training.pth.tar", ema, "state_dict_ema", "module._orig_mod.", ["state_dict_ema", '"state_dict" (5'])
    ENTRIES.append({"file": "training.pth.tar#state_dict", "choose": "state_dict", "prefix": "module.", "says": [],
                    "tensors": described(prefixed(w, "module."))})
    refuses("training.pth.tar#optimizer", 'nothing under "optimizer"', '"state_dict" (5')
    refuses("plain.pth#model", 'nothing under "model"')
    torch.save(training(w), path_of("training.legacy.pth.tar"), _use_new_zipfile_serialization=False)
    loads("training.legacy.pth.tar", prefixed(w, "module."), "state_dict", "module.")
    write("old.th", old_rebuild(collections.OrderedDict(
        (k, v) for k, v in prefixed(w, "module.").items() if v.dtype == torch.float32)))
    loads("old.th", {k: v for k, v in prefixed(w, "module.").items() if v.dtype == torch.float32}, "state_dict",
          "module.")
    parameters = collections.OrderedDict((k, torch.nn.Parameter(v)) for k, v in w.items() if v.is_floating_point())
    parameters["marked"] = torch.arange(3.0).as_subclass(Marked)
    torch.save({"net": parameters}, path_of("parameters.pth"))
    loads("parameters.pth", parameters, "net")
    torch.save({"teacher": w, "student": weights(2)}, path_of("two.pth"))
    refuses("two.pth", '"teacher" (5', '"student" (5', "two.pth#KEY")
    torch.save({"run": {"weights": w}}, path_of("nested.pth"))
    loads("nested.pth", w, "run/weights")
    ENTRIES.append({"file": "nested.pth#run/weights", "choose": "run/weights", "prefix": "", "says": [],
                    "tensors": described(w)})
    torch.save(Net(), path_of("whole.pth"))
    refuses("whole.pth", "whole model", "class __main__.Net", "model.state_dict()")
    torch.save({"model": Net()}, path_of("whole.legacy.pth"), _use_new_zipfile_serialization=False)
    refuses("whole.legacy.pth", "whole model", "class __main__.Net")
    torch.save([1, 2], path_of("list.pth"))
    refuses("list.pth", "no dictionary of tensors")
    torch.save({"state_dict": w, "x": Harm()}, path_of("hostile.pth"))
    loads("hostile.pth", w, "state_dict", says=["asks for posix.system", "was not done"])
    torch.jit.script(Net()).save(path_of("script.pt"))
    shrunk = [(n, d if "debug" not in n else b"") for n, d in members_of("script.pt")]
    write("script.pt", zipped([m for m in shrunk if "debug" not in m[0]], zipfile.ZIP_DEFLATED))
    refuses("script.pt", "a TorchScript program")
    write("exported.pt2", zipped([("m/archive_format", b"pt2"), ("m/models/model.json", b"{}")]))
    refuses("exported.pt2", "m/models/model.json")
    write("deflated.pth", zipped([("a b/c/" + n.split("/", 1)[1], d) for n, d in members_of("plain.pth")],
                                 zipfile.ZIP_DEFLATED))
    loads("deflated.pth", w, "")
    big = []
    for name, data in members_of("plain.pth"):
        width = 8 if data == struct.pack("<q", 7) else 4
        if name.endswith("/byteorder"):
            data = b"big"
        elif "/data/" in name:
            data = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
        big.append((name, data))
    write("big_endian.pth", zipped(big))
    loads("big_endian.pth", w, "")
    with tarfile.open(path_of("real.tar"), "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in (("README", b"weights"), ("w/plain.pth", read("plain.pth"))):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    loads("real.tar", w, "", says=["w/plain.pth in it is read"])
    write("zip_of_pth.zip", zipped([("s0/best.ckpt", read("plain.pth")), ("s0/config.yml", b"x")],
                                   zipfile.ZIP_DEFLATED))
    refuses("zip_of_pth.zip", "a zip archive without", "s0/best.ckpt, s0/config.yml", "unpack it")
    write("cut.pth", read("plain.pth")[:-100])
    refuses("cut.pth", "cut off")
    write("cut.legacy.pth", read("legacy.pth")[:-100])
    refuses("cut.legacy.pth", "cut off or damaged", "download it again")


# ---- files that ask for too much ----


def legacy_of(state, storages):
    out = io.BytesIO()
    for thing in (0x1950A86A20F9469CFC6C, 1001, {}):
        pickle.dump(thing, out, 2)
    out.write(state)
    pickle.dump([k for k, _, _ in storages], out, 2)
    for _, count, data in storages:
        out.write(struct.pack("<q", count) + data)
    return out.getvalue()


def tensor_pickle(elements, offset, sizes, strides):
    """A state dict of one tensor, by hand."""
    number = lambda n: b"\x8a\x08" + struct.pack("<q", n)
    ints = lambda numbers: b"(" + b"".join(map(number, numbers)) + b"t"
    storage = b"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpu" + number(elements) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset) + ints(sizes) + ints(strides)
    return b"\x80\x02}U\x01a" + tensor + b"\x89}tRs."


def make_hostile():
    data = b"\0" * 32
    hostile = {
        "range": (tensor_pickle(8, 5, (4,), (1,)), 8, "reaches beyond its storage 0"),
        "stride": (tensor_pickle(8, 0, (3, 2), (4, 1)), 8, "reaches beyond its storage 0"),
        "overflow": (tensor_pickle(8, 0, (2**40, 2**40), (2**40, 1)), 8, "no valid shape"),
        "reach": (tensor_pickle(8, 2**62, (3,), (2**62,)), 8, "reaches beyond its storage 0"),
        "expanded": (tensor_pickle(8, 0, (2**40,), (0,)), 8, "out of 8 that are stored"),
        "negative": (tensor_pickle(8, 0, (-4,), (1,)), 8, "not described as such"),
        "claims": (tensor_pickle(9, 0, (4,), (1,)), 8, "claims 9 elements"),
        "count": (tensor_pickle(8, 0, (4,), (1,)), 2**61, "claims 2305843009213693952 elements"),
        "memo": (b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b".", 8, "places in its memo"),
        "unput": (b"\x80\x02h\x05.", 8, "what was not put there"),
        "underflow": (b"\x80\x02(0s.", 8, "more from its stack"),
        "length": (b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b".", 8, "more bytes than are there"),
        "opcode": (b"\x80\x02\xff.", 8, "no opcode"),
        "odd": (b"\x80\x02}(U\x01au.", 8, "a key without a value"),
        "protocol": (b"\x80\x06}.", 8, "2 to 5"),
    }
    for name, (state, count, says) in hostile.items():
        write(f"hostile_{name}.pth", legacy_of(state, [("0", count, data)]))
        refuses(f"hostile_{name}.pth", says)
    lying = bytearray(zipped([("a.npy", npy(np.zeros(4, "f4")))], zipfile.ZIP_DEFLATED))
    entry = lying.index(b"PK\1\2")
    lying[entry + 24 : entry + 28] = struct.pack("<I", 2**30)
    write("hostile_inflates.npz", bytes(lying))
    refuses("hostile_inflates.npz", "claims to inflate")
    lying[entry + 24 : entry + 28] = struct.pack("<I", 200)
    write("hostile_inflated.npz", bytes(lying))
    refuses("hostile_inflated.npz", "does not inflate to its 200 bytes")
    wrong = bytearray(zipped([("a.npy", npy(np.zeros(4, "f4")))]))
    wrong[wrong.index(b"PK\1\2") - 1] ^= 1
    write("hostile_checksum.npz", bytes(wrong))
    refuses("hostile_checksum.npz", "another checksum")


# ---- NumPy ----


def npy(array, **options):
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array), **options)
    return out.getvalue()


def make_numpy():
    w = weights()
    arrays = {k: v.numpy() for k, v in w.items()}
    np.savez(path_of("plain.npz"), **arrays)
    loads("plain.npz", w)
    np.savez_compressed(path_of("deflated.npz"), **arrays)
    loads("deflated.npz", w)
    grid = w["fc.weight"].numpy()
    odd = {
        "big": grid.astype(">f4"), "half": grid.astype("<f2"), "double": grid.astype(">f8"),
        "resnet/block1/unit01/a/kernel": np.asfortranarray(w["conv1.weight"].numpy()),
        "scalar": np.float32(3.5), "none": np.zeros((2, 0), "f4"), "long": np.array([-1, 2]),
        "short": np.array([-3], ">i2"), "flag": np.array([True, False]), "byte": np.array([-4, 4], "i1"),
    }
    objects = {"labels": np.array([{"a": 1}], dtype=object), "texts": np.array(["cat", "dog"])}
    np.savez(path_of("odd.npz"), **odd, **objects)
    tensors = {k: torch.from_numpy(np.ascontiguousarray(v).astype("f4").reshape(v.shape)) for k, v in odd.items()}
    names = {"big": "F32", "half": "F16", "double": "F64", "long": "I64", "short": "I16", "flag": "BOOL", "byte": "I8"}
    loads("odd.npz", tensors, says=["array labels is left out", "array texts is left out"], dtypes=names)
    write("v2.npz", zipped([("a.npy", npy(grid, version=(2, 0)))]))
    loads("v2.npz", {"a": w["fc.weight"]})


# ---- several files ----


def make_sharded():
    from safetensors.torch import save_file

    w = weights()
    items = list(w.items())
    halves = [dict(items[:3]), dict(items[3:])]
    for kind, save in (("safetensors", save_file), ("bin", torch.save)):
        stem = "model" if kind == "safetensors" else "pytorch_model"
        weight_map = {}
        for i, half in enumerate(halves):
            name = f"{stem}-0000{i + 1}-of-00002.{kind}"
            save(half, path_of(f"sharded_{kind}/{name}"))
            weight_map.update({k: name for k in half})
        index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
        write(f"sharded_{kind}/{stem}.{kind}.index.json", json.dumps(index).encode())
        write(f"sharded_{kind}/config.json", b'{"architecture": "resnetv2_50x1_bit"}')
        loads(f"sharded_{kind}/{stem}.{kind}.index.json", w)
        loads(f"sharded_{kind}", w)
        ENTRIES[-1]["config"] = '{"architecture": "resnetv2_50x1_bit"}'
    index["weight_map"]["fc.weight"] = "pytorch_model-00003-of-00002.bin"
    write("sharded_bin/missing.index.json", json.dumps(index).encode())
    refuses("sharded_bin/missing.index.json", "its part pytorch_model-00003-of-00002.bin is missing")
    index["weight_map"]["fc.weight"] = "../plain.pth"
    write("sharded_bin/outside.index.json", json.dumps(index).encode())
    refuses("sharded_bin/outside.index.json", "not said to be in a file beside the index")
    index["weight_map"]["fc.weight"] = "pytorch_model-00001-of-00002.bin"
    write("sharded_bin/wrong.index.json", json.dumps(index).encode())
    refuses("sharded_bin/wrong.index.json", "tensor fc.weight is not in pytorch_model-00001-of-00002.bin")
    index["weight_map"] = {"a": "wrong.index.json"}
    write("sharded_bin/self.index.json", json.dumps(index).encode())
    refuses("sharded_bin/self.index.json", "is a JSON text")


def hash_of(entry):
    """Of a file its own; of several, that of the list of them, as sha256sum prints it."""
    name = entry["file"].split("#")[0]
    name = {"sharded_safetensors": name + "/model.safetensors.index.json",
            "sharded_bin": name + "/pytorch_model.bin.index.json"}.get(name, name)
    if not name.endswith(".index.json"):
        return sha(read(name))
    parts = sorted(set(json.loads(read(name))["weight_map"].values()))
    folder = os.path.dirname(name)
    lines = [f"{sha(read(os.path.join(folder, n)))}  {n}\n" for n in [os.path.basename(name)] + parts]
    return sha("".join(lines).encode())


# ---- comparing files that were written elsewhere ----


def load(path):
    if path.endswith(".npz"):
        return {k: torch.from_numpy(v) for k, v in np.load(path).items()}
    if path.endswith(".safetensors"):
        from safetensors.torch import load_file

        return load_file(path)
    state = torch.load(path, weights_only=True)
    return state.get("state_dict", state.get("model", state))


def check(paths):
    first = load(paths[0])
    for path in paths[1:]:
        other = load(path)
        if sorted(first) != sorted(other):
            sys.exit(f"{path}: other names than {paths[0]}")
        for name in first:
            a, b = first[name], other[name]
            if a.shape != b.shape or values(a) != values(b):
                sys.exit(f"{path}: {name} differs from {paths[0]}")
    print(f"{len(paths)} files with the same {len(first)} tensors")


def main():
    if sys.argv[1:2] == ["check"]:
        return check(sys.argv[2:])
    shutil.rmtree(OUT, ignore_errors=True)
    make_torch()
    make_hostile()
    make_numpy()
    make_sharded()
    for entry in ENTRIES:
        if "tensors" in entry:
            entry["sha256"] = hash_of(entry)
    write("manifest.json", json.dumps(ENTRIES, indent=1).encode() + b"\n")


if __name__ == "__main__":
    main()

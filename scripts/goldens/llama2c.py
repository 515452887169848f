"""Goldens for version 2 of llama2.c's files: two small models with random weights, and the logits of a row of tokens.

    python scripts/goldens/llama2c.py [STORIES.bin OUTPUT.bin]        (needs numpy; writes test/goldens/meta/llama2c/*)

The format is that of version2_export in llama2.c's export.py at 350e04f: norms in float32, then each matrix in whole numbers
of eight bits and the scales of its groups, which are cut from the matrix's numbers whatever its rows are. Logits are run.c's
arithmetic in float64 on the numbers that the file has. With two paths a file of version 0 is written as one of version 2.
"""

import json
import pathlib
import struct
import sys

import numpy as np

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/meta/llama2c"
NAMES = ["wq", "wk", "wv", "wo", "w1", "w2", "w3"]
SEED = 7


def shapes(dim: int, inner: int, heads: int, keys: int) -> dict[str, tuple[int, int]]:
    narrow = dim // heads * keys
    return {"wq": (dim, dim), "wk": (narrow, dim), "wv": (narrow, dim), "wo": (dim, dim),
            "w1": (inner, dim), "w2": (dim, inner), "w3": (inner, dim)}


def quantised(weight: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray]:
    rows = weight.astype(np.float32).reshape(-1, group)
    scales = np.abs(rows).max(1) / np.float32(127)
    return np.rint(rows / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def write(path: pathlib.Path, header: tuple[int, ...], model: dict[str, np.ndarray], group: int) -> dict[str, np.ndarray]:
    """Writes the file; gives the weights as it has them."""
    dim, _, layers, _, _, _, _ = header
    shared = "output" not in model
    head = struct.pack("Ii7iBi", 0x616B3432, 2, *header, 0, 0)[:36] + struct.pack("<B", shared) + struct.pack("<i", group)
    parts, read = [head.ljust(256, b"\0")], {}
    for name in ["attention_norm", "ffn_norm", "norm"]:
        parts.append(model[name].astype(np.float32).tobytes())
        read[name] = model[name].astype(np.float64)
    order = [("table", None)] + [(name, i) for name in NAMES for i in range(layers)] + ([] if shared else [("output", None)])
    for name, layer in order:
        weight = model[name] if layer is None else model[name][layer]
        whole, scales = quantised(weight, group)
        parts += [whole.tobytes(), scales.tobytes()]
        wide = (whole.astype(np.float32) * scales[:, None]).astype(np.float64).reshape(weight.shape)
        if layer is None:
            read[name] = wide
        else:
            read.setdefault(name, []).append(wide)
    path.write_bytes(b"".join(parts))
    return read


def logits(header: tuple[int, ...], model: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    dim, _, layers, heads, keys, _, _ = header
    size = dim // heads

    def rms(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight

    def turn(x: np.ndarray) -> np.ndarray:
        angles = np.arange(len(x))[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size)
        c, s, pairs = np.cos(angles)[:, None], np.sin(angles)[:, None], x.reshape(len(x), -1, size // 2, 2)
        first, second = pairs[..., 0], pairs[..., 1]
        return np.stack([first * c - second * s, first * s + second * c], -1).reshape(len(x), -1, size)

    x = model["table"][ids]
    hidden = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
    for i in range(layers):
        h = rms(x, model["attention_norm"][i])
        q, k = turn(h @ model["wq"][i].T), turn(h @ model["wk"][i].T)
        v = (h @ model["wv"][i].T).reshape(len(ids), keys, size)
        joined = []
        for head in range(heads):
            of = head // (heads // keys)
            scores = q[:, head] @ k[:, of].T / np.sqrt(size) + hidden
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            joined.append(shares / shares.sum(-1, keepdims=True) @ v[:, of])
        x = x + np.concatenate(joined, -1) @ model["wo"][i].T
        h = rms(x, model["ffn_norm"][i])
        gate = h @ model["w1"][i].T
        x = x + (gate / (1 + np.exp(-gate)) * (h @ model["w3"][i].T)) @ model["w2"][i].T
    return rms(x, model["norm"]) @ model.get("output", model["table"]).T


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    cases = []
    # In the second, groups of 32 go over the ends of w2's rows of 44.
    for name, inner, group, shared in [("shared", 48, 16, True), ("rows", 44, 32, False)]:
        draw = np.random.default_rng(SEED)
        header = (32, inner, 2, 4, 2, 24, 16)
        model = {key: draw.normal(0, 0.3, (2, *shape)) for key, shape in shapes(32, inner, 4, 2).items()}
        model |= {"table": draw.normal(0, 1, (24, 32)), "norm": draw.normal(1, 0.1, 32)}
        model |= {key: draw.normal(1, 0.1, (2, 32)) for key in ["attention_norm", "ffn_norm"]}
        if not shared:
            model["output"] = draw.normal(0, 0.3, (24, 32))
        read = write(OUT / f"{name}.bin", header, model, group)
        ids = draw.integers(0, 24, 12).tolist()
        found = logits(header, read, ids)
        cases.append({"name": name, "ids": ids, "logits": [round(float(x), 5) for x in found.flatten()]})
    versions = {"numpy": np.__version__, "seed": SEED}
    (OUT / "goldens.json").write_text(json.dumps({"versions": versions, "cases": cases}) + "\n")


def convert(source: str, output: str, group: int = 64) -> None:
    data = pathlib.Path(source).read_bytes()
    header = struct.unpack("7i", data[:28])
    dim, inner, layers, heads, keys, vocabulary, _ = header
    numbers, at = np.frombuffer(data[28:], np.float32), 0

    def take(*shape: int) -> np.ndarray:
        nonlocal at
        at += int(np.prod(shape))
        return numbers[at - int(np.prod(shape)) : at].reshape(shape)

    model, each = {"table": take(vocabulary, dim), "attention_norm": take(layers, dim)}, shapes(dim, inner, heads, keys)
    for name in NAMES[:4]:
        model[name] = take(layers, *each[name])
    model["ffn_norm"] = take(layers, dim)
    for name in NAMES[4:]:
        model[name] = take(layers, *each[name])
    model["norm"] = take(dim)
    write(pathlib.Path(output), header, model, group)


if len(sys.argv) == 3:
    convert(*sys.argv[1:])
else:
    main()

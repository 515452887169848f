"""Goldens for ggml's blocks of few bits: random bytes of each type, what gguf-py makes of them, and its quantisation.

    python scripts/goldens/gguf-blocks.py        (needs gguf 0.18 and numpy; writes test/goldens/gguf/blocks.json)
"""

import base64
import importlib.metadata
import json
import pathlib

import gguf
import numpy as np

SEED = 20261126
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/gguf"
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"]
# Where a block's half-precision scales lie: random bytes there would often be NaN or infinite.
SCALES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def text(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def main() -> None:
    draw = np.random.default_rng(SEED)
    result = {"versions": {"gguf": importlib.metadata.version("gguf"), "numpy": np.__version__, "seed": SEED}, "widened": {}, "narrowed": {}}
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        count = 1024 // values
        blocks = draw.integers(0, 256, (count, size), dtype=np.uint8)
        for at in SCALES[name]:
            scale = (draw.standard_normal(count) * 10.0 ** draw.integers(-6, 2, count)).astype(np.float16)
            blocks[:, at : at + 2] = scale.view(np.uint8).reshape(count, 2)
        result["widened"][name] = {"bytes": text(blocks), "float32": text(gguf.dequantize(blocks.reshape(1, -1), kind))}
    numbers = (draw.standard_normal((4, 512)) * 10.0 ** draw.integers(-8, 3, (4, 1))).astype(np.float32)
    numbers[0, :32] = 0
    numbers[1, :32] = 0.5 * np.arange(-16, 16)  # halves, and two numbers as large
    numbers[2, 5] = -0.0
    result["numbers"] = text(numbers)
    for name in ["Q8_0", "Q4_0"]:
        result["narrowed"][name] = text(gguf.quantize(numbers, gguf.GGMLQuantizationType[name]))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "blocks.json").write_text(json.dumps(result) + "\n")


main()

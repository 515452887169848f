"""Weights of several kinds and the squared error that llama.cpp's Q4_0 and Q8_0 make of each row, by gguf's quantiser.

    python scripts/goldens/grouped.py test/goldens/grouped

Written: weights.safetensors (float32 [16, 256] each) and errors.json. Versions: gguf 0.19, numpy, safetensors.
"""

import json
import pathlib
import sys
from importlib.metadata import version

import numpy
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from safetensors.numpy import save_file

SEED = 11
SHAPE = (16, 256)


def weights():
    draw = numpy.random.default_rng(SEED)
    heavy = draw.standard_t(3, SHAPE) * 0.02
    columns = draw.standard_normal(SHAPE) * 0.02
    columns[:, 17] *= 40
    gaps = draw.standard_normal(SHAPE) * 0.02
    gaps[:, :64] = 0
    return {
        "normal": draw.standard_normal(SHAPE) * 0.02,
        "uniform": draw.uniform(-0.1, 0.1, SHAPE),
        "heavy": heavy,
        "shifted": draw.standard_normal(SHAPE) * 0.02 + 0.03,
        "columns": columns,
        "gaps": gaps,
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.astype(numpy.float32) for name, value in weights().items()}
    save_file(tensors, folder / "weights.safetensors")
    errors = {}
    for name, value in tensors.items():
        for kind in ("Q4_0", "Q8_0"):
            type = GGMLQuantizationType[kind]
            rest = value.astype(numpy.float64) - dequantize(quantize(value, type), type).astype(numpy.float64)
            errors.setdefault(kind, {})[name] = (rest**2).sum(axis=1).tolist()
    written = {"gguf": version("gguf"), "seed": SEED, "errors": errors}
    (folder / "errors.json").write_text(json.dumps(written, indent=1) + "\n")


main()

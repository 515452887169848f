"""Goldens for GGUF: what llama.cpp computes from the files that Galen writes of the tiny models in test/goldens/llama.

    python scripts/goldens/gguf.py        (needs llama-cpp-python and node; writes test/goldens/gguf/llama-cpp.json)

Galen's files have the same bytes every time, so that a test compares their SHA-256 with the one recorded here, and what
Galen itself computes with what llama.cpp did: logits of one row after another, and ids of greedy search. llama.cpp keeps
keys and values in float32 here, and quantises activations to eight bits where weights are.
"""

import hashlib
import importlib.metadata
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from llama_cpp import Llama

ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test/goldens/gguf"
CASES = ["llama", "eight-heads", "llama3", "linear", "yarn", "mistral", "qwen2", "qwen3"]
CONVERT = """
import { convertModel } from "./src/convert.ts";
const [source, output, type] = process.argv.slice(1);
await convertModel({ source, output, to: "gguf", type });
"""


def convert(source: pathlib.Path, output: pathlib.Path, kind: str) -> None:
    node = ROOT / "node_modules/.bin/node"
    command = [node, "--input-type=module", "-e", CONVERT, source, output, kind]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    result = {"versions": {"llama-cpp-python": importlib.metadata.version("llama-cpp-python")}, "cases": []}
    with tempfile.TemporaryDirectory() as folder:
        for name in CASES:
            golden = json.loads((ROOT / f"test/goldens/llama/{name}/goldens.json").read_text())
            for kind in ["f32", "f16"]:
                path = pathlib.Path(folder) / f"{name}-{kind}.gguf"
                convert(ROOT / f"test/goldens/llama/{name}/model", path, kind)
                model = Llama(str(path), n_ctx=64, logits_all=True, verbose=False, n_threads=1, type_k=0, type_v=0)
                row = golden["ids"][0]
                model.eval(row)
                logits = model.scores[: len(row)].copy()
                greedy = row[:3]
                while len(greedy) < 12 and greedy[-1] != 2:
                    model.reset()
                    model.eval(greedy)
                    greedy = greedy + [int(np.argmax(model.scores[len(greedy) - 1]))]
                result["cases"].append({
                    "name": name, "type": kind, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "ids": row,
                    "logits": [round(float(x), 4) for x in logits.flatten()], "greedy": greedy,
                })
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "llama-cpp.json").write_text(json.dumps(result) + "\n")


main()

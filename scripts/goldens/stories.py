"""Golden for stories260K, llama2.c's model: what it continues <s> by, by transformers and llama.cpp.

    python scripts/goldens/stories.py        (needs transformers, llama-cpp-python, node and ../shared; writes test/goldens/meta/stories.json)

The tokenizer is not there, so that ids are compared: 100 after <s>. A few lines of numpy that read the file as llama2.c's
run.c does give the same ids.
"""

import importlib.metadata
import json
import pathlib
import struct
import subprocess
import tempfile

import numpy as np
import torch
import transformers
from llama_cpp import Llama

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = ROOT.parent / "shared/data/weights/stories260K/stories260K.bin"
CONVERT = """
import { convertModel } from "./src/convert.ts";
const [source, directory, file] = process.argv.slice(1);
await convertModel({ source, output: directory });
await convertModel({ source: directory, output: file, type: "f32" });
"""
TOKENS = 100


def run_c(count: int) -> list[int]:
    """Greedy ids after <s>, by run.c's arithmetic over the file itself."""
    data = SOURCE.read_bytes()
    dim, inner, layers, heads, keys, vocabulary, positions = struct.unpack("7i", data[:28])
    size, numbers, at = dim // heads, np.frombuffer(data[28:], np.float32), 0

    def take(*shape: int) -> np.ndarray:
        nonlocal at
        at += int(np.prod(shape))
        return numbers[at - int(np.prod(shape)) : at].reshape(shape)

    table, norm1 = take(vocabulary, dim), take(layers, dim)
    wq, wk, wv, wo = take(layers, dim, dim), take(layers, keys * size, dim), take(layers, keys * size, dim), take(layers, dim, dim)
    norm2, w1, w2, w3 = take(layers, dim), take(layers, inner, dim), take(layers, dim, inner), take(layers, inner, dim)
    norm, cosines, sines = take(dim), take(positions, size // 2), take(positions, size // 2)

    def rms(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).mean() + 1e-5) * weight

    def turn(x: np.ndarray, position: int) -> np.ndarray:
        pairs = x.reshape(-1, size // 2, 2)
        first, second, c, s = pairs[..., 0], pairs[..., 1], cosines[position], sines[position]
        return np.stack([first * c - second * s, first * s + second * c], -1).reshape(-1, size)

    cache, ids = [([], []) for _ in range(layers)], [1]
    for position in range(count):
        x = table[ids[-1]].copy()
        for i, (k, v) in enumerate(cache):
            h = rms(x, norm1[i])
            q = turn(wq[i] @ h, position)
            k.append(turn(wk[i] @ h, position))
            v.append((wv[i] @ h).reshape(keys, size))
            attended = []
            for head in range(heads):
                group = head // (heads // keys)
                scores = np.array([q[head] @ one[group] for one in k]) / np.sqrt(size)
                shares = np.exp(scores - scores.max())
                attended.append(sum(a * one[group] for a, one in zip(shares / shares.sum(), v)))
            x = x + wo[i] @ np.concatenate(attended)
            h = rms(x, norm2[i])
            gate = w1[i] @ h
            x = x + w2[i] @ (gate / (1 + np.exp(-gate)) * (w3[i] @ h))
        ids.append(int((table @ rms(x, norm)).argmax()))
    return ids


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory, file = f"{folder}/stories", f"{folder}/stories.gguf"
        command = [ROOT / "node_modules/.bin/node", "--input-type=module", "-e", CONVERT, SOURCE, directory, file]
        subprocess.run(command, cwd=ROOT, check=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(directory).eval()
        theirs = model.generate(torch.tensor([[1]]), max_new_tokens=TOKENS, do_sample=False, eos_token_id=1, pad_token_id=0)[0].tolist()
        llama = Llama(file, n_ctx=256, logits_all=True, verbose=False, type_k=0, type_v=0)
        cpp = [1]
        llama.eval(cpp)
        while len(cpp) <= TOKENS:
            cpp.append(int(np.argmax(llama.scores[len(cpp) - 1])))
            llama.eval(cpp[-1:])
    assert theirs == cpp == run_c(TOKENS), (theirs, cpp)
    versions = {name: importlib.metadata.version(name) for name in ("transformers", "llama-cpp-python")}
    (ROOT / "test/goldens/meta/stories.json").write_text(json.dumps({"versions": versions, "stories": cpp}) + "\n")


main()

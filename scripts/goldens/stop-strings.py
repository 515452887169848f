"""Where transformers ends a sequence for a stop string, with a BioGPT tokenizer of a few pieces.

    python scripts/goldens/stop-strings.py > test/goldens/stop-strings.json

For every text and stop string: the numbers of tokens, from 1 on, at which the criterion holds.
"""
import json
import pathlib
import string
import tempfile

import torch
import transformers
from transformers import BioGptTokenizer
from transformers.generation.stopping_criteria import StopStringCriteria

WORDS = ["aspirin", "inhibits", "stroke", "the", "of", "end", "risk", "p", "0.05", "(", ")", ".", ",", "-", "&lt;", "&apos;", "s", "@-@"]
TEXTS = [
    "aspirin inhibits stroke.",
    "the risk of stroke (p<0.05), the end of the end.",
    "aspirin-risk. the patient's end",
    "the end</s> of the zebra",
]
STOPS = [
    "inhibits", "hibit", "n inh", "bits str", " stroke", "stroke.", ".", " .", "the end", "end of", "d o", "(p", "( p", "n-r", "- r",
    "</s>", "d</s>", "atient", "tient", "t", "zebra", " ", "  ", "aspirin", " aspirin", "inhibits stroke.", "the", "0.05)",
]


def tokenizer():
    pieces = ["<s>", "<pad>", "</s>", "<unk>"]
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        left = word[0] if len(word) > 1 else f"{word}</w>"
        for i, character in enumerate(word[1:], 1):
            right = character + ("</w>" if i == len(word) - 1 else "")
            if (left, right) not in merges:
                merges.append((left, right))
            left += right
    characters = list(string.ascii_letters + string.digits + "&;().,-'@")
    pieces += characters + [f"{character}</w>" for character in characters]
    pieces += [left + right for left, right in merges]
    pieces = list(dict.fromkeys(pieces))
    files = {
        "vocab.json": json.dumps({piece: id for id, piece in enumerate(pieces)}),
        "merges.txt": "".join(f"{left} {right}\n" for left, right in merges),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, contents in files.items():
            (pathlib.Path(folder) / name).write_text(contents)
        return BioGptTokenizer.from_pretrained(folder), files


def main():
    model, files = tokenizer()
    cases = []
    for text in TEXTS:
        ids = model(text)["input_ids"]
        for stop in STOPS:
            try:
                ends = StopStringCriteria(model, [stop])
            except ValueError:  # a stop string that ends no token
                cases.append([ids, stop, []])
                continue
            counts = range(1, len(ids) + 1)
            cases.append([ids, stop, [n for n in counts if ends(torch.tensor([ids[:n]]), None).item()]])
    made = {"made_by": "scripts/goldens/stop-strings.py", "versions": {"transformers": transformers.__version__}, "files": files, "cases": cases}
    print(json.dumps(made, ensure_ascii=False))


main()

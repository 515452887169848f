"""The peer of bench/tokenize.ts: Hugging Face's BioGptTokenizer over the texts of a JSON file, one timing per line read.

python tokenize.py DIRECTORY TEXTS.json; every line on stdin runs one pass and answers {"seconds", "tokens"}.
"""

import sys

# This folder must not shadow the standard library: the file's own name is that of a module there.
sys.path = sys.path[1:]

import json
import time

import transformers
from transformers import BioGptTokenizer

texts = json.load(open(sys.argv[2], encoding="utf-8"))
tokenizer = BioGptTokenizer.from_pretrained(sys.argv[1])
print(json.dumps({"version": transformers.__version__}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    print(json.dumps({"seconds": time.perf_counter() - start, "tokens": tokens}), flush=True)

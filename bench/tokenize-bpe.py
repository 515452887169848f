"""The peer of bench/tokenize-bpe.ts: Hugging Face tokenizers (Rust), one thread, over the texts of a JSON file.

python tokenize-bpe.py TOKENIZER.json TEXTS.json; every line on stdin runs one pass and answers {"seconds", "tokens"}.
"""

import os

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import json
import sys
import time

import tokenizers

tokenizer = tokenizers.Tokenizer.from_file(sys.argv[1])
with open(sys.argv[2], encoding="utf-8") as file:
    texts = json.load(file)
print(json.dumps({"version": tokenizers.__version__}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    # Without offsets, as Galen's ids are counted too.
    encodings = tokenizer.encode_batch_fast(texts)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "tokens": sum(len(encoding.ids) for encoding in encodings)}), flush=True)

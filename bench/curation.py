"""The peer of curation.ts: datatrove's words, rules and MinHash over the texts of a JSON file, a task a line read.

python curation.py TEXTS.json; every line on stdin names a task and answers {"seconds", "count"}.
"""

import json
import sys
import tempfile
import time

import numpy
import xxhash
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import ngrams, simplify_text, split_into_parts, split_into_words

texts = json.load(open(sys.argv[1], encoding="utf-8"))
gopher, repetition = GopherQualityFilter(), GopherRepetitionFilter()
c4, fineweb = C4QualityFilter(), FineWebQualityFilter()
stages = {name: MinhashDedupSignature(tempfile.mkdtemp(), MinhashConfig(hash_config=HashConfig(hash_fc=name)))
          for name in ["xxhash", "sha1"]}
# xxhash 4 takes bytes alone, which datatrove 0.10.1 does not give it.
stages["xxhash"]._hash_func = lambda text: xxhash.xxh64_intdigest(text.encode())


def kept(*filters):
    return lambda text: all(one.filter(Document(text=text, id="")) is True for one in filters)


def signed(stage):
    def sign(text):
        shingles = stage.get_shingles(text)
        return shingles.size != 0 and bool(stage.get_signature(shingles))
    return sign


tasks = {
    "words": lambda text: len(split_into_words(text)),
    # Both rules see all texts, as Galen's do here.
    "gopher": lambda text: sum([kept(gopher)(text), kept(repetition)(text)]),
    "c4": kept(c4),
    "fineweb": kept(fineweb),
    "xxhash": signed(stages["xxhash"]),
    "sha1": signed(stages["sha1"]),
}
split_into_words("Loads the tokenizer.")
print(json.dumps("datatrove 0.10.1, spaCy " + __import__("spacy").__version__), flush=True)
for line in sys.stdin:
    task = tasks[json.loads(line)]
    split_into_parts.cache_clear()
    start = time.perf_counter()
    count = sum(int(task(text)) for text in texts)
    print(json.dumps({"seconds": time.perf_counter() - start, "count": count}), flush=True)

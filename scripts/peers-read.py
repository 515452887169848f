"""Reads directories that Galen wrote, with the library that each is for, and prints what it computes, as JSON.

    python scripts/peers-read.py < requests.json

Requests: a list of [kind, folder, values]; kinds are embedder (values: texts), cross-encoder (pairs), colbert-queries and
colbert-documents (texts).
"""

import json
import logging
import sys

logging.disable(logging.WARNING)


def run(kind, folder, values):
    if kind == "embedder":
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(folder, device="cpu").encode(values).tolist()
    if kind == "cross-encoder":
        from sentence_transformers import CrossEncoder

        scores = CrossEncoder(folder, device="cpu").predict([tuple(pair) for pair in values])
        return scores.reshape(len(values), -1).tolist()
    from pylate import models

    vectors = models.ColBERT(folder, device="cpu").encode(values, is_query=kind == "colbert-queries")
    return [x.flatten().tolist() for x in vectors]


if __name__ == "__main__":
    print(json.dumps([run(*request) for request in json.load(sys.stdin)]))

"""Reads directories that Galen wrote, with the library that each is for, and prints what it computes, as JSON.

    python scripts/peers-read.py < requests.json

Requests: a list of [kind, folder, values]; kinds are embedder (values: texts), cross-encoder (pairs), colbert-queries and
colbert-documents (texts). ColBERT is read by sentence-transformers where it can (from 6.0), else by PyLate.
"""

import json
import logging
import sys

import sentence_transformers

logging.disable(logging.WARNING)


def run(kind, folder, values):
    if kind == "embedder":
        return sentence_transformers.SentenceTransformer(folder, device="cpu").encode(values).tolist()
    if kind == "cross-encoder":
        scores = sentence_transformers.CrossEncoder(folder, device="cpu").predict([tuple(pair) for pair in values])
        return scores.reshape(len(values), -1).tolist()
    is_query = kind == "colbert-queries"
    if hasattr(sentence_transformers, "MultiVectorEncoder"):
        model = sentence_transformers.MultiVectorEncoder(folder, device="cpu")
        vectors = model.encode_query(values) if is_query else model.encode_document(values)
    else:
        from pylate import models

        vectors = models.ColBERT(folder, device="cpu").encode(values, is_query=is_query)
    return [x.flatten().tolist() for x in vectors]


if __name__ == "__main__":
    print(json.dumps([run(*request) for request in json.load(sys.stdin)]))

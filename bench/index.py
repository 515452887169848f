"""The peer of index.ts: txtai's hybrid index (BM25 and Faiss, its default weights) over the same model and texts."""

import importlib.metadata
import json
import sys
import time

import torch
from txtai import Embeddings

folder, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
embeddings = Embeddings(path=folder, hybrid=True, content=False, gpu=False)
print(json.dumps(f"txtai {importlib.metadata.version('txtai')}"), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    if "index" in request:
        embeddings.index((id, text, None) for id, text in request["index"])
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
        continue
    embeddings.search(request["search"][0], 10)
    times, rankings = [], []
    for query in request["search"]:
        start = time.perf_counter()
        found = embeddings.search(query, 10)
        times.append(1000 * (time.perf_counter() - start))
        rankings.append([id for id, _ in found])
    print(json.dumps({"times": times, "rankings": rankings}), flush=True)

"""The peer of maxsim.ts: PyLate's colbert_scores on tensors in memory."""

import json
import sys
import time

import pylate
import torch
from pylate.scores import colbert_scores

documents, threads = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(1)
query = torch.nn.functional.normalize(torch.randn(1, 32, 128), dim=-1)
stack = torch.nn.functional.normalize(torch.randn(documents, 180, 128), dim=-1)
print(json.dumps(f"PyLate {pylate.__version__}, PyTorch {torch.__version__}"), flush=True)
with torch.no_grad():
    for _ in sys.stdin:
        start = time.perf_counter()
        colbert_scores(query, stack)
        print(json.dumps((time.perf_counter() - start) * 1e3), flush=True)

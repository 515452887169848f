"""The peer of slice-70b.ts: the same folder in transformers, float32, scored three times; the logits to a file."""

import json
import resource
import sys
import time

import torch
import transformers

folder, ids_file, output = sys.argv[1:]
start = time.perf_counter()
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").eval()
ids = torch.tensor(json.load(open(ids_file))["ids"])
runs = []
with torch.inference_mode():
    model(ids[:, :1])
    opened = (time.perf_counter() - start) * 1e3
    for _ in range(3):
        begun = time.perf_counter()
        logits = model(ids, use_cache=False).logits
        runs.append((time.perf_counter() - begun) * 1e3)
logits.numpy().tofile(output)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
engine = f"transformers {transformers.__version__}, PyTorch {torch.__version__}, float32"
print(json.dumps({"engine": engine, "open": opened, "runs": runs, "peak": peak}))

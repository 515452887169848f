"""The peer of embed.ts: sentence-transformers' encode at float32."""

import json
import sys
import time

import sentence_transformers
import torch

folder, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
model = sentence_transformers.SentenceTransformer(folder, device="cpu")
print(json.dumps(f"sentence-transformers {sentence_transformers.__version__}, PyTorch {torch.__version__}"), flush=True)
for line in sys.stdin:
    texts = json.loads(line)["texts"]
    start = time.perf_counter()
    vectors = model.encode(texts, batch_size=32, show_progress_bar=False)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "vectors": vectors.tolist()}), flush=True)

"""The peer of mlm-step.ts: transformers' BertForMaskedLM, logits everywhere as its Trainer computes them; a step a line."""

import json
import sys
import time

import torch
import transformers

c = json.loads(sys.argv[1])
torch.set_num_threads(c["threads"])
torch.manual_seed(1)
model = transformers.BertForMaskedLM(transformers.BertConfig(**c["config"])).train()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.01)
data = json.loads(sys.stdin.readline())
ids, labels = (torch.tensor(data[k]).view(c["batch"], c["tokens"]) for k in ("ids", "labels"))
print(json.dumps(f"transformers {transformers.__version__}, PyTorch {torch.__version__}"), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    model(input_ids=ids, labels=labels).loss.backward()
    optimiser.step()
    optimiser.zero_grad()
    print(json.dumps((time.perf_counter() - start) * 1e3), flush=True)

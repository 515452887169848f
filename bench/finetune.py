"""The other side of bench/finetune.ts: the same updates in transformers and PyTorch, eager.

    python bench/finetune.py FOLDER THREADS        one JSON request a line: {"sequences": [[ids]]}
"""

import json
import resource
import sys
import time

import torch
import transformers

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(int(sys.argv[2]))
model = transformers.BioGptForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).train()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
print(json.dumps(f"transformers {transformers.__version__}, torch {torch.__version__}"), flush=True)
for line in sys.stdin:
    sequences = json.loads(line)["sequences"]
    start = time.perf_counter()
    width = max(map(len, sequences))
    ids = torch.tensor([row + [1] * (width - len(row)) for row in sequences])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in sequences])
    loss = model(input_ids=ids, attention_mask=mask, labels=torch.where(mask == 1, ids, -100)).loss
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    milliseconds = 1000 * (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": milliseconds, "loss": loss.item(), "peak": peak}), flush=True)

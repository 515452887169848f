"""The other side of bench/extract.ts: transformers' generate, greedy, on prompts sorted by length.

    python bench/extract.py FOLDER THREADS        one JSON request a line: {"prompts", "newTokens", "rows"}
"""

import json
import sys
import time

import torch
import transformers

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(int(sys.argv[2]))
model = transformers.BioGptForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
print(json.dumps(f"transformers {transformers.__version__}, torch {torch.__version__}"), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    prompts, rows = request["prompts"], request["rows"]
    start = time.perf_counter()
    tokens = 0
    with torch.inference_mode():
        for first in range(0, len(prompts), rows):
            batch = prompts[first : first + rows]
            width = max(map(len, batch))
            ids = torch.tensor([[1] * (width - len(row)) + row for row in batch])
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
            output = model.generate(
                ids, attention_mask=mask, do_sample=False, max_new_tokens=request["newTokens"], pad_token_id=1, eos_token_id=2
            )
            tokens += output[:, width:].numel()
    print(json.dumps({"seconds": time.perf_counter() - start, "tokens": tokens}), flush=True)

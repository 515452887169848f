"""The other side of bench/extract.ts: transformers' generate, greedy, on prompts sorted by length.

    python bench/extract.py FOLDER THREADS     one JSON request a line: {"prompts", "answers", "rows", "lookup"}

Answers are forced by a logits processor, as on the other side. Prompt lookup takes one row at a time.
"""

import json
import sys
import time

import torch
import transformers

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(int(sys.argv[2]))
model = transformers.BioGptForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()


class Forced(transformers.LogitsProcessor):
    def __init__(self, answers, width):
        self.answers, self.width = answers, width

    def __call__(self, ids, scores):
        at = ids.shape[1] - self.width
        for row, answer in enumerate(self.answers):
            scores[row, answer[at] if at < len(answer) else 2] = 1e4
        return scores


print(json.dumps(f"transformers {transformers.__version__}, torch {torch.__version__}"), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    prompts, answers, rows = request["prompts"], request["answers"], request["rows"]
    options = {} if request["lookup"] is None else {"prompt_lookup_num_tokens": request["lookup"]}
    start = time.perf_counter()
    right = True
    with torch.inference_mode():
        for first in range(0, len(prompts), rows):
            batch, wanted = prompts[first : first + rows], answers[first : first + rows]
            width = max(map(len, batch))
            ids = torch.tensor([[1] * (width - len(row)) + row for row in batch])
            mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
            output = model.generate(
                ids,
                attention_mask=mask,
                do_sample=False,
                max_new_tokens=max(map(len, wanted)),
                pad_token_id=1,
                eos_token_id=2,
                logits_processor=[Forced(wanted, width)],
                **options,
            )
            right &= all(output[i, width:].tolist()[: len(answer)] == answer for i, answer in enumerate(wanted))
    print(json.dumps({"seconds": time.perf_counter() - start, "right": right}), flush=True)

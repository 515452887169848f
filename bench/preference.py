"""The other side of bench/preference.ts: the same updates by TRL's DPOTrainer, step by step as its loop does them.

    python bench/preference.py FOLDER THREADS      first {"pairs": [{prompt_ids, ...}]}, then a request for each update

The reference's log-probabilities come with the pairs, as with `precompute_ref_log_probs`.
"""

import json
import os
import resource
import sys
import tempfile
import time

os.environ["TQDM_DISABLE"] = "1"
import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, models

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(int(sys.argv[2]))
pairs = json.loads(sys.stdin.readline())["pairs"]
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
# The pairs are tokens already; the trainer is opened on one of no account.
words = Tokenizer(models.WordLevel({"<pad>": 0, "<end>": 1}, unk_token="<pad>"))
own = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<end>")
args = trl.DPOConfig(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=len(pairs), learning_rate=1e-6, lr_scheduler_type="constant",
    optim="adamw_torch_fused", max_length=None, max_grad_norm=1.0, bf16=False, gradient_checkpointing=False, use_cpu=True,
    report_to=[], disable_tqdm=True, beta=0.1, precompute_ref_log_probs=True, weight_decay=0.0,
)
one = Dataset.from_list([{"prompt": "<pad>", "chosen": "<pad>", "rejected": "<pad>"}])
trainer = trl.DPOTrainer(model=model, args=args, train_dataset=one, processing_class=own)
trainer.create_optimizer()
trainer.current_gradient_accumulation_steps = 1
inputs = trainer.data_collator(pairs)
trainer.model.train()
print(json.dumps(f"TRL {trl.__version__}, torch {torch.__version__}"), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    loss = trainer.training_step(trainer.model, dict(inputs))
    torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    milliseconds = 1000 * (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": milliseconds, "loss": loss.item(), "peak": peak}), flush=True)

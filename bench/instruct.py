"""The other side of bench/instruct.ts: the same updates by TRL's SFTTrainer, step by step as its loop does them.

    python bench/instruct.py FOLDER THREADS        first {"lessons": [{ids, learned}]}, then a request for each update
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
lessons = json.loads(sys.stdin.readline())["lessons"]
rows = []
for lesson in lessons:
    learned = set(lesson["learned"])
    labels = [token if t in learned else -100 for t, token in enumerate(lesson["ids"])]
    rows.append({"input_ids": lesson["ids"], "labels": labels})
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
# Nothing is tokenized; the trainer wants the two tokens that it pads and ends with.
words = Tokenizer(models.WordLevel({"<pad>": 0, "<end>": 1}, unk_token="<pad>"))
own = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<end>")
args = trl.SFTConfig(
    output_dir=tempfile.mkdtemp(), per_device_train_batch_size=len(rows), learning_rate=1e-5, lr_scheduler_type="constant",
    optim="adamw_torch_fused", max_length=None, max_grad_norm=1.0, bf16=False, gradient_checkpointing=False, use_cpu=True,
    report_to=[], disable_tqdm=True, dataset_kwargs={"skip_prepare_dataset": True},
)
trainer = trl.SFTTrainer(model=model, args=args, train_dataset=Dataset.from_list(rows), processing_class=own)
trainer.create_optimizer()
inputs = trainer.data_collator(rows)
items = sum(label >= 0 for row in rows for label in row["labels"][1:])
items = torch.tensor(items)
trainer.model.train()
print(json.dumps(f"TRL {trl.__version__}, torch {torch.__version__}"), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    loss = trainer.training_step(trainer.model, dict(inputs), items)
    torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), 1.0)
    trainer.optimizer.step()
    trainer.optimizer.zero_grad()
    milliseconds = 1000 * (time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": milliseconds, "loss": loss.item(), "peak": peak}), flush=True)

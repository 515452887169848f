"""Goldens for supervised fine-tuning: tiny random models of two families, and ten updates of TRL's SFTTrainer.

    python scripts/goldens/trl-sft.py        (needs torch, transformers, trl and datasets; writes test/goldens/trl-sft/)

"messages" is learned with `assistant_only_loss` and a template with generation marks, several turns and a system's message
among them; "completions" are plain texts, one of which is cut within a word; "chats" are prompts and completions of
messages. Every update is of all examples, so that their order does not matter; an update's loss is the sum of what the
trainer's micro-batches return. Written too: the ids and masks that TRL makes of the examples.
"""

import json
import pathlib
import shutil
import tempfile

import torch
import transformers
import trl
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 20261127
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/trl-sft"
SHAPE = dict(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=48,
    max_position_embeddings=128,
)
STEPS, RATE = 10, 3e-3
SPECIAL = ["<|pad|>", "<|end|>", "<|start|>", "<|stop|>"]
TEMPLATE = (
    "{%- for message in messages %}\n    {%- if message['role'] == 'assistant' %}\n"
    "        {{- '<|start|>assistant\\n' }}\n        {%- generation %}\n"
    "        {{- message['content'] + '<|stop|>' }}\n        {%- endgeneration %}\n        {{- '\\n' }}\n"
    "    {%- else %}\n        {{- '<|start|>' + message['role'] + '\\n' + message['content'] + '<|stop|>\\n' }}\n"
    "    {%- endif %}\n{%- endfor %}\n{%- if add_generation_prompt %}\n    {{- '<|start|>assistant\\n' }}\n{%- endif %}\n"
)
DRUGS = ["aspirin", "warfarin", "codeine", "insulin", "quinine", "heparin", "digoxin", "morphine"]


def say(role: str, content: str) -> dict:
    return {"role": role, "content": content}


def data() -> dict[str, list[dict]]:
    messages = []
    for i, drug in enumerate(DRUGS):
        talk = [say("system", "Answer briefly.")] if i % 3 == 0 else []
        talk += [say("user", f"What does {drug} do?"), say("assistant", f"{drug} acts" + " and acts" * (i % 4) + ".")]
        if i % 2 == 1:
            talk += [say("user", "More?"), say("assistant", f"No more of {drug}, 10 µg a day.")]
        messages.append({"messages": talk})
    completions = [{"prompt": f"What does {drug} do?", "completion": f" {drug} acts" + " and acts" * (i % 4) + "."}
                   for i, drug in enumerate(DRUGS)]
    completions[3] = {"prompt": "Heparin acts and ac", "completion": "ts and acts."}
    chats = [{"prompt": one["messages"][:-1], "completion": one["messages"][-1:]} for one in messages]
    return {"messages": messages, "completions": completions, "chats": chats}


def tokenizer(texts: list[str]) -> transformers.PreTrainedTokenizerFast:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=340, special_tokens=SPECIAL, initial_alphabet=alphabet))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<|pad|>", eos_token="<|end|>", chat_template=TEMPLATE,
        extra_special_tokens={"start_token": "<|start|>", "stop_token": "<|stop|>"},
    )


class Recorded(trl.SFTTrainer):
    """Losses of the micro-batches as they were differentiated."""

    micro: list[float]

    def training_step(self, *args, **kwargs):
        loss = super().training_step(*args, **kwargs)
        self.micro.append(loss.item())
        return loss


def run(folder: pathlib.Path, rows: list[dict], kind: str) -> dict:
    # AutoTokenizer would put Qwen2's own pre-tokenizer in place of the file's.
    own = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    with tempfile.TemporaryDirectory() as output:
        args = trl.SFTConfig(
            output_dir=output, max_steps=STEPS, per_device_train_batch_size=4, gradient_accumulation_steps=2,
            learning_rate=RATE, lr_scheduler_type="constant", optim="adamw_torch", weight_decay=0.0, adam_beta2=0.98,
            max_grad_norm=1.0, max_length=128, packing=False, assistant_only_loss=kind == "messages", bf16=False,
            gradient_checkpointing=False, use_cpu=True, report_to=[], save_strategy="no", seed=SEED, disable_tqdm=True,
        )
        trainer = Recorded(
            model=transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
            args=args, train_dataset=Dataset.from_list(rows), processing_class=own,
        )
        trainer.micro = []
        trainer.train()
    return {
        "losses": [sum(trainer.micro[i : i + 2]) for i in range(0, 2 * STEPS, 2)],
        "ids": [list(one["input_ids"]) for one in trainer.train_dataset],
        "masks": [[int(label >= 0) for label in one["labels"]] for one in trainer.train_dataset],
    }


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    examples = data()
    texts = [json.dumps(one, ensure_ascii=False) for rows in examples.values() for one in rows]
    own = tokenizer(texts)
    for name, rows in examples.items():
        (OUT / "data").mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
        (OUT / "data" / f"{name}.jsonl").write_text(text, encoding="utf-8")
    ids = dict(vocab_size=len(own), bos_token_id=None, eos_token_id=own.eos_token_id, pad_token_id=own.pad_token_id)
    networks = {
        "llama": (transformers.LlamaConfig(**SHAPE, **ids), transformers.LlamaForCausalLM),
        "qwen2": (transformers.Qwen2Config(**SHAPE, **ids, tie_word_embeddings=True), transformers.Qwen2ForCausalLM),
    }
    found = {"versions": {one.__name__: one.__version__ for one in (torch, transformers, trl)}, "seed": SEED, "rate": RATE}
    for name, (config, network) in networks.items():
        torch.manual_seed(SEED)
        model = network(config)
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "norm" not in key:
                    parameter.copy_(torch.randn_like(parameter) * 0.15)
        model.save_pretrained(OUT / name)
        own.save_pretrained(OUT / name)
        (OUT / name / "generation_config.json").unlink(missing_ok=True)
        found[name] = {kind: run(OUT / name, rows, kind) for kind, rows in examples.items()}
    (OUT / "goldens.json").write_text(json.dumps(found) + "\n")


main()

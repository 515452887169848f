"""Goldens for reward models and preferences: ten updates of TRL's trainers on tiny models of two families.

    python scripts/goldens/trl-preferences.py     (needs torch, transformers and trl; writes test/goldens/trl-preferences/)

The pairs are the first eight of samples/preferences.jsonl, all of them in every update, so that no order matters; the
losses, gradient norms and what the trainers measure are written for each update. Each family's folder is a language model
that has a head of one number as well.
"""

import json
import pathlib
import shutil
import tempfile

import tokenizers
import torch
import transformers
import trl
from datasets import Dataset
from safetensors.torch import save_file

SEED = 20261127
ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test/goldens/trl-preferences"
PAIRS = [json.loads(line) for line in (ROOT / "samples/preferences.jsonl").read_text().splitlines()][:8]
STEPS = 10
TOKENS = 96
FAMILIES = {
    "llama": transformers.LlamaConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=3, intermediate_size=40,
        max_position_embeddings=128,
    ),
    "gpt2": transformers.GPT2Config(n_embd=24, n_layer=2, n_head=3, n_positions=128),
}


def learned_tokenizer():
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(pair.values()) for pair in PAIRS], trainer)
    return tokenizer


def write_start(folder, config, tokenizer):
    """A random language model with `score.weight` beside it."""
    torch.manual_seed(SEED)
    for key, value in dict(vocab_size=len(tokenizer), pad_token_id=0, bos_token_id=1, eos_token_id=2, num_labels=1).items():
        setattr(config, key, value)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            norm = "norm" in key or ".ln_" in key
            parameter.copy_(torch.randn_like(parameter) * 0.2 + (norm and key.endswith("weight")))
    width = config.hidden_size
    model.save_pretrained(folder)
    tensors = {key: value.clone() for key, value in model.state_dict().items() if key != "lm_head.weight" or not config.tie_word_embeddings}
    save_file({**tensors, "score.weight": torch.randn(1, width) * 0.2}, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n")


def updates(trainer_class, config_class, model, tokenizer, rows, **options):
    """Loss, gradient norm and figures of each of the ten updates."""
    losses = []

    class Watched(trainer_class):
        def compute_loss(self, *args, **kwargs):
            result = super().compute_loss(*args, **kwargs)
            losses.append((result[0] if isinstance(result, tuple) else result).item())
            return result

    with tempfile.TemporaryDirectory() as folder:
        config = config_class(
            output_dir=folder, per_device_train_batch_size=len(rows), gradient_accumulation_steps=1, max_steps=STEPS,
            learning_rate=1e-3, lr_scheduler_type="constant", warmup_steps=0, weight_decay=0.0, max_grad_norm=1.0,
            adam_beta2=0.999, adam_epsilon=1e-8, max_length=TOKENS, logging_steps=1, save_strategy="no", report_to=[],
            use_cpu=True, bf16=False, gradient_checkpointing=False, optim="adamw_torch", seed=SEED, disable_tqdm=True,
            **options,
        )
        trainer = Watched(model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer)
        trainer.train()
    kept = ("rewards/", "logps/", "kl", "accuracy", "margin", "grad_norm")
    logs = [{key: log[key] for key in log if key.startswith(kept)} for log in trainer.state.log_history if "loss" in log]
    assert len(losses) == len(logs) == STEPS
    return [{"loss": loss, "figures": log} for loss, log in zip(losses, logs)]


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    backend = learned_tokenizer()
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", bos_token="<s>", eos_token="</s>")
    judged = [
        {"prompt": pair["prompt"], "completion": pair[which], "label": which == "chosen"}
        for which in ("chosen", "rejected") for pair in PAIRS
    ]
    result = {
        "versions": {"trl": trl.__version__, "transformers": transformers.__version__, "torch": torch.__version__},
        "seed": SEED, "tokens": TOKENS, "pairs": len(PAIRS), "rewards": {}, "updates": {},
    }
    for name, config in FAMILIES.items():
        folder = OUT / name
        folder.mkdir(parents=True)
        write_start(folder, config, tokenizer)
        language = lambda: transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        head = lambda: transformers.AutoModelForSequenceClassification.from_pretrained(folder, num_labels=1, dtype=torch.float32)
        margins = [{**pair, "margin": 0.25 * i} for i, pair in enumerate(PAIRS)]
        pairs = lambda loss, **more: updates(trl.DPOTrainer, trl.DPOConfig, language(), tokenizer, PAIRS, loss_type=[loss], **more)
        texts = [pair["prompt"] + pair[which] + "</s>" for pair in PAIRS for which in ("chosen", "rejected")]
        with torch.no_grad():
            result["rewards"][name] = head().eval()(**tokenizer(texts, padding=True, return_tensors="pt", return_token_type_ids=False)).logits.flatten().tolist()
        result["updates"][name] = {
            "reward": updates(trl.RewardTrainer, trl.RewardConfig, head(), tokenizer, PAIRS, center_rewards_coefficient=0.01),
            "reward-margins": updates(trl.RewardTrainer, trl.RewardConfig, head(), tokenizer, margins),
            "sigmoid": pairs("sigmoid", beta=0.1),
            "robust": pairs("robust", beta=0.1, label_smoothing=0.1),
            "ipo": pairs("ipo", beta=0.1),
            "sigmoid_norm": pairs("sigmoid_norm", beta=2.0),
            "unpaired": updates(
                trl.KTOTrainer, trl.KTOConfig, language(), tokenizer, judged, beta=0.1, desirable_weight=1.0, undesirable_weight=1.5,
            ),
        }
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

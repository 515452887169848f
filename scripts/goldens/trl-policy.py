"""Goldens for policies: losses, gradients, advantages and figures that TRL's own GRPOTrainer and RLOOTrainer compute.

    python scripts/goldens/trl-policy.py        (needs torch, transformers, trl, datasets; writes test/goldens/trl-policy.json)

A trainer is made on a tiny model of test/goldens, its sampling is replaced by completions that are drawn here once, and
its own `_generate_and_score_completions` and `_compute_loss` run on them: rewards become advantages, log-probabilities of
the model and of a reference become the loss. "old" cases give log-probabilities of a policy of before, so that ratios are
not 1 and some are clipped. Prompts of GPT-2 are of one length: TRL pads them on the left and passes no positions, so that
learned positions of shorter ones would begin where the padding does. Gradients are those of a few parameters, whole where small, else a slice and the norm.
"""

import importlib.metadata
import json
import pathlib
import tempfile

import torch
import transformers
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer, RLOOConfig, RLOOTrainer

SEED = 20261127
ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test/goldens/trl-policy.json"
MODELS = {"llama": "llama/llama", "gpt2": "gpt2/gpt2"}
END, LIMIT = 2, 9
PARAMETERS = {
    "llama": ["model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.down_proj.weight", "lm_head.weight"],
    "gpt2": ["transformer.h.0.attn.c_attn.weight", "transformer.h.1.mlp.c_proj.bias", "transformer.wte.weight"],
}
GROUPS, SAMPLES = 2, 4
CASES = {
    "dapo": (GRPOTrainer, GRPOConfig, dict(loss_type="dapo", beta=0.0), False),
    "dapo, kl, old": (GRPOTrainer, GRPOConfig, dict(loss_type="dapo", beta=0.04), True),
    "grpo": (GRPOTrainer, GRPOConfig, dict(loss_type="grpo", beta=0.04), False),
    "grpo, old, batch": (GRPOTrainer, GRPOConfig, dict(loss_type="grpo", beta=0.0, scale_rewards="batch"), True),
    "dr_grpo, old, none": (GRPOTrainer, GRPOConfig, dict(loss_type="dr_grpo", beta=0.1, scale_rewards="none"), True),
    "dapo, temperature": (GRPOTrainer, GRPOConfig, dict(loss_type="dapo", beta=0.04, temperature=0.7), False),
    "rloo": (RLOOTrainer, RLOOConfig, dict(beta=0.05), False),
    "rloo, old": (RLOOTrainer, RLOOConfig, dict(beta=0.0), True),
    "rloo, normalised, temperature": (RLOOTrainer, RLOOConfig, dict(beta=0.05, normalize_advantages=True, temperature=1.5), False),
}


def tokenizer_of(vocabulary: int) -> transformers.PreTrainedTokenizerFast:
    """Completions are given as ids: a tokenizer is there to satisfy the trainer alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    raw = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t3"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=f"t{END}", pad_token="t0", padding_side="left")


def samples(draw: torch.Generator, vocabulary: int, lengths: tuple[int, int]) -> tuple[list[list[int]], list[list[int]], list[float]]:
    prompts = [torch.randint(4, vocabulary, (length,), generator=draw).tolist() for length in lengths]
    completions = []
    for i in range(GROUPS * SAMPLES):
        length = int(torch.randint(1, LIMIT + 1, (1,), generator=draw))
        ids = torch.randint(4, vocabulary, (length,), generator=draw).tolist()
        completions.append(ids if length == LIMIT else ids + [END])
    rewards = [round(x, 4) for x in torch.randn(GROUPS * SAMPLES, generator=draw).tolist()]
    return prompts, completions, rewards


def moved(model: torch.nn.Module, deviation: float, seed: int) -> torch.nn.Module:
    """The same network a step away: a policy of before, or the reference."""
    import copy

    other = copy.deepcopy(model)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=draw) * deviation)
    return other


def run(name: str, folder: str, case: str) -> dict:
    trainer_class, config_class, options, old = CASES[case]
    path = ROOT / f"test/goldens/{folder}/model"
    torch.manual_seed(SEED)
    model = transformers.AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)
    model.config.pad_token_id = 0
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    tokenizer = tokenizer_of(model.config.vocab_size)
    prompts, completions, rewards = samples(
        torch.Generator().manual_seed(SEED), model.config.vocab_size, (4, 4) if name == "gpt2" else (3, 5))
    rows = [{"prompt": " ".join(f"t{i}" for i in ids)} for ids in prompts]
    repeated = [row for row in rows for _ in range(SAMPLES)]
    config = config_class(
        output_dir=tempfile.mkdtemp(), use_cpu=True, bf16=False, report_to=[], per_device_train_batch_size=GROUPS * SAMPLES,
        num_generations=SAMPLES, max_completion_length=LIMIT, gradient_checkpointing=False, pad_to_multiple_of=None, **options,
    )
    trainer = trainer_class(
        model=model, args=config, train_dataset=Dataset.from_list(rows), processing_class=tokenizer,
        reward_funcs=lambda completions, **_: list(rewards),
    )
    reference = moved(model, 0.02, SEED + 1)
    if config.beta != 0.0:
        with torch.no_grad():
            for target, source in zip(trainer.ref_model.parameters(), reference.parameters(), strict=True):
                target.copy_(source)
    prompt_ids = [ids for ids in prompts for _ in range(SAMPLES)]
    texts = [" ".join(f"t{i}" for i in ids) for ids in completions]

    known = (prompt_ids, completions, None, texts, None, {}, None, None)
    trainer._generate = lambda _: known if trainer_class is GRPOTrainer else (prompt_ids, completions, texts)
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 1
    inputs = trainer._generate_and_score_completions(repeated)
    given_old = None
    if old:
        before = moved(model, 0.03, SEED + 2)
        # The trainer's own way of scoring, with the weights of before put in for a moment.
        state = {key: value.clone() for key, value in trainer.model.state_dict().items()}
        trainer.model.load_state_dict(before.state_dict())
        with torch.no_grad():
            ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
            mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
            given_old, _, _ = trainer._get_per_token_logps_and_entropies(trainer.model, ids, mask, inputs["completion_ids"].size(1))
        trainer.model.load_state_dict(state)
        if trainer_class is GRPOTrainer:
            inputs["old_per_token_logps"] = given_old
        else:
            inputs["old_logps"] = (given_old * inputs["completion_mask"]).sum(1)
    trainer._metrics["train"].clear()
    with torch.no_grad():
        ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
        mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
        own, entropies, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids, mask, inputs["completion_ids"].size(1), compute_entropy=True)
        against = None
        if config.beta != 0.0:
            against, _, _ = trainer._get_per_token_logps_and_entropies(trainer.ref_model, ids, mask, inputs["completion_ids"].size(1))
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    lengths = [len(ids) for ids in completions]

    def flat(values: torch.Tensor | None) -> list[float] | None:
        return None if values is None else [round(x, 7) for row, n in zip(values, lengths) for x in row[:n].tolist()]

    gradients = {}
    for key, parameter in trainer.model.named_parameters():
        if key in PARAMETERS[name]:
            gradients[key] = {"norm": parameter.grad.norm().item(), "first": parameter.grad.flatten()[:40].tolist()}
    return {
        "prompts": prompts, "completions": completions, "rewards": rewards, "options": options,
        "epsilon": config.epsilon, "maxNewTokens": LIMIT, "samples": SAMPLES,
        "advantages": inputs["advantages"].tolist(), "logProbabilities": flat(own), "entropies": flat(entropies),
        "reference": flat(against), "old": flat(given_old), "loss": loss.item(), "gradients": gradients,
        "figures": {key: sum(values) / len(values) for key, values in trainer._metrics["train"].items()},
    }


def main() -> None:
    versions = {key: importlib.metadata.version(key) for key in ("torch", "transformers", "trl")}
    cases = {name: {"model": folder, "cases": {case: run(name, folder, case) for case in CASES}} for name, folder in MODELS.items()}
    OUT.write_text(json.dumps({"versions": versions, "seed": SEED, **cases}) + "\n")


main()

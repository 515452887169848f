"""Goldens for soft-prompt tuning: ten updates of a tiny BioGPT whose vocabulary has grown by a prompt's rows.

    python scripts/goldens/soft-prompt.py        (needs torch and transformers; writes test/goldens/soft-prompt/)

Starts from test/goldens/biogpt/model. Each update sums the gradients of batches of unequal size; its loss is the mean
over all of its labels (fairseq: sum of losses / tokens of the update). Whole-model tuning, prompt rows alone, and
low-rank adapters written out by hand (W + alpha / rank · B A).
"""

import json
import math
import pathlib

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261122
GOLDENS = pathlib.Path(__file__).parents[2] / "test/goldens"
OUT = GOLDENS / "soft-prompt"
PROMPT, VOCAB = 3, 61
PEAK, WARMUP, INITIAL = 2e-3, 4, 1e-7
RANK, ALPHA, TARGETS = 4, 8.0, ("q_proj", "v_proj", "fc1", "fc2")


def grown(rows: torch.Tensor) -> transformers.BioGptForCausalLM:
    model = transformers.BioGptForCausalLM.from_pretrained(GOLDENS / "biogpt/model", attn_implementation="eager")
    model.resize_token_embeddings(VOCAB + PROMPT, mean_resizing=False)
    with torch.no_grad():
        model.biogpt.embed_tokens.weight[VOCAB:] = rows
    assert model.output_projection.weight is model.biogpt.embed_tokens.weight
    return model.train()  # every dropout of the tiny model is 0


def learning_rate(step: int) -> float:
    if step <= WARMUP:
        return INITIAL + (PEAK - INITIAL) * step / WARMUP
    return PEAK * math.sqrt(WARMUP / step)


def sequences(generator: torch.Generator) -> list:
    """Ten updates of three batches of `</s> source prompt target </s>`."""
    prompt = list(range(VOCAB, VOCAB + PROMPT))

    def tokens(count):
        return torch.randint(4, VOCAB, (count,), generator=generator).tolist()

    def one():
        source, target = torch.randint(3, 12, (2,), generator=generator).tolist()
        return [2, *tokens(source), *prompt, *tokens(target), 2]

    return [[[one() for _ in range(rows)] for rows in (3, 2, 4)] for _ in range(10)]


def summed_loss(model, batch):
    width = max(map(len, batch))
    ids = torch.tensor([row + [1] * (width - len(row)) for row in batch])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
    labels = torch.where(mask == 1, ids, -100)
    logits = model(input_ids=ids, attention_mask=mask).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum"
    )


def train(model, parameters, updates, after_backward=lambda: None):
    optimiser = torch.optim.AdamW(parameters, lr=PEAK, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for step, batches in enumerate(updates, 1):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step)
        tokens = sum(len(row) - 1 for batch in batches for row in batch)
        optimiser.zero_grad()
        total = 0.0
        for batch in batches:
            loss = summed_loss(model, batch) / tokens
            loss.backward()
            total += loss.item()
        after_backward()
        optimiser.step()
        losses.append(total)
    return losses


class LowRank(torch.nn.Module):
    """torch.nn.utils.parametrize: the weight is W + alpha / rank · B A."""

    def __init__(self, a: torch.Tensor, b: torch.Tensor):
        super().__init__()
        self.a, self.b = torch.nn.Parameter(a), torch.nn.Parameter(b)

    def forward(self, weight):
        return weight + ALPHA / RANK * self.b @ self.a


def prompt_only(rows, updates):
    """The rows as a parameter of their own, joined to the frozen table."""
    model = grown(rows)
    table = model.biogpt.embed_tokens.weight
    learned = torch.nn.Parameter(rows.clone())
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    class Joined(torch.nn.Module):
        def forward(self, weight):
            return torch.cat([weight[:VOCAB], learned])

    torch.nn.utils.parametrize.register_parametrization(model.biogpt.embed_tokens, "weight", Joined())
    torch.nn.utils.parametrize.register_parametrization(model.output_projection, "weight", Joined())
    losses = train(model, [learned], updates)
    assert table.shape[0] == VOCAB + PROMPT
    return losses, {"prompt.weight": learned.detach().contiguous()}


def low_rank(rows, updates, generator):
    model = grown(rows)
    learned = torch.nn.Parameter(rows.clone())
    for parameter in model.parameters():
        parameter.requires_grad_(False)

    class Joined(torch.nn.Module):
        def forward(self, weight):
            return torch.cat([weight[:VOCAB], learned])

    start, adapters = {}, {}
    for name, module in list(model.named_modules()):
        if name.split(".")[-1] not in TARGETS:
            continue
        outputs, inputs = module.weight.shape
        a = torch.randn(RANK, inputs, generator=generator) / math.sqrt(inputs)
        b = torch.randn(outputs, RANK, generator=generator) * 0.05  # not zero: so that every gradient counts
        start[f"{name}.lora_A.weight"], start[f"{name}.lora_B.weight"] = a.clone(), b.clone()
        adapters[name] = LowRank(a, b)
        torch.nn.utils.parametrize.register_parametrization(module, "weight", adapters[name])
    torch.nn.utils.parametrize.register_parametrization(model.biogpt.embed_tokens, "weight", Joined())
    torch.nn.utils.parametrize.register_parametrization(model.output_projection, "weight", Joined())
    losses = train(model, [learned, *(p for m in adapters.values() for p in (m.a, m.b))], updates)
    end = {"prompt.weight": learned.detach().contiguous()}
    for name, adapter in adapters.items():
        end[f"{name}.lora_A.weight"] = adapter.a.detach().contiguous()
        end[f"{name}.lora_B.weight"] = adapter.b.detach().contiguous()
    return losses, start, end


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(SEED)
    rows = torch.randn(PROMPT, 24, generator=generator) * 0.3
    updates = sequences(generator)
    result = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED},
        "schedule": {"peak": PEAK, "warmup": WARMUP, "initial": INITIAL},
        "lora": {"rank": RANK, "alpha": ALPHA, "targets": TARGETS},
        "rows": rows.flatten().tolist(),
        "updates": updates,
        "losses": {},
    }
    model = grown(rows)
    result["losses"]["full"] = train(model, model.parameters(), updates)
    save_file({n: p.detach().contiguous() for n, p in model.named_parameters()}, OUT / "full.safetensors")
    result["losses"]["prompt"], tensors = prompt_only(rows, updates)
    save_file(tensors, OUT / "prompt.safetensors")
    result["losses"]["lora"], start, end = low_rank(rows, updates, generator)
    save_file(start, OUT / "lora-start.safetensors")
    save_file(end, OUT / "lora.safetensors")
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

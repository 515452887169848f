"""Goldens for BioGPT's classification heads: tiny random checkpoints, and what torch computes with them.

    python scripts/goldens/biogpt-heads.py      (needs torch and transformers; writes test/goldens/biogpt-heads/)

Logits with padding on either side; with padding on the right, the loss, every gradient, ten AdamW losses and the
weights after them; hidden states of the bare model.
"""

import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261124
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/biogpt-heads"

LENGTHS = (8, 6, 3)
WIDTH = max(LENGTHS)
PAD = 1


def config(**options):
    result = transformers.BioGptConfig(
        vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=32, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **options,
    )
    result._attn_implementation = "eager"
    return result


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("norm.weight" in name))
    return model.eval()


def rows(side):
    """ids, mask, and positions that do not count padding, as transformers' generate() makes them."""
    generator = torch.Generator().manual_seed(SEED)
    texts = [[2] + torch.randint(4, 61, (length - 1,), generator=generator).tolist() for length in LENGTHS]
    filler = [[PAD] * (WIDTH - length) for length in LENGTHS]
    full = [text + pad if side == "right" else pad + text for text, pad in zip(texts, filler)]
    ids = torch.tensor(full)
    mask = (ids != PAD).long()
    return dict(input_ids=ids, attention_mask=mask, position_ids=(mask.cumsum(1) * mask - 1).clamp(min=0))


def logits_of(model, inputs):
    """transformers before its pull request 46782 takes the wrong token of rows padded on the left; this is the right one."""
    hidden = model.biogpt(**inputs)[0]
    if not hasattr(model, "score"):
        return model.classifier(hidden)
    last = (inputs["attention_mask"] * torch.arange(WIDTH)).argmax(1)
    return model.score(hidden[torch.arange(len(LENGTHS)), last])


def adamw(model, labels, steps=10):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for _ in range(steps):
        loss = model(**rows("right"), labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def case(name, model, labels):
    """Saves the checkpoint, its gradients and its weights after ten steps; gives the figures."""
    folder = OUT / name
    model.save_pretrained(folder, safe_serialization=True)
    output = model(**rows("right"), labels=labels)
    torch.testing.assert_close(output.logits, logits_of(model, rows("right")))
    result = {"labels": labels.tolist(), "loss": output.loss.item()}
    for side in ("left", "right"):
        result[side] = [round(x, 6) for x in logits_of(model, rows(side)).flatten().tolist()]
    output.loss.backward()
    used = dict(model.named_parameters())
    save_file({n: p.grad.contiguous() for n, p in used.items()}, folder / "gradients.safetensors")
    model.zero_grad()
    result["adamw"] = adamw(model, labels)
    save_file({n: p.detach().contiguous() for n, p in used.items()}, folder / "adamw.safetensors")
    return result


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
    result = {"versions": versions, "heads": {}}
    for side in ("left", "right"):
        inputs = rows(side)
        result[side] = {"ids": inputs["input_ids"].tolist(), "mask": inputs["attention_mask"].tolist()}
    heads = result["heads"]
    rowwise = transformers.BioGptForSequenceClassification
    heads["single"] = case("single", randomise(rowwise(config(num_labels=3))), torch.tensor([2, 0, 1]))
    several = config(num_labels=4, problem_type="multi_label_classification")
    targets = torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]])
    heads["several"] = case("several", randomise(rowwise(several)), targets)
    heads["regression"] = case("regression", randomise(rowwise(config(num_labels=1))), torch.tensor([0.5, -1.25, 3.0]))
    labels = rows("right")["input_ids"] % 5
    labels[rows("right")["attention_mask"] == 0] = -100
    labels[:, 0] = -100
    tagger = transformers.BioGptForTokenClassification(config(num_labels=5))
    heads["tokens"] = case("tokens", randomise(tagger), labels)

    bare = randomise(transformers.BioGptModel(config()))
    bare.save_pretrained(OUT / "bare", safe_serialization=True)
    with torch.no_grad():
        hidden = bare(**rows("right"))[0]
    result["hidden"] = [round(x, 6) for x in hidden.flatten().tolist()]
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

"""Goldens for GPT-2: tiny random checkpoints in Hugging Face's format, and what transformers computes.

    python scripts/goldens/gpt2.py        (needs torch and transformers; writes test/goldens/gpt2/)

See decoders.py. "gpt2" is stored as the published files are, without a prefix and with the causal mask's buffers;
"scaled" has BioMedLM's settings; the heads have rows padded on the right.
"""

import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file

import decoders

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/gpt2"
SHAPE = dict(
    vocab_size=decoders.VOCAB, n_embd=24, n_layer=2, n_head=6, n_positions=32, bos_token_id=1, eos_token_id=2,
    resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, n_inner=40, pad_token_id=None,
)
CASES = {
    "gpt2": dict(),
    "scaled": dict(scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True, tie_word_embeddings=False),
    "unscaled": dict(scale_attn_weights=False, n_inner=None, n_head=4, activation_function="gelu"),
}
SIZES = {
    "gpt2": dict(), "gpt2-medium": dict(n_embd=1024, n_layer=24, n_head=16),
    "gpt2-large": dict(n_embd=1280, n_layer=36, n_head=20), "gpt2-xl": dict(n_embd=1600, n_layer=48, n_head=25),
    "biomedlm": dict(n_embd=2560, n_layer=32, n_head=20, vocab_size=28896),
}


def as_published(folder):
    """The names of openai-community/gpt2's own file."""
    path = folder / "model.safetensors"
    tensors = {name.removeprefix("transformer."): value for name, value in load_file(path).items()}
    for layer in range(2):
        tensors[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 4, 4).tril()
        tensors[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
    save_file(tensors, path, metadata={"format": "pt"})


def head(name, network, labels, **more):
    model = decoders.random_model(network, transformers.GPT2Config(**{**SHAPE, "pad_token_id": 0, **more}))
    model.config.classifier_dropout = 0.0
    ids, _, right, _ = decoders.batch()
    ids = torch.where(right == 1, ids, torch.zeros_like(ids))
    folder = OUT / name
    model.save_pretrained(folder, safe_serialization=True)
    output = model(input_ids=ids, attention_mask=right, labels=labels)
    output.loss.backward()
    save_file({n: p.grad.contiguous() for n, p in model.named_parameters()}, folder / "gradients.safetensors")
    return {
        "ids": ids.tolist(), "mask": right.tolist(), "labels": labels.tolist(), "loss": output.loss.item(),
        "logits": [round(x, 6) for x in output.logits.flatten().tolist()],
    }


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    for name, more in CASES.items():
        model = decoders.random_model(transformers.GPT2LMHeadModel, transformers.GPT2Config(**{**SHAPE, **more}))
        decoders.write(OUT / name, model, steps=name == "gpt2")
    as_published(OUT / "gpt2/model")
    _, _, right, labels = decoders.batch()
    heads = {
        "rows": head("rows", transformers.GPT2ForSequenceClassification, torch.tensor([2, 0, 1]), num_labels=3),
        "tokens": head("tokens", transformers.GPT2ForTokenClassification,
                       torch.where(right == 1, labels % 5, -100), num_labels=5),
    }
    (OUT / "heads.json").write_text(json.dumps(heads) + "\n")
    with torch.device("meta"):
        counts = {
            name: transformers.GPT2LMHeadModel(transformers.GPT2Config(**more)).num_parameters()
            for name, more in SIZES.items()
        }
    print(counts)


main()

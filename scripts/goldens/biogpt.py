"""Goldens for BioGPT: a tiny random checkpoint in Hugging Face's format, and what transformers computes with it.

    python scripts/goldens/biogpt.py        (needs torch and transformers; writes test/goldens/biogpt/)

Logits with and without padding, the loss, every gradient, ten AdamW losses and the weights after them, and generated
ids for greedy search, beam search and its options.
"""

import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261121
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/biogpt"


def tiny() -> transformers.BioGptForCausalLM:
    config = transformers.BioGptConfig(
        vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
        max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )
    config._attn_implementation = "eager"
    torch.manual_seed(SEED)
    model = transformers.BioGptForCausalLM(config)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("norm.weight" in name))
        model.biogpt.embed_positions.weight[0].zero_()
    return model.eval()


def adamw(model, ids, mask, labels, steps=10):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for _ in range(steps):
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    model = tiny()
    model.save_pretrained(OUT / "model", safe_serialization=True)
    (OUT / "model/generation_config.json").unlink(missing_ok=True)

    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(4, 61, (3, 7), generator=generator)
    ids[:, 0] = 2
    mask = torch.ones_like(ids)
    left = torch.tensor([[0, 0, 1, 1, 1, 1, 1], [1] * 7, [0, 0, 0, 0, 1, 1, 1]])
    right = left.flip(1)
    labels = ids.clone()
    labels[0, 2:4] = -100
    labels[right == 0] = -100

    result = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED},
        "ids": ids.tolist(), "left": left.tolist(), "right": right.tolist(), "labels": labels.tolist(),
    }
    with torch.no_grad():
        for name, attention_mask in {"none": mask, "left": left, "right": right}.items():
            # transformers 5 counts padding as positions unless told; 4.57 and fairseq do not, nor does its generate().
            positions = (attention_mask.cumsum(1) * attention_mask - 1).clamp(min=0)
            logits = model(input_ids=ids, attention_mask=attention_mask, position_ids=positions).logits
            result[f"logits/{name}"] = [round(x, 6) for x in logits.flatten().tolist()]

    loss = model(input_ids=ids, attention_mask=right, labels=labels).loss
    loss.backward()
    result["loss"] = loss.item()
    save_file({n: p.grad.contiguous() for n, p in model.named_parameters()}, OUT / "gradients.safetensors")

    prompts = [[2, 17, 5], [2, 9, 33, 40, 12], [2, 58]]
    result["prompts"] = prompts
    result["generate"] = []
    cases = [
        dict(max_new_tokens=12),
        dict(max_length=20, repetition_penalty=1.3),
        dict(max_new_tokens=12, no_repeat_ngram_size=2),
        dict(max_new_tokens=12, min_length=12),
        dict(num_beams=4, max_new_tokens=10),
        dict(num_beams=4, max_new_tokens=10, early_stopping=True),
        dict(num_beams=5, min_length=12, max_length=24, early_stopping=True),
        dict(num_beams=3, max_new_tokens=14, length_penalty=2.0),
        dict(num_beams=3, max_new_tokens=14, length_penalty=0.3, early_stopping=False),
        dict(num_beams=3, max_new_tokens=14, early_stopping="never", length_penalty=-0.5),
        dict(num_beams=4, max_new_tokens=10, num_return_sequences=3),
        dict(num_beams=4, max_new_tokens=10, no_repeat_ngram_size=2, repetition_penalty=1.2),
    ]
    # A copy whose end token is likely, so that hypotheses end at different lengths.
    ending = tiny()
    with torch.no_grad():
        ending.biogpt.embed_tokens.weight[2] *= 2.2
    for kind, network in {"plain": model, "ending": ending}.items():
        for options in cases:
            for prompt in prompts:
                output = network.generate(
                    torch.tensor([prompt]), do_sample=False, pad_token_id=1, eos_token_id=2, bos_token_id=0,
                    output_scores=True, return_dict_in_generate=True, **options,
                )
                scores = getattr(output, "sequences_scores", None)
                result["generate"].append({
                    "model": kind, "options": options, "prompt": prompt, "sequences": output.sequences.tolist(),
                    "scores": None if scores is None else [round(x, 5) for x in scores.tolist()],
                })
    # Unequal prompts in one batch, padded on the left as transformers wants them.
    width = max(map(len, prompts))
    padded = torch.tensor([[1] * (width - len(p)) + p for p in prompts])
    padding = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    for options in (dict(max_new_tokens=9), dict(max_new_tokens=9, num_beams=3)):
        output = ending.generate(padded, attention_mask=padding, do_sample=False, pad_token_id=1, eos_token_id=2, **options)
        result.setdefault("batches", []).append({"options": options, "continuations": output[:, width:].tolist()})

    model.zero_grad()
    result["adamw"] = adamw(model, ids, right, labels)
    save_file({n: p.detach().contiguous() for n, p in model.named_parameters()}, OUT / "adamw.safetensors")
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

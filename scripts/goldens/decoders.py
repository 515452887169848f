"""What goldens of decoders share: a tiny random network, and what transformers computes with it.

Logits with and without padding, the loss, every gradient, ids by greedy and beam search, and, where asked, losses and
weights of ten AdamW steps. Texts of 24 tokens are longer than windows and original lengths of 16.
"""

import copy
import json
import shutil

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261126
VOCAB = 41
TOKENS = 24


def random_model(network, config):
    config._attn_implementation = "eager"
    torch.manual_seed(SEED)
    model = network(config)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for key, parameter in model.named_parameters():
            norm = "norm" in key or ".ln_" in key
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (norm and key.endswith("weight")))
    return model.eval()


def batch():
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(4, VOCAB, (3, TOKENS), generator=generator)
    ids[:, 0] = 1
    left = torch.ones_like(ids)
    left[0, :2] = 0
    left[2, :9] = 0
    right = left.flip(1)
    labels = ids.clone()
    labels[0, 2:4] = -100
    labels[right == 0] = -100
    return ids, left, right, labels


def generations(model, new_tokens):
    prompts = [[1, 17, 5], [1, 9, 33, 40, 12], [1, 28]]
    found = []
    for options in (dict(max_new_tokens=new_tokens), dict(num_beams=3, max_new_tokens=new_tokens - 2)):
        for prompt in prompts:
            output = copy.deepcopy(model).generate(
                torch.tensor([prompt]), do_sample=False, pad_token_id=0, eos_token_id=2, bos_token_id=1, **options,
            )
            found.append({"options": options, "prompt": prompt, "sequences": output.tolist()})
    return found


def by_parts(model, ids):
    """Logits of a text of which 9, 1 and 14 tokens are read at a time, each time with a cache of those before."""
    cache = transformers.DynamicCache(config=model.config)
    parts = [model(input_ids=part, past_key_values=cache).logits for part in ids.split([9, 1, TOKENS - 10], dim=1)]
    return torch.cat(parts, dim=1)


def ten_steps(model, inputs):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for _ in range(10):
        loss = model(**inputs).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def write(folder, model, steps=False, grows=False, new_tokens=22):
    """The checkpoint in FOLDER/model and what transformers computes with it, each time from a fresh copy.

    `grows`: what a cache holds depends on how long the text was by then, so that reading by parts is another result.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    model.save_pretrained(folder / "model", safe_serialization=True)
    (folder / "model/generation_config.json").unlink(missing_ok=True)
    ids, left, right, labels = batch()
    result = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED},
        "ids": ids.tolist(), "left": left.tolist(), "right": right.tolist(), "labels": labels.tolist(),
    }
    logits = {}
    with torch.no_grad():
        for side, mask in {"none": torch.ones_like(ids), "left": left, "right": right}.items():
            positions = (mask.cumsum(1) * mask - 1).clamp(min=0)
            logits[side] = copy.deepcopy(model)(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        if grows:
            logits["parts"] = by_parts(copy.deepcopy(model), ids)
    save_file({side: x.contiguous() for side, x in logits.items()}, folder / "logits.safetensors")
    result["generate"] = generations(model, new_tokens)
    inputs = dict(input_ids=ids, attention_mask=right, labels=labels)
    loss = model(**inputs).loss
    loss.backward()
    result["loss"] = loss.item()
    # A tied head is one parameter, by its first name.
    save_file({n: p.grad.contiguous() for n, p in model.named_parameters()}, folder / "gradients.safetensors")
    if steps:
        result["adamw"] = ten_steps(model, inputs)
        save_file({n: p.detach().contiguous() for n, p in model.named_parameters()}, folder / "adamw.safetensors")
    (folder / "goldens.json").write_text(json.dumps(result) + "\n")

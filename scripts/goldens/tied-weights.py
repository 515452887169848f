"""Logits of the tiny golden models with a head of their own, as transformers computes them.

    python scripts/goldens/tied-weights.py > test/goldens/tied-weights.json

The head's matrix is the token table with its rows in reverse order, times 0.5.
"""
import json
import pathlib

import torch
import transformers

GOLDENS = pathlib.Path(__file__).parents[2] / "test/goldens"
IDS = [[2, 17, 5, 33], [2, 9, 40, 12]]
CASES = {
    "biogpt": ("biogpt/model", transformers.BioGptForCausalLM, "biogpt.embed_tokens", "output_projection"),
    "bert": ("bert/masked", transformers.BertForMaskedLM, "bert.embeddings.word_embeddings", "cls.predictions.decoder"),
}

made = {"made_by": "scripts/goldens/tied-weights.py", "versions": {"torch": torch.__version__, "transformers": transformers.__version__}, "ids": IDS}
for name, (folder, kind, table, head) in CASES.items():
    model = kind.from_pretrained(GOLDENS / folder, tie_word_embeddings=False, attn_implementation="eager").eval()
    rows = model.get_submodule(table).weight.detach().flip(0) * 0.5
    model.get_submodule(head).weight = torch.nn.Parameter(rows)
    if name == "bert":
        model.cls.predictions.decoder.bias = torch.nn.Parameter(model.cls.predictions.bias.detach().clone())
    with torch.no_grad():
        made[name] = [round(x, 6) for x in model(input_ids=torch.tensor(IDS)).logits.flatten().tolist()]
print(json.dumps(made))

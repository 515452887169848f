"""Goldens for BERT and BERT-hash: tiny random checkpoints, one for each head, and what torch computes with them.

    python scripts/goldens/bert.py          (needs torch and transformers; writes test/goldens/bert/)

Logits, loss, every gradient, ten AdamW losses and the weights after them; hidden states and pooled output with padding.
BERT-hash has no class in transformers: here it is BertModel whose token table is factorised.
"""

import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import load_file, save_file

SEED = 20261121
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/bert"

IDS = [[2, 17, 5, 44, 3, 12, 58, 3], [2, 9, 33, 40, 12, 3, 0, 0], [2, 58, 3, 0, 0, 0, 0, 0]]
MASK = [[int(i < n) for i in range(8)] for n in (8, 6, 3)]
TYPES = [[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 1, 1, 0, 0], [0] * 8]


class FactorisedTable(torch.nn.Module):
    def __init__(self, vocab, projections, width, bias):
        super().__init__()
        self.embeddings = torch.nn.Embedding(vocab, projections)
        self.project = torch.nn.Linear(projections, width, bias=bias)

    def forward(self, ids):
        return self.project(self.embeddings(ids))


def config(**options):
    settings = dict(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=40, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, layer_norm_eps=1e-12,
    )
    result = transformers.BertConfig(**{**settings, **options})
    result._attn_implementation = "eager"
    return result


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("Norm.weight" in name))
    return model.eval()


def tensors():
    return dict(input_ids=torch.tensor(IDS), attention_mask=torch.tensor(MASK), token_type_ids=torch.tensor(TYPES))


def adamw(model, labels, steps=10):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for _ in range(steps):
        loss = model(**tensors(), labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def case(name, model, labels, rename=lambda n: n):
    """Saves the checkpoint, its gradients and its weights after ten steps; gives the figures."""
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=True)
    inputs = tensors()
    result = {"labels": labels.tolist()}
    output = model(**inputs, labels=labels)
    result["logits"] = [round(x, 6) for x in output.logits.flatten().tolist()]
    result["loss"] = output.loss.item()
    output.loss.backward()
    used = {rename(n): p for n, p in model.named_parameters() if p.grad is not None}
    save_file({n: p.grad.contiguous() for n, p in used.items()}, folder / "gradients.safetensors")
    model.zero_grad()
    result["adamw"] = adamw(model, labels)
    save_file({n: p.detach().contiguous() for n, p in used.items()}, folder / "adamw.safetensors")
    return result


def masked_labels():
    labels = torch.tensor(IDS)
    keep = torch.zeros_like(labels, dtype=torch.bool)
    for row, column in ((0, 1), (0, 6), (1, 2), (1, 4), (2, 1)):
        keep[row, column] = True
    labels[~keep] = -100
    labels[0, 6] = 11
    return labels


def hash_model(bias):
    model = transformers.BertForMaskedLM(config(tie_word_embeddings=False))
    model.bert.embeddings.word_embeddings = FactorisedTable(60, 6, 32, bias)
    return randomise(model)


def hash_case(name, bias):
    """A decoder of its own; names are whatever the module gives, for the reader to discover."""
    model = hash_model(bias)
    ours = {
        "bert.embeddings.word_embeddings.embeddings.weight": "bert.embeddings.word_embeddings.weight",
        "bert.embeddings.word_embeddings.project.weight": "bert.embeddings.projection.weight",
        "bert.embeddings.word_embeddings.project.bias": "bert.embeddings.projection.bias",
    }
    result = case(name, model, masked_labels(), lambda n: ours.get(n, n))
    settings = json.loads((OUT / name / "config.json").read_text())
    settings |= {"model_type": "bert_hash", "architectures": ["BertHashForMaskedLM"], "projections": 6}
    (OUT / name / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    return result


def old_names(name):
    """The bare model as converted from TensorFlow: LayerNorm.gamma and .beta, with a prefix that is not expected."""
    folder = OUT / name
    weights = load_file(OUT / "bare/model.safetensors")
    renamed = {
        "bert." + n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): x
        for n, x in weights.items() if not n.startswith("pooler")
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})
    shutil.copy(OUT / "bare/config.json", folder / "config.json")


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
    result = {"versions": versions, "ids": IDS, "mask": MASK, "types": TYPES, "heads": {}}
    heads = result["heads"]
    heads["masked"] = case("masked", randomise(transformers.BertForMaskedLM(config())), masked_labels())
    single = transformers.BertForSequenceClassification(config(num_labels=3))
    heads["single"] = case("single", randomise(single), torch.tensor([2, 0, 1]))
    several = transformers.BertForSequenceClassification(
        config(num_labels=4, problem_type="multi_label_classification")
    )
    heads["several"] = case("several", randomise(several), torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]]))
    regression = transformers.BertForSequenceClassification(config(num_labels=1))
    heads["regression"] = case("regression", randomise(regression), torch.tensor([0.5, -1.25, 3.0]))
    tokens = transformers.BertForTokenClassification(config(num_labels=5))
    labels = torch.tensor(IDS) % 5
    labels[torch.tensor(MASK) == 0] = -100
    labels[:, 0] = -100
    heads["tokens"] = case("tokens", randomise(tokens), labels)
    heads["hash"] = hash_case("hash", bias=False)
    heads["hash-bias"] = hash_case("hash-bias", bias=True)

    bare = randomise(transformers.BertModel(config()))
    shutil.rmtree(OUT / "bare", ignore_errors=True)
    bare.save_pretrained(OUT / "bare", safe_serialization=True)
    old_names("old-names")
    with torch.no_grad():
        output = bare(**tensors())
    result["hidden"] = [round(x, 6) for x in output.last_hidden_state.flatten().tolist()]
    result["pooled"] = [round(x, 6) for x in output.pooler_output.flatten().tolist()]
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

"""Goldens for embeddings, cross-encoders and ColBERT: tiny random models, saved and run by sentence-transformers, PyLate.

    python scripts/goldens/retrieval.py     (needs sentence-transformers 5.3 and pylate; writes test/goldens/retrieval/)
"""

import json
import logging
import pathlib
import shutil
import string

import pylate
import sentence_transformers
import torch
import transformers
from pylate import models as pylate_models
from pylate import scores as pylate_scores
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, SentenceTransformer, models

logging.disable(logging.WARNING)
SEED = 20261121
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/retrieval"

TEXTS = [
    "Aspirin lowers the risk of stroke.",
    "Does insulin help?",
    "  Renal failure (acute), stage 3: treated with dialysis; outcome unknown.  ",
    "A",
    "",
    "The heart, the lung and the kidney are organs. " * 4,
    "gene-gene interaction in mice",
]
PAIRS = [(TEXTS[1], TEXTS[0]), (TEXTS[3], TEXTS[5]), (TEXTS[6], ""), (TEXTS[2], TEXTS[2])]
QUERIES = ["Does insulin help?", "acute renal failure, stage 3", "x" * 3, " ".join(["kidney"] * 30)]


def tokenizer(folder):
    letters = list(string.ascii_lowercase) + list(string.digits)
    words = ["the", "of", "and", "kidney", "##al", "heart", "renal", "stroke", "insulin", "gene"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
    vocab += letters + [f"##{x}" for x in letters] + list(string.punctuation) + words
    ids = {token: i for i, token in enumerate(vocab)}
    transformers.BertTokenizer(vocab=ids, do_lower_case=True, model_max_length=64).save_pretrained(folder)
    return len(vocab)


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("Norm.weight" in name))
    return model.eval()


def config(vocab, **options):
    return transformers.BertConfig(
        vocab_size=vocab, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
        max_position_embeddings=64, **options,
    )


def fresh(name):
    shutil.rmtree(OUT / name, ignore_errors=True)
    return str(OUT / name)


def tidy(name):
    (OUT / name / "README.md").unlink(missing_ok=True)


def rounded(x):
    return [round(float(v), 6) for v in torch.as_tensor(x).flatten()]


def embedders(base, result):
    def build(name, *stages, prompts=None, default=None, length=None):
        transformer = models.Transformer(base, max_seq_length=length)
        randomise(transformer.auto_model)
        built = [stage() for stage in stages]
        for stage in built:
            randomise(stage)
        model = SentenceTransformer(modules=[transformer, *built], device="cpu", prompts=prompts, default_prompt_name=default)
        model.save_pretrained(fresh(name), create_model_card=False)
        tidy(name)
        return model

    def dense(**options):
        return lambda: models.Dense(in_features=32, out_features=20, **options)

    def pooling(**options):
        return lambda: models.Pooling(32, **{"pooling_mode_mean_tokens": False, **options})

    every = {f"pooling_mode_{m}": True for m in (
        "cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")}
    prompts = {"query": "query: ", "document": ""}
    cases = {
        "mean": build("mean", pooling(pooling_mode_mean_tokens=True), dense(), models.Normalize, length=24),
        "every": build("every", pooling(**every)),
        "prompt": build(
            "prompt", pooling(pooling_mode_mean_tokens=True, include_prompt=False),
            dense(bias=False, activation_function=torch.nn.Identity()), prompts=prompts, default="query",
        ),
    }
    for name, model in cases.items():
        result["embeddings"][name] = rounded(model.encode(TEXTS))
    result["embeddings"]["prompt, none"] = rounded(cases["prompt"].encode(TEXTS, prompt=""))


def cross_encoders(base, vocab, result):
    def build(name, labels, edit=None, activation=None):
        model = randomise(transformers.BertForSequenceClassification(config(vocab, num_labels=labels)))
        model.save_pretrained(OUT / "base-head")
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(pathlib.Path(base) / file, OUT / "base-head" / file)
        encoder = CrossEncoder(str(OUT / "base-head"), activation_fn=activation, device="cpu")
        encoder.save_pretrained(fresh(name), create_model_card=False) if hasattr(encoder, "save_pretrained") else encoder.save(fresh(name))
        tidy(name)
        shutil.rmtree(OUT / "base-head")
        if edit is not None:
            path = OUT / name / "config.json"
            path.write_text(json.dumps(edit(json.loads(path.read_text())), indent=2) + "\n")
        encoder = CrossEncoder(str(OUT / name), device="cpu")
        result["scores"][name] = {
            "scores": rounded(encoder.predict(PAIRS)),
            "logits": rounded(encoder.predict(PAIRS, activation_fn=torch.nn.Identity())),
        }

    build("cross-one", 1)
    build("cross-three", 3)
    build("cross-identity", 1, activation=torch.nn.Identity())

    def old(settings):
        settings.pop("sentence_transformers", None)
        return settings | {"sbert_ce_default_activation_function": "torch.nn.modules.activation.Tanh"}

    build("cross-old", 1, edit=old)

    def none(settings):
        settings.pop("sentence_transformers", None)
        return settings

    build("cross-default", 1, edit=none)


def colbert(base, vocab, result):
    # PyLate adds "[Q] " and "[D] " to the tokenizer and two rows to the token table.
    model = pylate_models.ColBERT(base, embedding_size=16, document_length=40, query_length=20, device="cpu")
    randomise(model[0].auto_model)
    randomise(model[1])
    model.save_pretrained(fresh("colbert"), create_model_card=False)
    tidy("colbert")
    attending = pylate_models.ColBERT(str(OUT / "colbert"), attend_to_expansion_tokens=True, device="cpu")
    plain = pylate_models.ColBERT(str(OUT / "colbert"), do_query_expansion=False, skiplist_words=[], device="cpu")

    # Stanford's layout: the network with its prefix, linear.weight at the root, artifact.metadata.
    stanford = OUT / "stanford"
    shutil.rmtree(stanford, ignore_errors=True)
    stanford.mkdir(parents=True)
    bare = randomise(transformers.BertModel(config(vocab)))
    weights = {f"bert.{n}": p.detach().contiguous() for n, p in bare.named_parameters()}
    weights["linear.weight"] = torch.randn(16, 32) * 0.3
    save_file(weights, stanford / "model.safetensors", {"format": "pt"})
    settings = config(vocab).to_dict() | {"architectures": ["HF_ColBERT"], "model_type": "bert"}
    (stanford / "config.json").write_text(json.dumps(settings, indent=2) + "\n")
    metadata = {
        "query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 18, "doc_maxlen": 36,
        "attend_to_mask_tokens": False, "mask_punctuation": True,
    }
    (stanford / "artifact.metadata").write_text(json.dumps(metadata, indent=2) + "\n")
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(pathlib.Path(base) / file, stanford / file)
    cases = {
        "colbert": model, "attending": attending, "plain": plain,
        "stanford": pylate_models.ColBERT(str(stanford), device="cpu"),
    }
    for name, encoder in cases.items():
        queries = encoder.encode(QUERIES, is_query=True)
        documents = encoder.encode(TEXTS, is_query=False)
        result["colbert"][name] = {
            "queries": [rounded(q) for q in queries],
            "documents": [rounded(d) for d in documents],
            "scores": [
                [round(float(pylate_scores.colbert_scores(q[None], d[None])[0, 0]), 5) for d in documents]
                for q in queries
            ],
        }


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    base = fresh("base")
    vocab = tokenizer(base)
    randomise(transformers.BertModel(config(vocab))).save_pretrained(base)
    result = {
        "versions": {
            "torch": torch.__version__, "transformers": transformers.__version__,
            "sentence-transformers": sentence_transformers.__version__,
            "pylate": pylate.__version__, "seed": SEED,
        },
        "texts": TEXTS, "pairs": PAIRS, "queries": QUERIES, "embeddings": {}, "scores": {}, "colbert": {},
    }
    embedders(base, result)
    cross_encoders(base, vocab, result)
    colbert(base, vocab, result)
    shutil.rmtree(base)
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

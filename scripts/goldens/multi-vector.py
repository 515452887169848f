"""Goldens for Sentence Transformers' multi-vector directories: tiny random models, saved and run by that library.

    python scripts/goldens/multi-vector.py     (needs sentence-transformers 6; writes test/goldens/multi-vector/)
"""

import json
import logging
import pathlib
import shutil
import string

import sentence_transformers
import torch
import transformers
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import HierarchicalTokenPooling, MultiVectorMask

logging.disable(logging.WARNING)
SEED = 20261124
HERE = pathlib.Path(__file__).parents[2] / "test/goldens"
OUT = HERE / "multi-vector"
SHARED = json.loads((HERE / "retrieval/goldens.json").read_text())
TEXTS, QUERIES = SHARED["texts"], SHARED["queries"]
PUNCTUATION = list(string.punctuation)


def tokenizer(folder, marks):
    letters = list(string.ascii_lowercase) + list(string.digits)
    words = ["the", "of", "and", "kidney", "##al", "heart", "renal", "stroke", "insulin", "gene"]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
    vocab += letters + [f"##{x}" for x in letters] + PUNCTUATION + words
    made = transformers.BertTokenizer(vocab={t: i for i, t in enumerate(vocab)}, do_lower_case=True, model_max_length=64)
    if marks:
        made.add_special_tokens({"extra_special_tokens": [transformers.AddedToken(x, normalized=False) for x in marks]})
    made.save_pretrained(folder)
    return len(made)


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("Norm.weight" in name))


def build(name, *, mask=None, dense={}, normalize=True, pooling=False, prompts=None, default=None, marks=(), **lengths):
    base = OUT / "base"
    vocab = tokenizer(base, marks)
    config = transformers.BertConfig(
        vocab_size=vocab, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(base)
    modules = [Transformer(str(base), **lengths)]
    modules.append(Dense(16, 8, module_input_name="token_embeddings", **{"bias": False, "activation_function": None, **dense}))
    modules += [] if mask is None else [MultiVectorMask(**mask)]
    modules += [Normalize("token_embeddings")] if normalize else []
    modules += [HierarchicalTokenPooling(2)] if pooling else []
    for module in modules[:2]:
        randomise(module)
    model = MultiVectorEncoder(modules=modules, device="cpu", prompts=prompts, default_prompt_name=default)
    shutil.rmtree(OUT / name, ignore_errors=True)
    model.save_pretrained(str(OUT / name), create_model_card=False)
    shutil.rmtree(base)
    model = MultiVectorEncoder(str(OUT / name), device="cpu")
    queries, documents = model.encode_query(QUERIES), model.encode_document(TEXTS)

    def rounded(vectors):
        return [round(float(x), 6) for x in vectors.flatten()]

    return {
        "queries": [rounded(x) for x in queries], "documents": [rounded(x) for x in documents],
        "scores": [[round(float(x), 6) for x in row] for row in model.similarity(queries, documents)],
    }


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    expansion = {"strategy": "fixed", "length": 20}
    result = {
        "versions": {
            "sentence-transformers": sentence_transformers.__version__, "torch": torch.__version__,
            "transformers": transformers.__version__, "seed": SEED,
        },
        "models": {
            "plain": build("plain", mask={}),
            "fixed": build(
                "fixed", mask={"skiplist_words": PUNCTUATION}, query_expansion=expansion, document_length=40,
                prompts={"query": "[Q] ", "document": "[D] "}, marks=["[Q] ", "[D] "],
            ),
            "attending": build("attending", mask={"skiplist_words": [".", "zzz"]}, query_expansion=expansion | {"attend": True}),
            "min": build(
                "min", mask={"skiplist_words": PUNCTUATION, "skiplist_tasks": ["query", "document"]},
                query_expansion={"strategy": "min", "length": 12, "token": "[unused0]"}, query_length=24, document_length=30,
                prompts={"query": "find: ", "passage": "x"}, dense={"bias": True, "activation_function": torch.nn.Tanh()},
            ),
            "unmasked": build(
                "unmasked", normalize=False, query_length=16, prompts={"query": None, "all": "the "}, default="all",
                dense={"use_residual": True},
            ),
            "pooling": build("pooling", mask={}, pooling=True),
        },
    }
    del result["models"]["pooling"]  # only its directory: it must be refused
    (OUT / "goldens.json").write_text(json.dumps(result) + "\n")


main()

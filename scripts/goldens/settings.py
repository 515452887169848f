"""Goldens for the settings of model directories: those of retrieval.py, each with a setting changed, run by the libraries.

    python scripts/goldens/settings.py     (after retrieval.py; needs what that needs; writes test/goldens/settings.json)
"""

import json
import logging
import pathlib
import shutil
import tempfile

import pylate
import sentence_transformers
import torch
from pylate import models as pylate_models
from pylate import scores as pylate_scores
from sentence_transformers import CrossEncoder, SentenceTransformer

logging.disable(logging.WARNING)
GOLDENS = pathlib.Path(__file__).parents[2] / "test/goldens"

QUERIES = ["Does Insulin help?", "acute renal failure, stage 3"]
TEXTS = [
    "Aspirin lowers the risk of stroke.",
    "  Renal failure (acute), stage 3: treated with dialysis; outcome unknown.  ",
    "The Heart “and” the lung.",
    "",
]
SETTINGS = "config_sentence_transformers.json"
TRANSFORMER = "sentence_bert_config.json"
TOKENIZER = "tokenizer_config.json"
# The tokenizer of the directories makes letters small by itself; this one does not.
CASED = {"tokenizer.json": {"normalizer.lowercase": False}, TOKENIZER: {"do_lower_case": False}}
roles = {"query": "query: ", "document": "passage: "}

# name: directory, then file -> dotted path -> value
EMBEDDERS = {
    "no change": ["prompt", {}],
    "prompts": ["prompt", {SETTINGS: {"prompts": roles, "default_prompt_name": None}}],
    "a default prompt for documents": ["prompt", {SETTINGS: {"prompts": roles, "default_prompt_name": "document"}}],
    "another default prompt": [
        "mean", {SETTINGS: {"prompts": {"query": "", "document": "", "sts": "of: "}, "default_prompt_name": "sts"}},
    ],
    "max_seq_length": ["mean", {TRANSFORMER: {"max_seq_length": 8}}],
    "a cased tokenizer": ["mean", CASED],
    "do_lower_case": ["mean", CASED | {TRANSFORMER: {"do_lower_case": True}}],
    "dot": ["every", {SETTINGS: {"similarity_fn_name": "dot"}}],
    "euclidean": ["every", {SETTINGS: {"similarity_fn_name": "euclidean"}}],
    "manhattan": ["every", {SETTINGS: {"similarity_fn_name": "manhattan"}}],
}
COLBERTS = {
    "no change": ["colbert", {}],
    "a cased tokenizer": ["colbert", CASED],
    "do_lower_case": ["colbert", CASED | {TRANSFORMER: {"do_lower_case": True}}],
    "a default prompt": ["colbert", {SETTINGS: {"prompts": {"a": "The: "}, "default_prompt_name": "a"}}],
    "query_length": ["colbert", {SETTINGS: {"query_length": 9}}],
    "document_length": ["colbert", {SETTINGS: {"document_length": 9}}],
    "query_prefix": ["colbert", {SETTINGS: {"query_prefix": "[unused0]"}}],
    "document_prefix": ["colbert", {SETTINGS: {"document_prefix": "[unused1]"}}],
    "attend_to_expansion_tokens": ["colbert", {SETTINGS: {"attend_to_expansion_tokens": True}}],
    "do_query_expansion": ["colbert", {SETTINGS: {"do_query_expansion": False}}],
    "skiplist_words": ["colbert", {SETTINGS: {"skiplist_words": [".", "the"]}}],
    # The vocabulary has no such quotation mark, and the texts have: both are the unknown token.
    "skiplist_words that are no tokens": ["colbert", {SETTINGS: {"skiplist_words": ["„"]}}],
}
CROSS_ENCODERS = {
    "no change": ["cross-one", {}],
    "model_max_length": ["cross-one", {TOKENIZER: {"model_max_length": 12}}],
    "activation_fn": [
        "cross-one", {"config.json": {"sentence_transformers.activation_fn": "torch.nn.modules.activation.Tanh"}},
    ],
}


def changed(scratch, name, changes):
    folder = pathlib.Path(tempfile.mkdtemp(dir=scratch))
    shutil.copytree(GOLDENS / "retrieval" / name, folder, dirs_exist_ok=True)
    for file, values in changes.items():
        document = json.loads((folder / file).read_text())
        for path, value in values.items():
            *parents, last = path.split(".")
            place = document
            for parent in parents:
                place = place[parent]
            place[last] = value
        (folder / file).write_text(json.dumps(document))
    return str(folder)


def rounded(x):
    return [round(float(v), 6) for v in torch.as_tensor(x).flatten()]


def main() -> None:
    result = {
        "versions": {
            "torch": torch.__version__, "sentence-transformers": sentence_transformers.__version__,
            "pylate": pylate.__version__,
        },
        "queries": QUERIES, "texts": TEXTS, "embedders": {}, "colberts": {}, "crossEncoders": {},
    }
    with tempfile.TemporaryDirectory() as scratch:
        for name, (folder, changes) in EMBEDDERS.items():
            model = SentenceTransformer(changed(scratch, folder, changes), device="cpu")
            scores = model.similarity(model.encode_query(QUERIES), model.encode_document(TEXTS))
            result["embedders"][name] = {
                "folder": folder, "changes": changes,
                "plain": rounded(model.encode(TEXTS)), "scores": [rounded(row) for row in scores],
            }
        for name, (folder, changes) in COLBERTS.items():
            model = pylate_models.ColBERT(changed(scratch, folder, changes), device="cpu")
            queries = model.encode(QUERIES, is_query=True)
            documents = model.encode(TEXTS, is_query=False)
            result["colberts"][name] = {
                "folder": folder, "changes": changes,
                "counts": [len(d) for d in documents],
                "scores": [
                    [round(float(pylate_scores.colbert_scores(q[None], d[None])[0, 0]), 5) for d in documents]
                    for q in queries
                ],
            }
        for name, (folder, changes) in CROSS_ENCODERS.items():
            model = CrossEncoder(changed(scratch, folder, changes), device="cpu")
            pairs = [(query, text) for query in QUERIES for text in TEXTS]
            result["crossEncoders"][name] = {
                "folder": folder, "changes": changes, "scores": rounded(model.predict(pairs)),
            }
    (GOLDENS / "settings.json").write_text(json.dumps(result, ensure_ascii=False) + "\n")


main()

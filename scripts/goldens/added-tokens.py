"""Added and special tokens of tokenizer folders, as transformers reads them and writes them.

    python scripts/goldens/added-tokens.py > test/goldens/added-tokens.json

Own vocabularies of a few pieces. Each case: the folder's files, and for every text its ids and what they decode to, with
special tokens and without.
"""
import json
import os
import pathlib
import platform
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
import transformers
from transformers import AddedToken, BertTokenizer, BioGptTokenizer, PreTrainedTokenizerFast

BIOGPT = {
    "vocab.json": json.dumps(
        {
            piece: id
            for id, piece in enumerate(
                ["<s>", "<pad>", "</s>", "<unk>", "a</w>", "b</w>", "x</w>", "y</w>", "ab</w>", "a", "x", "&lt;</w>"]
            )
        }
    ),
    "merges.txt": "a b</w>\n",
}
BERT_TOKENS = "[PAD] [UNK] [CLS] [SEP] [MASK] a b x y ab ##b < > drug q [ ] mask 中".split(" ")
BERT = {"vocab.txt": "".join(f"{token}\n" for token in BERT_TOKENS)}
TEXTS = [
    "",
    "a <drug> b",
    "a<drug>b",
    "<drug><drug> a",
    "a\t<drug>\u00a0 b <mask> x",
    "<mask>y<q> a",
    "x <drug>  <mask> <q>y",
    "ab <s> a</s>b [MASK] a[SEP]b",
    "<DRUG> a <Drug>",
    "q<q> <q>q <q> <q>",
    "a <q> <drug> ab ab.",
    "中<q>中 <drug>\u2003",
]
FLAGS = {
    "lstrip": {"lstrip": True},
    "rstrip": {"rstrip": True},
    "single word": {"single_word": True},
    "lstrip and single word": {"lstrip": True, "single_word": True},
    "rstrip and single word": {"rstrip": True, "single_word": True},
    "not normalized": {"normalized": False},
    "special": {"special": True, "normalized": False},
}


def read(kind, files):
    with tempfile.TemporaryDirectory() as folder:
        for name, contents in files.items():
            (pathlib.Path(folder) / name).write_text(contents, "utf-8")
        return kind.from_pretrained(folder)


def saved(tokenizer):
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {path.name: path.read_text("utf-8") for path in sorted(pathlib.Path(folder).iterdir())}


def case(name, kind, files):
    tokenizer = read(kind, files)
    rows = []
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        plain = {"clean_up_tokenization_spaces": False}
        rows.append([text, ids, tokenizer.decode(ids, **plain), tokenizer.decode(ids, skip_special_tokens=True, **plain)])
    return {"name": name, "files": files, "size": len(tokenizer), "rows": rows}


def configured(files, **contents):
    return {**files, **{f"{name}.json": json.dumps(content) for name, content in contents.items()}}


def cases(kind, files, size, named):
    ends = {str(size): {"content": "<drug>"}, str(size + 1): {"content": "<q>", "single_word": True}}
    for name, flags in FLAGS.items():
        decoder = {**ends, str(size): {"content": "<drug>", **flags}}
        yield case(name, kind, configured(files, tokenizer_config={"added_tokens_decoder": decoder}))
    mask = {"content": "<mask>", "lstrip": True, "rstrip": False, "single_word": False, "normalized": False}
    yield case(
        "the older files",
        kind,
        configured(files, special_tokens_map={"mask_token": mask}, added_tokens={"<drug>": size, "<q>": size + 1}),
    )
    yield case(
        "a list in special_tokens_map.json, which goes before tokenizer_config.json",
        kind,
        configured(
            files,
            tokenizer_config={"mask_token": "a"},
            special_tokens_map={"mask_token": "<mask>", "additional_special_tokens": ["<q>"]},
            added_tokens={"<drug>": size},
        ),
    )
    yield case(
        "a list in tokenizer_config.json, and a token of a name of its own",
        kind,
        configured(files, tokenizer_config={"extra_special_tokens": ["<q>", "<drug>"], "image_token": "<mask>"}),
    )
    yield case("other names for special tokens", kind, configured(files, tokenizer_config=named))
    tokenizer = read(kind, files)
    tokenizer.add_tokens(["<drug>", AddedToken("<q>", single_word=True)])
    tokenizer.add_special_tokens({"mask_token": AddedToken("<mask>", lstrip=True), "extra_special_tokens": ["ab"]})
    yield case("what transformers saves", kind, saved(tokenizer))


def beside_tokenizer_json():
    """Tokens of tokenizer.json and of tokenizer_config.json that differ, by the two kinds of class."""
    tokenizer = read(BertTokenizer, BERT)
    tokenizer.add_tokens(["<drug>"])
    files = saved(tokenizer)
    named = {f"{role}_token": f"[{role.upper()}]" for role in ("unk", "sep", "pad", "cls", "mask")}
    size = len(BERT_TOKENS)
    listed = [(id, {"content": BERT_TOKENS[id], "special": True}) for id in range(5)]
    listed += [(size, {"content": "<drug>", "single_word": True}), (size + 1, {"content": "<q>", "rstrip": True})]
    config = {**named, "added_tokens_decoder": {str(id): token for id, token in listed}}
    for kind in (BertTokenizer, PreTrainedTokenizerFast):
        contents = {**config, "tokenizer_class": kind.__name__}
        yield case(f"tokenizer.json and a list beside it, as {kind.__name__}", kind, configured(files, tokenizer_config=contents))


def main():
    versions = {module.__name__: module.__version__ for module in (transformers, tokenizers)}
    made = {
        "made_by": "scripts/goldens/added-tokens.py",
        "versions": {"python": platform.python_version(), **versions},
        "biogpt": list(cases(BioGptTokenizer, BIOGPT, 12, {"pad_token": "<q>", "eos_token": "a</w>", "bos_token": "b</w>"})),
        "bert": [
            *cases(BertTokenizer, BERT, len(BERT_TOKENS), {"pad_token": "<q>", "sep_token": "a", "mask_token": "ab"}),
            *beside_tokenizer_json(),
        ],
    }
    print(json.dumps(made, ensure_ascii=False, indent=1))


main()

"""What the reference libraries make of 10,000 texts with tokenizers that `galen tokenizer extend` wrote: Hugging Face
tokenizers of tokenizer.json, sentencepiece of tokenizer.model, transformers of a whole folder. The golden file holds no
text: how many tokens there are, and a SHA-256 of the ids, for each library.

    python scripts/goldens/extend.py SHARED [OUTPUT]

SHARED is the data folder beside the checkout; node and the checkout's own galen make the tokenizers. Extending repeats, so
the test makes them again. Versions stand inside.
"""

import hashlib
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import sentencepiece
import tokenizers
import transformers

SHARED = pathlib.Path(sys.argv[1])
OUTPUT = sys.argv[2] if len(sys.argv) > 2 else "test/goldens/extend.json"

# Name, where it begins, documents, tokens. What begins with "train" is learned here first.
CASES = [
    ("metaspace-bpe", "llama-2", "abstracts", 2000),
    ("biogpt", "biogpt", "abstracts", 1000),
    ("bert", "pubmedbert", "abstracts", 1000),
    ("byte-bpe", "train", "clinical-dialogues", 500),
]
FILES = ["abstracts", "clinicaltrials", "nih-questions", "pmc-plant-nutrition"]
OF_EACH = 2500
CHARACTERS = 1000


def corpus(name):
    return SHARED / "data" / "corpus" / f"{name}.jsonl.zst"


def texts():
    for name in FILES:
        raw = subprocess.run(["zstd", "-dc", corpus(name)], check=True, capture_output=True).stdout
        for line in raw.decode("utf-8").split("\n")[:OF_EACH]:
            yield json.loads(line)["text"][:CHARACTERS]


def galen(*arguments):
    subprocess.run(["node", "bin/galen.js", "tokenizer", *map(str, arguments), "--json"], check=True, stdout=subprocess.DEVNULL)


def digest(encode, all_texts):
    sha, count = hashlib.sha256(), 0
    for text in all_texts:
        ids = encode(text)
        sha.update(struct.pack(f"<{len(ids) + 1}i", len(ids), *ids))
        count += len(ids)
    return {"tokens": count, "sha256": sha.hexdigest()}


def of_libraries(kind, folder, all_texts):
    found = {}
    if kind != "biogpt":
        fast = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        fast.no_truncation()
        fast.no_padding()
        found["tokenizers"] = digest(lambda text: fast.encode(text).ids, all_texts)
    if (folder / "tokenizer.model").exists():
        model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
        found["sentencepiece"] = digest(lambda text: model.encode(text, add_bos=True), all_texts)
    whole = transformers.BioGptTokenizer.from_pretrained(folder) if kind == "biogpt" else transformers.AutoTokenizer.from_pretrained(folder)
    found["transformers"] = digest(lambda text: whole(text, verbose=False)["input_ids"], all_texts)
    return found


def main():
    all_texts = list(texts())
    result = {
        "versions": {module.__name__: module.__version__ for module in (tokenizers, sentencepiece, transformers)},
        "files": FILES,
        "ofEach": OF_EACH,
        "characters": CHARACTERS,
        "cases": [],
    }
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for kind, start, documents, count in CASES:
            base = SHARED / "data" / "tokenizers" / start
            if start == "train":
                base = place / "base"
                galen("train", corpus("abstracts"), "--family", kind, "--vocab-size", 4000, "--output", base)
            folder = place / kind
            galen("extend", base, corpus(documents), "--tokens", count, "--output", folder)
            found = of_libraries(kind, folder, all_texts)
            result["cases"].append({"kind": kind, "base": start, "documents": documents, "tokens": count, "ids": found})
            print(kind, found)
    with open(OUTPUT, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        file.write("\n")


if __name__ == "__main__":
    main()

"""Writes test/goldens/bert-tokenizer.json with Hugging Face tokenizers (Rust).

    python scripts/goldens/bert-tokenizer.py [folder of shared data]

Own vocabulary and generated strings: ids and offsets (UTF-16 units) in full. Real vocabularies and abstracts, and all
code points: SHA-256 only. A hash is over one line a text: "id,id,... start,end,start,end,...".
"""
import hashlib
import json
import os
import random
import subprocess
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SEED = 20261121
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "../../test/goldens/bert-tokenizer.json")
SHARED = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "../../../shared/data")
# The settings that are tried on every code point: with decomposition, without, and with nothing at all.
EVERY = [{}, {"strip": False}, {"clean": False, "chinese": False, "strip": False, "lower": False}]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def vocabulary():
    characters = [chr(c) for c in range(0x21, 0x7F)]
    characters += list("àéöñüçßıøæœđłαβγδεσςωабвгдеёкйİΣÉÅµ½²①ﬁ中国人日本あアがｶ가한글ᄀ학ᆫกำแไएकिখ🦙😀𝒳𝔸²’“”–—。，？\u0301\u0307\u0308\u0323\u0345\u200d\u0f71\u0f72\u302e")
    words = """cell cells gene genes protein un aff able express ion ing ed s the of in is not don t p 53 il kinase tumor
        tumour mg ml dose HIV cancer Cancer naive alpha na ive kg 10 100 000""".split()
    parts = "able aff ing ed s ion ression 53 0 00 mor mour ise gram ve er".split()
    tokens = SPECIAL + ["[unused1]", "[unused2]"] + characters + words
    tokens += ["##" + c for c in characters + parts]
    return list(dict.fromkeys(tokens))


def build(vocab, clean=True, chinese=True, strip=None, lower=True):
    ids = {token: i for i, token in enumerate(vocab)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=chinese, strip_accents=strip, lowercase=lower
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", ids["[CLS]"]), ("[SEP]", ids["[SEP]"])],
    )
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    tokenizer.add_special_tokens(SPECIAL)
    return tokenizer


def units(text):
    """Place of each character (and of the end) in UTF-16 units."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def flat(encoding, *texts):
    places = [units(text) for text in texts]
    out = []
    for (start, end), sequence in zip(encoding.offsets, encoding.sequence_ids):
        at = places[sequence or 0]
        out += [at[start], at[end]]
    return out


def line(tokenizer, text):
    encoding = tokenizer.encode(text)
    return ",".join(map(str, encoding.ids)) + " " + ",".join(map(str, flat(encoding, text))) + "\n"


def digest(tokenizer, texts):
    sha = hashlib.sha256()
    for text in texts:
        sha.update(line(tokenizer, text).encode())
    return sha.hexdigest()


def generated(count):
    rng = random.Random(SEED)
    marks = [c for c in range(0x110000) if unicodedata.combining(chr(c)) > 0]
    pools = [
        lambda: rng.choice("abcdefgilmnoprstuxyzABCDEFILMNT0123456789"),
        lambda: rng.choice("abcdefgilmnoprstuxyz"),
        lambda: rng.choice(["cell", "cells", "unaffable", "expression", "naïve", "p53", "IL-2", "10.5%", "tumour", "don't", "is not"]),
        lambda: rng.choice(" \t\n\r\u00a0\u2003\u3000\u2028\u000b\u000c\u0085"),
        lambda: " ",
        lambda: rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»¡¿。、’“”–—•·₂²°±×÷€"),
        lambda: rng.choice("àéèöñüçÅÉÀÖßıİœæøđłŁﬁΣςσΐΰẞǅŉẖὒᾳᾈ"),
        lambda: rng.choice("aeiou") + chr(rng.choice(marks)),
        lambda: "".join(chr(rng.choice(marks)) for _ in range(rng.randint(1, 4))),
        lambda: rng.choice("\u0344\u0340\u0341\u0f73\u0f75\u0f81\u0958\u0929\u0dda\u302e\u302f\u1100\u1161\u11a8가각힣한글\U0001d15e\U0001d160\U0001d165\U0001d16d"),
        lambda: rng.choice("中国人日本あアがｶ々〇\u3400\uf900\U00020000\U0002f800"),
        lambda: rng.choice("абвгдеёйАБЙαβγάήкกำแไएकिখी"),
        lambda: rng.choice("🦙😀👩‍🔬🇩🇪𝒳𝔸\U0001f3fd"),
        lambda: rng.choice("\u0000\u0001\u001f\u007f\u00ad\u200b\u200d\u200e\u2060\ufeff\ufffd\ue000\U000e0001"),
        lambda: rng.choice(["[MASK]", "[SEP]", "[CLS]", "[UNK]", "[mask]", "[ MASK]", "[PAD"]),
        lambda: chr(rng.choice([c for c in (rng.randrange(0x110000),) if not 0xD800 <= c < 0xE000] or [0x41])),
    ]
    texts = ["", " ", "\u0301", "İ", "ßß", "a\u0301\u0323b", "각", "中a国", "a" * 100, "a" * 101, "é" * 100, "🦙" * 101, "x" + "a" * 120]
    while len(texts) < count:
        favourites = rng.sample(pools, 4) + [pools[0], pools[4]]
        texts.append("".join(rng.choice(favourites)() for _ in range(rng.randint(1, 24))))
    return texts


def every_code_point():
    """All that Unicode 17 assigns, and the ends of the private planes."""
    for first in [*range(0, 0x32400, 256), 0xE0000, 0xE0100, 0xF0000, 0xFFF00, 0x100000, 0x10FF00]:
        if 0xD800 <= first < 0xE000:
            continue
        yield " ".join("a" + chr(c) + "b" for c in range(first, first + 256))


def added_cases(vocab):
    cases = []
    texts = ["[Q] what is p53?", "[q] what [D] is", "a[ENT]b [ENT]  c", "  [ENT] [MASK]cell", "cells é1 cell", "recellular cell cell-cell", "X[Q]中[D] ", "É1 É1 e1"]
    for added in [
        [{"content": "[Q] "}, {"content": "[D] "}],
        [{"content": "[ENT]", "special": True, "lstrip": True, "rstrip": True}],
        [{"content": "cell", "single_word": True}, {"content": "É1", "normalized": True}],
        [{"content": "É1", "normalized": False}, {"content": "p53"}, {"content": "is p53?"}],
    ]:
        tokenizer = build(vocab)
        tokenizer.add_tokens([AddedToken(**{"normalized": not token.get("special", False), **token}) for token in added])
        encoded = [tokenizer.encode(text) for text in texts]
        cases.append({
            "added": added,
            "texts": texts,
            "ids": [encoding.ids for encoding in encoded],
            "offsets": [flat(encoding, text) for encoding, text in zip(encoded, texts)],
            "decoded": [tokenizer.decode(encoding.ids, skip_special_tokens=False) for encoding in encoded],
        })
    return cases


def pair_cases(vocab):
    cases = []
    pairs = [("the cells", "of the gene is not 53"), ("a b c d e f g", "h i"), ("", "a b"), ("a b c d", "1 2 3 4"), ("中国 é", "🦙 a")]
    for strategy in ["longest_first", "only_first", "only_second"]:
        for length in [3, 4, 5, 6, 7, 8, 9, 12, 40]:
            for side in ["right", "left"]:
                tokenizer = build(vocab)
                tokenizer.enable_truncation(length, strategy=strategy, direction=side)
                for first, second in pairs:
                    case = {"first": first, "second": second, "truncation": strategy, "maxLength": length, "side": side}
                    try:
                        encoding = tokenizer.encode(first, second)
                        case["ids"] = encoding.ids
                        case["typeIds"] = encoding.type_ids
                        case["specialTokensMask"] = encoding.special_tokens_mask
                        case["offsets"] = flat(encoding, first, second)
                    except Exception:
                        case["error"] = True
                    cases.append(case)
    return cases


def batch_cases(vocab):
    cases = []
    texts = ["the cells", "a", "", "the gene is not expressed in cells", "中国"]
    for length, fixed, side, multiple in [(None, None, "right", None), (6, 6, "left", None), (9, 9, "right", None), (5, None, "left", 4)]:
        tokenizer = build(vocab)
        if length is not None:
            tokenizer.enable_truncation(length)
        tokenizer.enable_padding(direction=side, pad_id=0, pad_token="[PAD]", length=fixed, pad_to_multiple_of=multiple)
        encoded = tokenizer.encode_batch(texts)
        cases.append({
            "texts": texts, "truncateTo": length, "length": fixed, "side": side, "multiple": multiple,
            "ids": [e.ids for e in encoded], "mask": [e.attention_mask for e in encoded], "typeIds": [e.type_ids for e in encoded],
        })
    return cases


def window_cases(vocab):
    cases = []
    texts = ["the cells of the gene is not 53 a b c", "the", "", "a b c d e f"]
    for length, stride in [(5, 0), (6, 2), (8, 5), (3, 0), (40, 3)]:
        tokenizer = build(vocab)
        tokenizer.enable_truncation(length, stride=stride)
        for text in texts:
            encoding = tokenizer.encode(text)
            windows = [encoding, *encoding.overflowing]
            cases.append({"text": text, "maxLength": length, "stride": stride, "ids": [w.ids for w in windows], "offsets": [flat(w, text) for w in windows]})
    return cases


def decode_cases(vocab):
    extra = ["'m", "'s", "'ve", "'re", "n't", "do not", "x do not 's"]
    vocab = vocab + extra
    tokenizer = build(vocab)
    symbols = [i for i, token in enumerate(vocab) if not token.isalnum()]
    rng = random.Random(SEED)
    cases = []
    for _ in range(60):
        ids = [rng.randrange(len(vocab)) if rng.random() < 0.5 else rng.choice(symbols) for _ in range(rng.randint(0, 12))]
        cases.append({"ids": ids, "kept": tokenizer.decode(ids, skip_special_tokens=False), "skipped": tokenizer.decode(ids)})
    return {"extra": extra, "cases": cases}


def training_cases():
    """The "##" characters stand among the special tokens: their ids, and so all ties, would follow a hash map's order."""
    rng = random.Random(SEED)
    stems = ["".join(rng.choice("aeionrst") for _ in range(rng.randint(1, 4))) for _ in range(120)]
    counts = {"low": 57, "lower": 231, "newest": 617, "aaaa": 40, "aaaaa": 31, "\u00e9\u00df": 7, "\u4e2d\U0001f999": 3, "x": 2}
    for _ in range(400):
        word = "".join(rng.choice(stems) for _ in range(rng.randint(1, 3)))
        counts[word] = counts.get(word, 0) + int(1000 / rng.randint(1, 400))
    inside = sorted({character for word in counts for character in word[1:]})
    special = SPECIAL + ["##" + character for character in inside]
    cases = []
    for size, frequency, limit in [(40, 0, 1000), (90, 0, 1000), (400, 60, 1000), (2000, 3, 9), (2000, 0, 1000), (10, 0, 1000)]:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        trainer = trainers.WordPieceTrainer(
            vocab_size=size, min_frequency=frequency, limit_alphabet=limit, special_tokens=special, show_progress=False
        )
        tokenizer.train_from_iterator([" ".join([word] * count) for word, count in counts.items()], trainer)
        vocab = tokenizer.get_vocab()
        tokens = sorted(vocab, key=vocab.get)
        sha = hashlib.sha256("\n".join(tokens).encode()).hexdigest()
        cases.append({"vocabSize": size, "minFrequency": frequency, "limitAlphabet": limit, "size": len(tokens), "sha256": sha})
    return {"counts": counts, "special": special, "cases": cases}


def abstracts(count):
    lines = subprocess.run(["zstd", "-dc", f"{SHARED}/corpus/abstracts.jsonl.zst"], capture_output=True, check=True).stdout.decode().split("\n")
    return [json.loads(row)["text"] for row in lines[:count]]


def real(texts):
    out = {}
    for name in ["pubmedbert", "all-minilm-l6-v2"]:
        tokenizer = Tokenizer.from_file(f"{SHARED}/tokenizers/{name}/tokenizer.json")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        out[name] = {"abstracts": digest(tokenizer, texts), "generated": digest(tokenizer, generated(300))}
        lowercase = tokenizer.normalizer.lowercase
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not lowercase)
        out[name]["cased"] = digest(tokenizer, texts)
    return out


def main():
    vocab = vocabulary()
    texts = generated(300)
    settings = [
        {}, {"lower": False}, {"strip": False}, {"lower": False, "strip": True}, {"clean": False}, {"chinese": False},
        {"clean": False, "chinese": False, "strip": False, "lower": False},
    ]
    main_tokenizer = build(vocab)
    golden = {
        "made": {"by": "scripts/goldens/bert-tokenizer.py", "tokenizers": tokenizers.__version__, "seed": SEED},
        "vocabulary": vocab,
        "texts": texts,
        "encoded": [{"ids": e.ids, "offsets": flat(e, t)} for t in texts for e in [main_tokenizer.encode(t)]],
        "settings": [
            {**s, "texts": digest(build(vocab, **s), texts)}
            | ({"codePoints": digest(build(vocab, **s), every_code_point())} if s in EVERY else {})
            for s in settings
        ],
        "added": added_cases(vocab),
        "pairs": pair_cases(vocab),
        "batches": batch_cases(vocab),
        "windows": window_cases(vocab),
        "decoding": decode_cases(vocab),
        "training": training_cases(),
        "real": {"count": 2000, **real(abstracts(2000))},
    }
    with open(OUT, "w", encoding="utf-8") as file:
        # ASCII, so that no editor or checkout changes a character.
        file.write("{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in golden.items()) + "\n}\n")


main()

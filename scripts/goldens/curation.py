"""What datatrove's rules and MinHash say of real and hostile texts: test/goldens/curation.json. Digests and decisions, no text of others.

Documents: of every ../shared/data/corpus file the lines floor(i * lines / count) for i below count (`FILES`), then the strings
of `hostile()`, then near copies of every 20th real text below 4,000, text i without the words between spaces whose place k has
k % (15 + i // 20 % 56) == 7. Columns are base64 of little-endian numbers, one a document: first four bytes of the SHA-1 of all words (of all
sentences) each followed by a line feed (by U+0000), decisions as places in their lists of reasons (0: kept, 255: an error), of
C4 the same digest of the text that is left, of signatures that of 112 numbers of eight bytes (0: no shingles). Clusters are
lists of documents, by datatrove's own signature, bucket and cluster stages with xxhash.
Made with datatrove 0.10.1, spaCy 3.8.18, numpy 2.4.6, Python 3.11; seed 1 of MinhashConfig, seed 20261127 for hostile texts.
Run: python scripts/goldens/curation.py ../shared/data/corpus test/goldens/curation.json (some minutes).
"""
import base64
import hashlib
import json
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

import numpy
import spacy
from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig, MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature)
from datatrove.pipeline.filters import (
    C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import ngrams, simplify_text, split_into_sentences, split_into_words
from datatrove.utils.word_tokenizers import load_word_tokenizer

FILES = {
    "abstracts": 1000, "clinical-dialogues": 800, "clinicaltrials": 1000, "nih-questions": 1000, "nursing-textbooks": 440,
    "pmc-mixed": 400, "pmc-plant-nutrition": 400, "pmc-randomized-trials": 400,
}


def documents(folder):
    for name, count in FILES.items():
        lines = subprocess.run(["zstdcat", f"{folder}/{name}.jsonl.zst"], capture_output=True, check=True).stdout.split(b"\n")
        lines = [line for line in lines if line]
        for i in range(count):
            yield json.loads(lines[i * len(lines) // count])["text"]


def hostile():
    draw = random.Random(20261127)
    fixed = [
        "", " ", "\n", "\t\n ", "...", "…", "……", "a……", "a…b", "word..", "word...next", "US$5", "5US$", "C$", "12$", "5€",
        "5km²", "5km.", "5 km.", "10mg/kg", "5mg", "37.5°C.", "37°C.", "°c.", "100%", "%100", "+5", "+a", "5+", "a+", "=5",
        "don't", "(don't)", "don’t!", "I'm-ok", "he's/she's", "and/or", "(and/or)", "w/o", "either/or", "can't've", "ma'am",
        ":)", "(:", ":-)))", "(^_^)", "x:)y", "hello:)", "><(((*>", "¯\\(ツ)/¯", "(╯°□°）╯︵┻━┻", "< space >", "<space>", "a<space>b",
        "C++", "C++.", "(C++)", "U.S.A.", "U.S.", "e.g.", "(e.g.,", "i.e.", "Ph.D.", "AB.", "aB.", "Ab.", "A.", "a.", "b.c", "b.C",
        "http://a.b", "http://example.com/x?y=1#z", "www.example.org.", "(www.example.org)", "a@b.com", "mailto:a@b.co", "a@@b.com",
        "1.2.3.4", "10.1.2.3", "192.168.0.1", "172.16.0.1:80", "223.255.255.254:8080/x", "256.1.1.1", "8.8.8.8/", "x.y:1", "x.yz:12",
        "x.yz:123456", "-a.com", "a-.com", "a_b.com", "_a.com", "é.fr", "a.é", "ftp://x", "a://b.cd", "é://b.cd", "x.com?", "x.com#a b",
        "a" * 70 + ".com", "a" * 64 + ".com", "a." * 40 + "com", "a." + "c" * 63, "a." + "c" * 64, "@a.com", "a@b@c.com", "a:b@c.com",
        "beta-blocker", "β-blocker", "1-2", "1-a", "a-1", "a--b", "a---b", "a—b", "a–b", "a——b", "a~b", "1--2", "1*2", "1^2", "1+2", "1+-2",
        "a,b", "1,2", "a,1", "a:b", "a=b", "p<0.05", "p<.05", "n=12", "a/b", "1/a", "a/1", "a>b", "A.B", "a.B", "'a.'B", "\"a\".\"b\"",
        "[18F]FDG", "(1-3)", "[1,2]", "5'-ATG-3'", "IL-1β/IL-6", "TNF-α,", "n't", "'s", "dogs'", "dog's", "dog’s", "DOG'S", "''", "'", "’",
        "\u00a0", "a\u00a0b", "a\u2003b\u3000c", "a\u200bb", "a\ufeffb", "a\x1cb\x1fc", "a\x85b", "\x00a\x07", "a\r\nb\rc", "a\u2028b\u2029c",
        "One. Two! Three? (Four.) \"Five.\" 6. Seven", "No end", "A.\nB.\n\nC.", ".", "..", "!?", "What?! Yes.", "Dr. Who. Mr. X.", "a . b . c",
        "नमस्ते। दुनिया॥ फिर", "你好。世界！再见", "مرحبا؟ نعم۔ لا", "Привет. Мир!", "ﬁrst eﬀect", "İstanbul ΣΑΣ ß", "é e\u0301 n\u0303 ñ", "①②③ ½ ²³", "٣٫٥ ١٢",
        "😀 fun😀ny 👩‍⚕️", "𝒜.𝒷 𝐀", "©2020 ®™", "a°b", "→a←", "the " * 60, "The be to of. " * 30, "- item\n" * 40, "• point\n" * 40, "word…\n" * 60,
        "# " * 100, "{" + " good words are here and that is to have" * 10 + ".", "lorem ipsum " * 20 + ".", "Enable javascript now please.\n" * 8,
        "We use cookies and a cookie policy. " * 8, "Read the terms of use here.\n" * 6, "Short.\n" * 10, "x" * 1200 + " is a long word indeed.\n" * 9,
        "Same line here is repeated.\n" * 12, "Same paragraph here.\n\n" * 12, "one two three four " * 20, "He said [12] so [citation needed] and [edit] it.\n" * 7,
        "A sentence that ends in dots...\n" * 9, "Quoted \"end.\"\n" * 8, "Apostrophe's end'\n" * 8, "mixed\u2028separators\x0bin\x0clines\x1c.\n" * 5,
    ]
    alphabet = list("abAB12.,;:!?'’\"()[]{}<>=+-–—/\\@#$%&*_~^|… \n\t") + [
        "don't", "and/or", "http://", "www.", ".com", "'s", "mg", "°C", "US$", "…", "é", "β", "中", "\u00a0", "\u200b", "e.g.", ":)", "<space>", "we'll", "U.S.", "😀", "n't"]
    anything = [chr(c) for c in [*range(0x20, 0x3400), *range(0xa4d0, 0xabff), *range(0xf900, 0xffff), *range(0x10000, 0x1fa6f, 7)]
                if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    mixed = ["".join(draw.choice(anything if draw.random() < 0.4 else alphabet) for _ in range(draw.randrange(2, 40))) for _ in range(80)]
    return fixed + mixed + ["".join(draw.choice(alphabet) for _ in range(draw.randrange(2, 60))) for _ in range(80)]


def near_copies(texts):
    for i in range(0, 4000, 20):
        yield " ".join(word for k, word in enumerate(texts[i].split(" ")) if k % (15 + i // 20 % 56) != 7)


class Cached(MinhashDedupSignature):
    """The stage with words that are cut once for both hashes; xxhash 4 takes bytes alone, which datatrove does not give it."""

    words = {}

    def get_shingles(self, text):
        if text not in self.words:
            self.words[text] = self.word_tokenizer.word_tokenize(simplify_text(text, self.config.norm_config))
        encoded = str.encode if self.config.hash_config.hash_fc == "xxhash" else str
        hashes = [self._hash_func(encoded(" ".join(x))) for x in ngrams(self.words[text], self.config.n_grams)]
        return numpy.fromiter(hashes, dtype=numpy.uint64).reshape((-1, 1))


def digest(text):
    return hashlib.sha1(text.encode()).digest()[:4]


def column(parts):
    return base64.b64encode(b"".join(parts)).decode()


def clusters(texts, folder):
    config = MinhashConfig()
    Cached(f"{folder}/signatures", config).run(Document(text=text, id=str(i)) for i, text in enumerate(texts))
    for rank in range(config.num_buckets):
        MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config).run(None, rank, config.num_buckets)
    MinhashDedupCluster(f"{folder}/buckets", f"{folder}/clusters", config, save_cluster_id=True).run(None, 0, 1)
    groups = {}
    for number, cluster in struct.iter_unpack("<2I", Path(f"{folder}/clusters/000000.clusters").read_bytes()):
        groups.setdefault(cluster, []).append(number)
    removed = [number for number, in struct.iter_unpack("<I", Path(f"{folder}/clusters/000000.remove").read_bytes())]
    return sorted(groups.values()), removed


folder, target = sys.argv[1:]
strange = hostile()
texts = [*documents(folder), *strange]
texts += list(near_copies(texts))
filters = {
    "gopher": GopherQualityFilter(), "repetition": GopherRepetitionFilter(), "c4": C4QualityFilter(), "fineweb": FineWebQualityFilter()}
reasons = {name: ["kept"] for name in filters}
columns = {name: [] for name in ["words", "sentences", *filters, "c4Text", "xxhash", "sha1"]}
stages = {name: Cached(tempfile.mkdtemp(), MinhashConfig(hash_config=HashConfig(hash_fc=name))) for name in ["xxhash", "sha1"]}
for number, text in enumerate(texts):
    if number % 500 == 0:
        print(number, len(texts), flush=True)
    columns["words"].append(digest("".join(f"{word}\n" for word in split_into_words(text))))
    columns["sentences"].append(digest("".join(f"{sentence}\0" for sentence in split_into_sentences(text))))
    for name, one in filters.items():
        document = Document(text=text, id="")
        try:
            answer = one.filter(document)
            reason = "kept" if answer is True else answer[1]
            if reason not in reasons[name]:
                reasons[name].append(reason)
            code = reasons[name].index(reason)
        except ZeroDivisionError:
            code = 255
        columns[name].append(bytes([code]))
        if name == "c4":
            columns["c4Text"].append(digest(document.text) if code == 0 else bytes(4))
    for name, stage in stages.items():
        shingles = stage.get_shingles(text)
        flat = [h for bucket in stage.get_signature(shingles) for h in bucket] if shingles.size else []
        columns[name].append(hashlib.sha1(struct.pack(f"<{len(flat)}Q", *flat)).digest()[:4] if flat else bytes(4))

with tempfile.TemporaryDirectory() as temporary:
    groups, removed = clusters(texts, temporary)
parameters = stages["xxhash"].parameters
golden = {
    "versions": {"datatrove": "0.10.1", "spacy": spacy.__version__, "numpy": numpy.__version__, "python": sys.version.split()[0]},
    "files": FILES,
    "hostile": strange,
    "reasons": reasons,
    **{name: column(parts) for name, parts in columns.items()},
    "clusters": groups,
    "removed": removed,
    "parameters": [str(int(p.ravel()[i])) for p in parameters for i in (0, 111)],
}
Path(target).write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")))

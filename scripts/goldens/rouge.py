"""Stems by NLTK and ROUGE by rouge-score, on seeded strings of our own: test/goldens/rouge.json.

Words are random beginnings with the endings that Porter's rules speak of, so that every rule is met.
Run: python scripts/goldens/rouge.py > test/goldens/rouge.json
"""
import importlib.metadata
import json
import random

from nltk.stem import porter
from rouge_score import rouge_scorer

SEED = 20261127
draw = random.Random(SEED)
stemmer = porter.PorterStemmer()

ENDINGS = (
    "sses ies ss s ied eed ed ing ating bling izing lled ssing zzed tted y ly ational tional enci ancy izer bly abli "
    "ally alli entli ently eli ely ousli ously ization ation ator alism iveness fulness ousness aliti ality iviti ivity "
    "biliti bility fulli fully logi logy icate ative alize iciti icity ical ful ness al ance ence er ic able ible ant "
    "ement ment ent sion tion ion ou ism ate iti ous ive ize e ll le"
).split()
IRREGULAR = "sky skies dying lying tying news innings inning outings canning howe proceed exceed succeed dies died spied".split()


def beginning():
    return "".join(draw.choice("aeiouybcdfglmnprstvwxz") for _ in range(draw.randrange(0, 6)))


words = sorted({beginning() + draw.choice(["", *ENDINGS]) for _ in range(2500)} - {""}) + IRREGULAR


def sentence(vocabulary):
    return " ".join(draw.choice(vocabulary) for _ in range(draw.randrange(1, 25)))


def pair():
    vocabulary = draw.sample(words, 12) + ["TNF-α", "p53", "of", "the", "Running,", "(runs)"]
    return sentence(vocabulary), sentence(vocabulary)


scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
pairs = []
for text, reference in [*(pair() for _ in range(40)), ("", "a b"), ("a b", ""), ("α", "α"), ("x y", "y x")]:
    found = scorer.score(reference, text)
    figures = {
        kind: [found[name].precision, found[name].recall, found[name].fmeasure]
        for kind, name in (("rouge-1", "rouge1"), ("rouge-2", "rouge2"), ("rouge-l", "rougeL"))
    }
    pairs.append({"text": text, "reference": reference, **figures})

several = []
for _ in range(6):
    texts = [pair()[0] for _ in range(4)]
    best = scorer.score_multi(texts[1:], texts[0])
    several.append({"text": texts[0], "references": texts[1:], "rouge-l": best["rougeL"].fmeasure})

golden = {
    "versions": {name: importlib.metadata.version(name) for name in ("nltk", "rouge-score")},
    "seed": SEED,
    "stems": {word: stemmer.stem(word) for word in words},
    "pairs": pairs,
    "several": several,
}
print(json.dumps(golden, ensure_ascii=False))

"""Values of the shared metrics by scikit-learn, scipy and seqeval on small seeded inputs: test/goldens/metrics.json.

Run: python scripts/goldens/metrics.py > test/goldens/metrics.json
"""
import importlib.metadata
import json
import random
import warnings

import numpy
import scipy
import scipy.stats
import seqeval.metrics as ner
import seqeval.scheme
import sklearn
import sklearn.metrics as sk
from sklearn.preprocessing import MultiLabelBinarizer

SEED = 20261121
warnings.filterwarnings("ignore")
draw = random.Random(SEED)
CLASSES = ["a", "b", "c", "d"]


def single(size):
    gold = [draw.choice(CLASSES) for _ in range(size)]
    predicted = [g if draw.random() < 0.5 else draw.choice(CLASSES[:3] + ["failed"]) for g in gold]
    return {
        "gold": gold,
        "predicted": predicted,
        "accuracy": sk.accuracy_score(gold, predicted),
        "macro": sk.f1_score(gold, predicted, average="macro"),
        "micro": sk.f1_score(gold, predicted, average="micro"),
    }


def positives(size):
    gold = [draw.choice(CLASSES) for _ in range(size)]
    predicted = [g if draw.random() < 0.5 else draw.choice(CLASSES + ["failed"]) for g in gold]
    of = lambda labels: [f(gold, predicted, labels=labels, average="micro") for f in (sk.precision_score, sk.recall_score, sk.f1_score)]
    return {"gold": gold, "predicted": predicted, "one": of(["a"]), "three": of(["a", "b", "c"])}


def multi(size):
    pick = lambda: [c for c in CLASSES if draw.random() < 0.35]
    gold = [pick() for _ in range(size)]
    predicted = [g if draw.random() < 0.4 else pick() for g in gold]
    binarize = lambda labels: MultiLabelBinarizer(classes=CLASSES).fit_transform(labels)
    g, p = binarize(gold), binarize(predicted)
    return {
        "gold": gold,
        "predicted": predicted,
        "micro": sk.f1_score(g, p, average="micro"),
        "macro": sk.f1_score(g, p, average="macro"),
        "subset": sk.accuracy_score(g, p),
    }


def correlation(size, levels):
    x = [draw.randrange(levels) / 2 for _ in range(size)]
    y = [a + draw.randrange(levels) / 2 for a in x]
    return {
        "x": x,
        "y": y,
        "pearson": scipy.stats.pearsonr(x, y).statistic,
        "spearman": scipy.stats.spearmanr(x, y).statistic,
        "ranks": scipy.stats.rankdata(x).tolist(),
    }


def binary(size, levels):
    positive = [draw.random() < 0.4 for _ in range(size)]
    scores = [(draw.randrange(levels) + (2 if p else 0)) / levels for p in positive]
    return {
        "positive": positive,
        "scores": scores,
        "auc": sk.roc_auc_score(positive, scores),
        "averagePrecision": sk.average_precision_score(positive, scores),
    }


def ranking(size):
    grades = [draw.choice([0, 0, 0, 1, 2]) for _ in range(size)]
    scores = draw.sample(range(100), size)
    return {
        "grades": grades,
        "scores": scores,
        "ndcg": {str(k): sk.ndcg_score([grades], [scores], k=k) for k in (1, 3, 10, size)},
        "map": sk.average_precision_score([g > 0 for g in grades], scores),
    }


def entities(sentences):
    tags = ["O", "O", "B-X", "I-X", "B-Y", "I-Y", "I-X"]
    gold = [[draw.choice(tags) for _ in range(draw.randrange(3, 12))] for _ in range(sentences)]
    predicted = [[t if draw.random() < 0.75 else draw.choice(tags) for t in s] for s in gold]
    strictly = {"mode": "strict", "scheme": seqeval.scheme.IOB2}
    figures = lambda average, **mode: dict(
        zip(
            ("precision", "recall", "f1"),
            (
                ner.precision_score(gold, predicted, average=average, **mode),
                ner.recall_score(gold, predicted, average=average, **mode),
                ner.f1_score(gold, predicted, average=average, **mode),
            ),
        )
    )
    return {
        "gold": gold,
        "predicted": predicted,
        "micro": figures("micro"),
        "macro": figures("macro"),
        "strict": {"micro": figures("micro", **strictly), "macro": figures("macro", **strictly)},
    }


values = [draw.gauss(0, 1) for _ in range(15)]
golden = {
    "versions": {
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "seqeval": importlib.metadata.version("seqeval"),
    },
    "seed": SEED,
    "single": single(30),
    "multi": multi(25),
    "correlation": [correlation(20, 6), correlation(12, 1000)],
    "binary": [binary(25, 5), binary(20, 1000)],
    "ranking": [ranking(12), ranking(20)],
    "entities": entities(12),
    "quantile": {"values": sorted(values), "q": {str(q): numpy.quantile(values, q) for q in (0.0, 0.025, 0.3, 0.5, 0.975, 1.0)}},
    "positives": positives(40),
}
print(json.dumps(golden))

"""Paired tests and calibration by statsmodels, scipy, numpy, scikit-learn, torchmetrics and netcal on small seeded inputs.

The bootstrap draws the same documents as Galen does: its generator (sfc32 seeded through splitmix32) is written again here.

Run: python scripts/goldens/comparison.py > test/goldens/comparison.json
"""
import json
import random
from importlib.metadata import version

import numpy
import torch
from netcal.metrics import ECE
from scipy.optimize import brentq
from scipy.stats import binom, norm
from sklearn.metrics import brier_score_loss
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from torchmetrics.classification import MulticlassCalibrationError

SEED = 20261127
chance = random.Random(SEED)
MASK = 0xFFFFFFFF


class Sfc32:
    def __init__(self, seed):
        self.mixed = 0x9E3779B9
        for half in (seed & MASK, seed >> 32):
            self.mixed ^= half
            self.splitmix()
        self.a, self.b, self.c, self.counter = self.splitmix(), self.splitmix(), self.splitmix(), 1
        for _ in range(12):
            self.bits()

    def splitmix(self):
        self.mixed = (self.mixed + 0x9E3779B9) & MASK
        t = self.mixed ^ (self.mixed >> 16)
        t = (t * 0x21F0AAAD) & MASK
        t ^= t >> 15
        t = (t * 0x735A2D97) & MASK
        return t ^ (t >> 15)

    def bits(self):
        t = (self.a + self.b + self.counter) & MASK
        self.counter = (self.counter + 1) & MASK
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & MASK
        self.c = ((self.c << 21) | (self.c >> 11)) & MASK
        self.c = (self.c + t) & MASK
        return t

    def integer(self, bound):
        return int(self.bits() / 4294967296 * bound)


def discordance(only_first, only_second):
    n = only_first + only_second
    k = min(only_first, only_second)
    exact = mcnemar([[0, only_first], [only_second, 0]], exact=True).pvalue if n else 1.0
    middle = min(1.0, 2 * binom.cdf(k, n, 0.5) - binom.pmf(k, n, 0.5)) if n else 1.0
    return {"onlyFirst": only_first, "onlySecond": only_second, "p": float(exact), "midP": float(middle)}


def smallest(discordant, n):
    """Smallest d with d sqrt(n) = z1 sqrt(psi) + z2 sqrt(psi - d^2), psi at least d."""
    z1, z2 = norm.ppf(0.975), norm.ppf(0.8)

    def lacking(d):
        psi = max(discordant / n, d)
        return d * n**0.5 - z1 * psi**0.5 - z2 * max(0.0, psi - d * d) ** 0.5

    value = brentq(lacking, 1e-9, 1.0, xtol=1e-14) if lacking(1.0) > 0 else 1.0
    return {"discordant": discordant, "examples": n, "smallest": value}


def numbers(size):
    first = [round(chance.random(), 3) for _ in range(size)]
    return first, [round(min(1, max(0, one + chance.gauss(0.05, 0.2))), 3) for one in first]


def counts(size):
    def one():
        return {"tp": chance.randrange(4), "fp": chance.randrange(3), "fn": chance.randrange(3)}

    first = [one() for _ in range(size)]
    return first, [one() if chance.random() < 0.5 else {**x, "tp": x["tp"] + x["fn"], "fn": 0} for x in first]


def f1(some):
    tp, fp, fn = (sum(one[key] for one in some) for key in ("tp", "fp", "fn"))
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0


def bootstrap(first, second, documents, seed, resamples):
    figure = f1 if isinstance(first[0], dict) else (lambda some: float(numpy.mean(some)))
    names = list(dict.fromkeys(documents))
    members = {name: [i for i, one in enumerate(documents) if one == name] for name in names}
    draw = Sfc32(seed)
    differences = []
    for _ in range(resamples):
        drawn = [i for _ in names for i in members[names[draw.integer(len(names))]]]
        differences.append(figure([second[i] for i in drawn]) - figure([first[i] for i in drawn]))
    differences = numpy.array(differences)
    wrong = min((differences <= 0).sum(), (differences >= 0).sum())
    return {
        "first": first,
        "second": second,
        "documents": documents,
        "seed": seed,
        "resamples": resamples,
        "difference": figure(second) - figure(first),
        "low": float(numpy.quantile(differences, 0.025)),
        "high": float(numpy.quantile(differences, 0.975)),
        "error": float(differences.std(ddof=1)),
        "p": float(min(1, 2 * (1 + wrong) / (1 + resamples))),
    }


def calibration(size, choices, sharpness):
    generator = numpy.random.default_rng(SEED + choices)
    logits = generator.normal(size=(size, choices)) * sharpness
    rows = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
    rows = rows.round(6)
    rows[:, -1] = (1 - rows[:, :-1].sum(1)).round(6)
    gold = [int(row.argmax()) if generator.random() < 0.6 else int(generator.integers(choices)) for row in rows]
    torched = MulticlassCalibrationError(num_classes=choices, n_bins=10, norm="l1")
    one = {
        "probabilities": rows.tolist(),
        "gold": gold,
        "torchmetrics": float(torched(torch.tensor(rows), torch.tensor(gold))),
        "brier": float(brier_score_loss(gold, rows, labels=list(range(choices)), scale_by_half=False)),
        "confidence": float(rows.max(1).mean()),
    }
    if choices > 2:  # netcal takes two columns for two classes as something else
        one["netcal"] = float(ECE(10).measure(rows, numpy.array(gold)))
    return one


values = [[0.01, 0.04, 0.03, 0.005], [0.2, 0.9, 0.6], [0.02], [0.05, 0.05, 0.0001, 1.0, 0.05]]
golden = {
    "versions": {name: version(name) for name in ("numpy", "scipy", "statsmodels", "scikit-learn", "torchmetrics", "netcal")},
    "seed": SEED,
    "mcnemar": [discordance(*one) for one in ((0, 0), (0, 5), (6, 0), (7, 7), (3, 9), (12, 31), (150, 212), (2900, 3100))],
    "smallest": [smallest(*one) for one in ((0, 500), (20, 500), (200, 500), (3, 1273), (400, 1273), (5, 10), (0, 4))],
    "bootstrap": [
        bootstrap(*numbers(30), [str(i) for i in range(30)], 7, 400),
        bootstrap(*numbers(40), [str(i // 3) for i in range(40)], 1, 300),
        bootstrap(*counts(25), [str(i % 9) for i in range(25)], 2**40 + 3, 400),
        bootstrap([0.5, 1, 0], [0.5, 1, 0], ["a", "b", "b"], 3, 50),
    ],
    "holm": [{"values": one, "adjusted": multipletests(one, method="holm")[1].tolist()} for one in values],
    "calibration": [calibration(60, 4, 1.5), calibration(40, 3, 4.0), calibration(50, 2, 1.0)],
}
print(json.dumps(golden))

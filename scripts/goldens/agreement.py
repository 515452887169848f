"""Krippendorff's alpha by the package krippendorff, Wilson's intervals by scipy: test/goldens/agreement.json.

Run: python scripts/goldens/agreement.py > test/goldens/agreement.json
"""
import importlib.metadata
import json
import random

import krippendorff
import scipy
from scipy.stats import binomtest

SEED = 20261127
draw = random.Random(SEED)


def case(raters, units, values, missing, agreeing):
    """Values by rater: the unit's own with probability `agreeing`, else any; None where there is none."""
    own = [draw.choice(values) for _ in range(units)]
    return [
        [
            None if draw.random() < missing else (one if draw.random() < agreeing else draw.choice(values))
            for one in own
        ]
        for _ in range(raters)
    ]


def alphas(table):
    data = [[float("nan") if one is None else one for one in row] for row in table]
    levels = ("nominal", "ordinal", "interval")
    return {level: krippendorff.alpha(reliability_data=data, level_of_measurement=level) for level in levels}


tables = [
    case(2, 30, [-1, 0, 1], 0, 0.8),
    case(3, 40, [-1, 1], 0.2, 0.6),
    case(5, 25, [0, 1, 2, 3, 7], 0.4, 0.5),
    case(4, 60, [-1, 0, 1], 0.5, 0),
]
counts = [(0, 10), (1, 10), (7, 10), (10, 10), (37, 80), (500, 1000)]
intervals = []
for k, n in counts:
    interval = binomtest(k, n).proportion_ci(method="wilson")
    intervals.append({"count": k, "of": n, "low": interval.low, "high": interval.high})
versions = {"krippendorff": importlib.metadata.version("krippendorff"), "scipy": scipy.__version__}
json.dump(
    {"seed": SEED, "versions": versions, "tables": [{"ratings": t, **alphas(t)} for t in tables], "intervals": intervals},
    __import__("sys").stdout,
)
print()

"""Goldens for draws by Python's generator: what random.Random(seed) gives, call after call.

    python scripts/goldens/python-random.py        (standard library only; writes test/goldens/python-random.json)
"""

import json
import pathlib
import platform
import random

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/python-random.json"
# Few of many, many of few, around the sizes where CPython goes from a list to a set (21, and with more than five draws 85).
CALLS = [(182822, 5), (450, 5), (21, 5), (22, 5), (21, 6), (85, 6), (86, 6), (7, 7), (1, 1), (4000, 64), (300, 0), (300, 40)]
SEEDS = [0, 1, 1234, 2**31 + 5, 2**40 + 3]


def main() -> None:
    cases = []
    for seed in SEEDS:
        generator = random.Random(seed)
        drawn = [generator.sample(range(count), k) for count, k in CALLS]
        shuffled = list(range(40))
        generator.shuffle(shuffled)
        chosen = [generator.choice(range(count)) for count in (1, 7, 10, 500)]
        cases.append({"seed": seed, "drawn": drawn, "shuffled": shuffled, "chosen": chosen})
    again = random.Random(1234)
    long = [again.sample(range(10178), 5) for _ in range(400)][-1]
    result = {"python": platform.python_version(), "calls": CALLS, "cases": cases, "long": long}
    OUT.write_text(json.dumps(result) + "\n")


main()

"""BioASQ's own scorer on invented questions and answers: test/goldens/bioasq.json.

Needs Java and github.com/BioASQ/Evaluation-Measures (8c8e689), of which flat/BioASQEvaluation/dist is named; version 8 of
the challenge is the last that differs for task B.
Run: python scripts/goldens/bioasq.py .../flat/BioASQEvaluation/dist > test/goldens/bioasq.json
"""
import json
import os
import random
import subprocess
import sys
import tempfile

SEED = 20261127
draw = random.Random(SEED)
jars = os.pathsep.join(
    os.path.join(folder, name) for folder, _, names in os.walk(sys.argv[1]) for name in names if name.endswith(".jar")
)
NAMES = ["Abc-1", "abc-1", "alpha", "Alpha factor", "beta", "BETA", "gamma ray", "delta", "p 7", "zeta", "eta", "theta"]


def entities():
    return [draw.sample(NAMES, draw.randrange(1, 4)) for _ in range(draw.randrange(1, 6))]


def question(number):
    kind = draw.choice(["yesno", "factoid", "list"])
    if kind == "yesno":
        return {"id": f"{number}", "type": kind, "gold": draw.choice(["yes", "no"]), "answer": draw.choice(["yes", "no", "no", "maybe"])}
    gold = entities() if kind == "list" else entities()[:1]
    answer = [draw.choice(NAMES) for _ in range(draw.randrange(0, 7 if kind == "list" else 5))]
    return {"id": f"{number}", "type": kind, "gold": gold, "answer": answer}


def figures(questions):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("gold.json", "answers.json")]
        for path, field in zip(paths, ("gold", "answer")):
            wrap = lambda value: [[one] for one in value] if isinstance(value, list) and field == "answer" else value
            rows = [{"id": one["id"], "type": one["type"], "body": "", "exact_answer": wrap(one[field])} for one in questions]
            with open(path, "w") as file:
                json.dump({"questions": rows}, file)
        command = ["java", "-cp", jars, "evaluation.EvaluatorTask1b", "-phaseB", "-e", "8", *paths]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    names = "accuracy strict lenient mrr precision recall f1 macro_f1 f1_yes f1_no".split()
    return dict(zip(names, map(float, printed), strict=True))


sets = []
for _ in range(10):
    questions = [question(number) for number in range(draw.randrange(12, 30))]
    sets.append({"questions": questions, "figures": figures(questions)})
print(json.dumps({"scorer": "BioASQ/Evaluation-Measures 8c8e689, -e 8", "seed": SEED, "sets": sets}))

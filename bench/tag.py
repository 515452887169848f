"""The other side of bench/tag.ts: transformers' token-classification pipeline, with the same weights.

    python bench/tag.py FOLDER THREADS        requests on stdin, one JSON answer a line

A request is a list of texts and the size of batches. A word's label is that of its first piece, as on the other side.
"""

import contextlib
import json
import os
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    with contextlib.redirect_stdout(sys.stderr):
        import torch
        import transformers

        torch.set_num_threads(threads)
        tag = transformers.pipeline("token-classification", folder, device="cpu", aggregation_strategy="first")
    print(json.dumps(f"transformers {transformers.__version__}, torch {torch.__version__}"), flush=True)
    for line in sys.stdin:
        texts, batch = json.loads(line)
        start = time.perf_counter()
        found = tag(texts, batch_size=batch)
        seconds = time.perf_counter() - start
        entities = [[[one["entity_group"], one["start"], one["end"]] for one in some] for some in found]
        print(json.dumps({"seconds": seconds, "entities": entities}), flush=True)


main()

"""The other side of bench/likelihoods.ts: lm-evaluation-harness's model of transformers, with the same weights.

    python bench/likelihoods.py FOLDER THREADS BATCH        requests on stdin, one JSON answer a line

A request is a list of contexts and one of their choices; texts are made tokens in the time measured, as on the other side.
"""

import contextlib
import json
import os
import pathlib
import re
import sys
import time

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")


def peak_mib() -> float:
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def main() -> None:
    folder, threads, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with contextlib.redirect_stdout(sys.stderr):
        import lm_eval
        import torch
        import transformers
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM

        torch.set_num_threads(threads)
        model = HFLM(pretrained=folder, device="cpu", dtype="float32", batch_size=batch)
    versions = f"lm_eval {lm_eval.__version__}, transformers {transformers.__version__}, torch {torch.__version__}, batches of {batch}"
    print(json.dumps({"name": versions}), flush=True)
    for line in sys.stdin:
        contexts, choices = json.loads(line)
        start = time.perf_counter()
        requests = [
            Instance(request_type="loglikelihood", doc={}, arguments=(context, choice), idx=i)
            for context, some in zip(contexts, choices) for i, choice in enumerate(some)
        ]
        with contextlib.redirect_stdout(sys.stderr):
            found = iter(model.loglikelihood(requests, disable_tqdm=True))
        scores = [[next(found)[0] for _ in some] for some in choices]
        print(json.dumps({"seconds": time.perf_counter() - start, "scores": scores, "peak": peak_mib()}), flush=True)


main()

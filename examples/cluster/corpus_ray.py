"""Curates a corpus on a Ray cluster whose machines share a folder: python corpus_ray.py corpus.yaml /shared/corpus 40

Each of 40 ranks is a Ray task that runs `galen corpus run` and ends with code 75 where other ranks have to come first: then it
goes to the end of the queue, so that 40 ranks end on 8 machines too. What is finished is never done again: Ray may start a
task of a machine that died elsewhere, and the same line goes on after a failure. GALEN is the command, CPUS a rank's
processors. Run with ray 2.60 on one machine.
"""

import os
import shlex
import subprocess
import sys
import time

import ray

pipeline, output, world = *(os.path.abspath(path) for path in sys.argv[1:3]), int(sys.argv[3])
cpus = int(os.environ.get("CPUS", "16"))
galen = shlex.split(os.environ.get("GALEN", "galen"))


@ray.remote(num_cpus=cpus, max_retries=3)
def run(rank: int) -> bool:
    share = ["--rank", str(rank), "--world", str(world), "--workers", str(cpus), "--no-wait"]
    ended = subprocess.run([*galen, "corpus", "run", pipeline, "--output", output, *share], stderr=subprocess.PIPE, text=True)
    if ended.returncode not in (0, 75):
        raise RuntimeError(f"rank {rank} ended with code {ended.returncode}: {ended.stderr[-2000:]}")
    if ended.returncode == 75:
        time.sleep(1)
    return ended.returncode == 0


ray.init()
ranks = {run.remote(rank): rank for rank in range(world)}
while ranks:
    [ended], _ = ray.wait(list(ranks))
    rank = ranks.pop(ended)
    if not ray.get(ended):  # raises what the task raised
        ranks[run.remote(rank)] = rank

"""Runs a job's folder on a Ray cluster whose machines share its disk: python ray_driver.py DIR/submit/ray.json

Galen writes the order and hands this in as a job. A training is one torchrun on each of so many machines, which meet at the
first; an array is a Ray task for each of its tasks. Ray alone gives machines and processors away; what is done stands in
the folder, so that whatever ends here is gone on with by "galen jobs resume DIR". Run with ray 2.60.
"""

import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time

import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

COME_AGAIN = 75
STOPPED = 3


def begin(words: list[str], log: str, **more) -> int:
    """Runs a program to its end, which is no later than this worker's: Ray ends workers, not what they began."""

    def dies_too() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG

    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab", buffering=0) as file:
        file.write(f"--- begun {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n".encode())
        return subprocess.run(words, stdout=file, stderr=file, stdin=subprocess.DEVNULL, preexec_fn=dies_too, **more).returncode


def done(folder: str) -> dict:
    try:
        with open(os.path.join(folder, "done.json")) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def wait_for(before: list[dict]) -> None:
    """Ends this job where one before it has ended without being done."""
    from ray.job_submission import JobStatus, JobSubmissionClient

    client = JobSubmissionClient()
    for job in before:
        while True:
            ended = client.get_job_status(job["id"]).is_terminal()
            failed = ended and client.get_job_status(job["id"]) != JobStatus.SUCCEEDED
            if not failed and (done(job["folder"]).get("stopped") is False if job["folder"] else ended):
                break
            if ended:
                sys.exit(f"{job['folder'] or job['id']}: expected it to end well first; it did not")
            time.sleep(2)


def train(order: dict) -> int:
    folder, nodes, per_node = order["folder"], order["nodes"], order["perNode"]
    if order["prepares"] and not os.path.exists(os.path.join(folder, "job.json")):
        subprocess.run([*shlex.split(order["galen"]), "jobs", "prepare", folder], check=True)
    for name in os.listdir(os.path.join(folder, "ranks")) if os.path.isdir(os.path.join(folder, "ranks")) else []:
        os.remove(os.path.join(folder, "ranks", name))
    resources = {"num_cpus": order["cpus"], "num_gpus": order["gpus"], "max_retries": 0}
    bundle = {key: value for key, value in {"CPU": order["cpus"], "GPU": order["gpus"]}.items() if value > 0}
    group = placement_group([bundle] * nodes, strategy="STRICT_SPREAD" if nodes > 1 else "STRICT_PACK")
    ray.get(group.ready())

    def at(machine: int) -> dict:
        place = PlacementGroupSchedulingStrategy(placement_group=group, placement_group_bundle_index=machine)
        return {**resources, "scheduling_strategy": place}

    @ray.remote
    def meeting() -> str:
        with socket.socket() as free:
            free.bind(("", 0))
            return f"{ray.util.get_node_ip_address()}:{free.getsockname()[1]}"

    @ray.remote
    def ranks(machine: int, endpoint: str) -> int:
        threads = max(1, int(order["cpus"]) // per_node)
        words = [order["python"], "-m", "torch.distributed.run", "--nnodes", nodes, "--nproc-per-node", per_node]
        words += ["--rdzv-backend", "c10d", "--rdzv-endpoint", endpoint, "--rdzv-id", ray.get_runtime_context().get_job_id()]
        words += ["--rdzv-conf", f"is_host={int(machine == 0)}", "--max-restarts", order["restarts"]]
        words += ["--log-dir", os.path.join(folder, "logs", socket.gethostname()), "--redirects", "3"]
        words += [os.path.join(folder, "worker", "worker.py"), folder]
        words += ["--tensor-parallel", order["tensorParallel"]] if order["tensorParallel"] > 1 else []
        log = os.path.join(folder, "logs", f"ray-machine-{machine}.log")
        return begin([str(word) for word in words], log, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": str(threads)})

    endpoint = ray.get(meeting.options(**at(0)).remote())
    codes = ray.get([ranks.options(**at(machine)).remote(machine, endpoint) for machine in range(nodes)])
    code = next((code for code in codes if code != 0), 0)
    # It saved, but what waits for its model must not begin.
    return STOPPED if code == 0 and done(folder).get("stopped") is not False else abs(code)


def array(order: dict) -> int:
    folder, galen = order["folder"], shlex.split(order["galen"])

    @ray.remote(num_cpus=order["cpus"], num_gpus=order["gpus"], max_retries=3)
    def run(task: int) -> int:
        code = begin([*galen, "jobs", "task", folder, str(task)], os.path.join(folder, "logs", f"task-{task:05}.log"))
        if code == COME_AGAIN:
            time.sleep(1)
        return code

    waiting, running, failed = list(order["tasks"]), {}, 0
    while waiting or running:
        while waiting and len(running) < (order["parallel"] or len(order["tasks"])):
            task = waiting.pop(0)
            running[run.remote(task)] = task
        [ended], _ = ray.wait(list(running))
        task = running.pop(ended)
        code = ray.get(ended)
        if code == COME_AGAIN:
            waiting.append(task)
        elif code != 0:
            failed += 1
            print(f"task {task} ended with code {code}: logs/task-{task:05}.log", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    with open(sys.argv[1]) as file:
        order = json.load(file)
    wait_for(order["before"])
    ray.init()
    sys.exit(array(order) if "tasks" in order else train(order))

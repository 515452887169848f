"""The processes that train together, and what they let people watch: a heartbeat each, and last words."""

import json
import math
import os
import socket
import threading
import time

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh


class Unusable(Exception):
    """The job or the environment cannot be used; nothing was begun."""


class Ranks:
    """The processes that train together. Those of one tensor-parallel group compute the same micro-batches."""

    def __init__(self, tensor_parallel):
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        self.together = "RANK" in os.environ
        if self.size % tensor_parallel != 0:
            raise Unusable(f"--tensor-parallel: expected a divisor of the number of ranks, {self.size}, got {tensor_parallel}")
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
        else:
            self.device = torch.device("cpu")
        self.mesh = None
        self.groups, self.group, self.tensor_parallel = 1, 0, tensor_parallel
        if self.together:
            dist.init_process_group("cpu:gloo,cuda:nccl" if self.device.type == "cuda" else "gloo")
            self.groups = self.size // tensor_parallel
            self.mesh = init_device_mesh(self.device.type, (self.groups, tensor_parallel), mesh_dim_names=("data", "tensor"))
            self.group = self.mesh.get_local_rank("data")
        # Of ranks that compute the same micro-batches, one adds what it counted.
        self.speaks = self.rank % tensor_parallel == 0

    def sum(self, values):
        """Of numbers, over all ranks: float64, in main memory."""
        numbers = torch.tensor(values, dtype=torch.float64)
        if self.together:
            dist.all_reduce(numbers)
        return numbers.tolist()

    def barrier(self):
        if self.together:
            self.sum([0.0])

    def close(self):
        if self.together:
            self.barrier()
            dist.destroy_process_group()


def write_atomically(path, text):
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    with open(temporary, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class Heartbeat(threading.Thread):
    """JOB/ranks/00000.json every few seconds, in long updates too: where a rank is, and how fast its device is by itself."""

    def __init__(self, folder, ranks):
        super().__init__(daemon=True)
        self.path, self.ranks = folder / "ranks" / f"{ranks.rank:05d}.json", ranks
        self.probed, self.milliseconds = 0.0, None
        self.device = torch.cuda.get_device_name(ranks.device) if ranks.device.type == "cuda" else "cpu"
        self.step, self.waiting, self.moved = 0, 0.0, time.time()

    def moves(self, step, waiting):
        """It has done so many updates; before the last it waited so many seconds for its batches."""
        self.step, self.waiting, self.moved = step, waiting, time.time()
        # Between updates, so that its own work is not in the way of what is measured.
        if self.moved - self.probed > 60:
            self.milliseconds = probe(self.ranks.device)
            self.probed = time.time()

    def run(self):
        while True:
            self.beat()
            time.sleep(2)

    def beat(self):
        about = {"rank": self.ranks.rank, "host": socket.gethostname(), "pid": os.getpid(), "step": self.step}
        about |= {"time": time.time(), "moved": self.moved, "waiting": self.waiting}
        about |= {"device": self.device, "probe": self.milliseconds, "memory": memory_of(self.ranks.device)}
        write_atomically(self.path, json.dumps(about))


def probe(device):
    """Milliseconds of a fixed product, by this rank alone: how slow its device is, whatever the others do."""
    size = 4096 if device.type == "cuda" else 512
    factor = torch.ones(size, size, device=device)
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        factor @ factor
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 1000 * best


def memory_of(device):
    """Most bytes so far: the accelerator's, or the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

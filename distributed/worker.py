"""Trains a model of Galen's on PyTorch: one process an accelerator, weights and moments spread over all of them (FSDP2).

    python worker.py JOB                                                    one process, no collectives
    python -m torch.distributed.run --nproc-per-node 8 worker.py JOB        eight; or as many as torchrun starts

JOB is the folder that `galen launch` writes: job.json says what is trained (its schema, with comments: src/launch/job.ts).
Nothing is drawn here but dropout, by (seed, update, micro-batch), so that a run is the same on any number of ranks, and one
that was stopped goes on as if it had not been. It needs PyTorch alone. Exit codes: 0 done, or stopped where it was asked to
(JOB/stop, SIGTERM); 1 failed, with each rank's last words in JOB/ranks; 2 the job or PyTorch cannot be used.
"""

import argparse
import hashlib
import json
import math
import os
import signal
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

OLDEST_TORCH = (2, 7)
# Bytes of a network that each rank may hold whole between the passes.
SMALL = 2**30
# Where Python is told to leave the script's folder out (PYTHONSAFEPATH), too.
sys.path.insert(0, str(Path(__file__).parent))

try:
    import torch
    import torch.distributed as dist
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor.parallel import parallelize_module

    import families
    from examples import Examples
    from losses import PREFERENCE_FIGURES, learning_rate, loss_of, scores_of
    from ranks import Heartbeat, Ranks, Unusable, write_atomically
    from weights import VERSION, Checkpoints, export, fill, open_safetensors
except ImportError as error:
    wanted = ".".join(map(str, OLDEST_TORCH))
    install = f"pip install --requirement {Path(__file__).parent / 'requirements.txt'}"
    print(f"worker: expected PyTorch {wanted} or newer, got {error}: {install}", file=sys.stderr)
    sys.exit(2)


class Run:
    def __init__(self, folder, job, ranks):
        self.folder, self.job, self.ranks = folder, job, ranks
        self.train = Examples(folder, job, "train", training=True)
        self.valid = Examples(folder, job, "valid", training=False) if "valid" in job else None
        self.start = folder / job["model"]["start"]
        stored = open_safetensors(self.start)
        shapes = {name: list(one[2]) for name, one in stored.items()}
        try:
            with torch.device("meta"):
                self.network = families.build({**job["model"], "shapes": shapes})
        except ValueError as error:
            raise Unusable(f"{self.start}: {error}") from error
        self.network.checkpointing = job["checkpointing"]
        self._spread()
        self.network.to_empty(device=ranks.device)
        fill(self.network, stored, self.start)
        settings = job["optimiser"]
        kind = torch.optim.AdamW if settings["name"] == "adamw" else torch.optim.Adam
        self.optimiser = kind(
            self.network.parameters(),
            lr=0.0,
            betas=tuple(settings["betas"]),
            eps=settings["epsilon"],
            weight_decay=settings["weightDecay"],
            foreach=True,
        )
        self.checkpoints = Checkpoints(folder, job["keep"], ranks, self.network, self.optimiser)
        self.heartbeat = Heartbeat(folder, ranks)
        self.step = 0
        # Of float16, what the loss is multiplied by, and the updates since that changed (src/train/updater.ts).
        self.scale, self.good = (65536.0, 0) if job["precision"] == "float16" else (1.0, 0)
        self.reference = self.valid_reference = None
        self.asked_to_stop = False

    def _spread(self):
        """Tensor parallelism within a group of ranks; every layer, and what is around them, sharded over the groups."""
        job, ranks = self.job, self.ranks
        if not ranks.together:
            if job["precision"] != "float32":
                got = job["precision"]
                raise Unusable(f"precision: expected float32 of one process without torchrun, got {got}: start it by torchrun")
            return
        if ranks.tensor_parallel > 1:
            heads = job["model"]["config"].get("num_key_value_heads") or job["model"]["config"].get("num_attention_heads", 1)
            if heads % ranks.tensor_parallel != 0:
                raise Unusable(f"--tensor-parallel: expected a divisor of {heads} key heads, got {ranks.tensor_parallel}")
            for layer in self.network.layers:
                plan = self.network.tensor_parallel_plan(layer)
                if plan is None:
                    raise Unusable(f"--tensor-parallel: expected 1 for {job['model']['family']}, got {ranks.tensor_parallel}")
                parallelize_module(layer, ranks.mesh["tensor"], plan)
        half = None if job["precision"] == "float32" else getattr(torch, job["precision"])
        policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32 if half else None)
        # What is whole for the forward pass may stay so for the backward pass where all of it is small.
        size = sum(parameter.numel() for parameter in self.network.parameters()) * (2 if half else 4)
        for layer in self.network.layers:
            fully_shard(layer, mesh=ranks.mesh["data"], mp_policy=policy, reshard_after_forward=size > SMALL)
        fully_shard(self.network, mesh=ranks.mesh["data"], mp_policy=policy)

    # ---- updates

    def _batches(self, step):
        """The micro-batches of this rank's group in the update after `step`: (index, batch, whether it counts)."""
        accumulate, ranks = self.job["accumulate"], self.ranks
        first = step * accumulate
        there = [index for index in range(accumulate) if not self.train.is_empty(first + index)]
        own = [index for index in there if index % ranks.groups == ranks.group]
        # Collectives want all groups: one without a micro-batch computes another's, which does not count.
        rounds = max(sum(1 for index in there if index % ranks.groups == group) for group in range(ranks.groups))
        return [(index, self.train.batch(first + index), True) for index in own] + [
            (there[0], self.train.batch(first + there[0]), False) for _ in range(rounds - len(own))
        ]

    def _update(self, made, rate):
        """Loss, norm of the gradient before clipping, tokens and figures; None where it was asked to stop."""
        ranks, job = self.ranks, self.job
        total, work, stop = ranks.sum(
            [
                sum(batch.count for _, batch, counts in made if counts) if ranks.speaks else 0,
                sum(batch.work for _, batch, counts in made if counts) if ranks.speaks else 0,
                float(self.asked_to_stop or (ranks.rank == 0 and (self.folder / "stop").exists())),
            ]
        )
        if stop > 0:
            return None
        self.network.train()
        self.optimiser.zero_grad()
        losses, figures = [], {}
        for index, batch, counts in made:
            torch.manual_seed((job["seed"] * 1_000_003 + self.step) * 1_000_003 + index & 0x7FFFFFFFFFFFFFFF)
            loss, values = loss_of(self.network, batch.to(ranks.device), job["objective"], self.reference)
            weight = 1.0 if counts else 0.0
            # FSDP takes the mean over its ranks, where the sum is wanted.
            (loss * (self.scale * weight * ranks.groups / total)).backward()
            if counts and ranks.speaks:
                losses.append(loss.detach().double() / total)
                add(figures, values)
        norm = self._gradient_norm() / self.scale
        loss_sum, *sums = ranks.sum([sum(losses).item() if losses else 0.0] + self._figure_sums(figures))
        if math.isfinite(norm) and math.isfinite(loss_sum):
            clip = job["optimiser"]["clipNorm"]
            factor = min(1.0, clip / (norm + 1e-6)) / self.scale if clip > 0 else 1 / self.scale
            if factor != 1:
                torch._foreach_mul_([gradient_of(p) for p in self.network.parameters()], factor)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
        if job["precision"] == "float16":
            self._rescale(math.isfinite(norm))
        return loss_sum, norm, work, self._means(sums)

    def _rescale(self, finite):
        """Halved on overflow, doubled after 2,000 good updates (Micikevicius et al. 2018, arXiv:1710.03740)."""
        if not finite:
            self.scale, self.good = max(1.0, self.scale / 2), 0
        elif self.good + 1 == 2000:
            self.scale, self.good = self.scale * 2, 0
        else:
            self.good += 1

    def _figure_sums(self, figures):
        if self.job["objective"]["kind"] != "preference":
            return []
        return [number for name in PREFERENCE_FIGURES for number in figures.get(name, (0.0, 0.0))]

    def _means(self, sums):
        return {name: sums[2 * i] / sums[2 * i + 1] for i, name in enumerate(PREFERENCE_FIGURES)} if sums else {}

    def _gradient_norm(self):
        """Of the whole gradient: every number once, however often ranks hold it."""
        squares = []
        for parameter in self.network.parameters():
            copies = self.ranks.size
            if isinstance(parameter, DTensor):
                mesh, placements = parameter.device_mesh, parameter.placements
                for axis, placement in enumerate(placements):
                    # Sharded, in strides or not.
                    if not placement.is_replicate():
                        copies //= mesh.size(axis)
            squares.append(gradient_of(parameter).double().square().sum() / copies)
        return math.sqrt(self.ranks.sum([torch.stack(squares).sum().item()])[0])

    @torch.no_grad()
    def evaluate(self):
        """Mean loss of held-out labels or pairs, and figures."""
        if self.valid is None:
            return None
        self.network.eval()
        ranks = self.ranks
        loss_sum, count, figures = 0.0, 0, {}
        for index in range(0, self.valid.batches, ranks.groups):
            own = index + ranks.group
            counts = own < self.valid.batches
            batch = self.valid.batch(own if counts else 0).to(ranks.device)
            loss, values = loss_of(self.network, batch, self.job["objective"], self.valid_reference)
            if counts and ranks.speaks:
                loss_sum += loss.item()
                count += batch.count
                add(figures, values)
        loss_sum, count, *sums = ranks.sum([loss_sum, count] + self._figure_sums(figures))
        return loss_sum / count, self._means(sums)

    @torch.no_grad()
    def refer(self):
        """Log-probabilities of all texts by the start's weights, before the first update or from the file of them."""
        if self.job["objective"]["kind"] != "preference":
            return
        path = self.folder / "reference.pt"
        # As rank 0 sees it: others could find what it has just written.
        if self.ranks.sum([float(self.ranks.rank == 0 and path.exists())])[0] == 0:
            self.network.eval()
            found = {}
            for name, examples in (("train", self.train), ("valid", self.valid)):
                if examples is None:
                    continue
                pairs = examples.files[0][1] // 2
                scores = torch.zeros(pairs, 2, dtype=torch.float64)
                for first in range(0, pairs, self.ranks.groups):
                    own = min(first + self.ranks.group, pairs - 1)
                    batch = examples.texts([2 * own, 2 * own + 1], packing=False).to(self.ranks.device)
                    losses_N = self.network(batch.ids, batch.labels, batch.at, batch.documents)
                    if first + self.ranks.group < pairs and self.ranks.speaks:
                        scores[own] = scores_of(losses_N, batch).double().cpu()
                if self.ranks.together:
                    dist.all_reduce(scores)
                found[name] = scores.float()
            if self.ranks.rank == 0:
                torch.save(found, path.with_suffix(".tmp"))
                os.replace(path.with_suffix(".tmp"), path)
            self.ranks.barrier()
        found = torch.load(path, weights_only=True)
        self.reference, self.valid_reference = found["train"], found.get("valid")

    # ---- what people watch

    def open_metrics(self):
        """metrics.jsonl without what came after the checkpoint."""
        path = self.folder / "metrics.jsonl"
        kept = []
        if path.exists():
            for line in path.read_text().splitlines():
                try:
                    if json.loads(line)["step"] <= self.step:
                        kept.append(line)
                except (ValueError, KeyError):
                    continue
        write_atomically(path, "".join(f"{line}\n" for line in kept))

    def log(self, **record):
        if self.ranks.rank != 0:
            return
        clean = {key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in record.items()}
        with open(self.folder / "metrics.jsonl", "a") as file:
            file.write(json.dumps(clean) + "\n")

    # ---- the loop

    def go(self):
        """Trains to the last update, or to where it is asked to stop; whether it was."""
        job, ranks = self.job, self.ranks
        self.refer()
        self.step, found = self.checkpoints.restore()
        self.scale, self.good = found or (self.scale, self.good)
        if ranks.rank == 0:
            self.open_metrics()
        ranks.barrier()
        self.heartbeat.moves(self.step, 0.0)
        self.heartbeat.start()
        steps, every = job["steps"], job["every"]
        self._log_evaluation()
        largest, seen, recent = 0.0, 0, [(time.monotonic(), 0.0)]
        stopped = False
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self._batches, self.step) if self.step < steps else None
            while self.step < steps:
                began = time.monotonic()
                made = coming.result()
                waiting = time.monotonic() - began
                coming = pool.submit(self._batches, self.step + 1) if self.step + 1 < steps else None
                rate = learning_rate(job["schedule"], self.step + 1, steps)
                done = self._update(made, rate)
                if done is None:
                    stopped = True
                    break
                loss, norm, work, figures = done
                largest = max(largest, abs(loss)) if seen < 10 and math.isfinite(loss) else largest
                seen += 1
                # In float16 the scale has its say first.
                if self.scale == 1 and not (math.isfinite(loss + norm) and abs(loss) <= 100 * largest):
                    raise ArithmeticError(
                        f"update {self.step + 1}: expected a loss that falls, got loss {loss}, gradient norm {norm}: "
                        "the run has diverged: lower schedule.peak, lengthen schedule.warmup, or clip"
                    )
                self.step += 1
                recent.append((time.monotonic(), work))
                recent = recent[-20:]
                seconds = max(1e-9, recent[-1][0] - recent[0][0])
                speed = sum(work for _, work in recent[1:]) / seconds
                more = {"figures": figures} if figures else {}
                self.log(
                    type="step",
                    step=self.step,
                    steps=steps,
                    epoch=math.ceil(self.step / job["perEpoch"]),
                    loss=loss,
                    learningRate=rate,
                    gradientNorm=norm,
                    speed=speed,
                    secondsLeft=(steps - self.step) * seconds / (len(recent) - 1),
                    **more,
                )
                self.heartbeat.moves(self.step, waiting)
                if self.step == steps:
                    break
                if every["evaluate"] and self.step % every["evaluate"] == 0:
                    self._log_evaluation()
                if every["save"] and self.step % every["save"] == 0:
                    self.checkpoints.save(self.step, (self.scale, self.good))
        self.checkpoints.save(self.step, (self.scale, self.good))
        self.heartbeat.moves(self.step, 0.0)
        self.heartbeat.beat()
        if stopped:
            return True
        if seen > 0:
            self._log_evaluation()
        export(self.network, self.start, self.folder / "model", self.ranks)
        return False

    def _log_evaluation(self):
        found = self.evaluate()
        if found is None:
            return
        loss, figures = found
        job = self.job
        epoch = math.ceil(job["steps"] / job["perEpoch"]) if self.step == job["steps"] else self.step // job["perEpoch"]
        perplexity = {} if job["objective"]["kind"] == "preference" else {"perplexity": math.exp(min(loss, 700))}
        self.log(
            type="evaluated",
            step=self.step,
            epoch=epoch,
            **perplexity,
            loss=loss,
            **({"figures": figures} if figures else {}),
        )


def add(figures, values):
    """Adds (sum, count) by name."""
    for name, (value, count) in values.items():
        before = figures.get(name, (0, 0))
        figures[name] = (before[0] + value, before[1] + count)


def gradient_of(parameter):
    """This rank's part of it, zeros where nothing reached the weight."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad.to_local() if isinstance(parameter.grad, DTensor) else parameter.grad


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def read_job(folder):
    try:
        job = json.loads((folder / "job.json").read_text())
    except (OSError, ValueError) as error:
        raise Unusable(f"{folder}: expected the folder of a job, made by galen launch, got {error}") from error
    if job.get("version") != VERSION:
        raise Unusable(
            f"{folder / 'job.json'}: expected version {VERSION}, got {job.get('version')}: "
            "launch it again with the galen that this worker came with"
        )
    found = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if found < OLDEST_TORCH:
        raise Unusable(
            f"expected PyTorch {'.'.join(map(str, OLDEST_TORCH))} or newer, got {torch.__version__}: "
            f"pip install --requirement {Path(__file__).parent / 'requirements.txt'}"
        )
    return job


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument(
        "--tensor-parallel", type=int, default=1, help="ranks that share the matrices of a layer (LLaMA and relatives)"
    )
    arguments = parser.parse_args()
    folder, run = arguments.job, None
    rank = int(os.environ.get("RANK", "0"))
    try:
        job = read_job(folder)
        for name in ("ranks", "checkpoints"):
            (folder / name).mkdir(exist_ok=True)
        last_words = folder / "ranks" / f"{rank:05d}.error.json"
        last_words.unlink(missing_ok=True)
        ranks = Ranks(arguments.tensor_parallel)
        run = Run(folder, job, ranks)
        signal.signal(signal.SIGTERM, lambda *_: setattr(run, "asked_to_stop", True))
        if rank == 0:
            (folder / "done.json").unlink(missing_ok=True)
        stopped = run.go()
        if rank == 0:
            files = [] if stopped else sorted(path for path in (folder / "model").iterdir() if path.is_file())
            about = {path.name: {"bytes": path.stat().st_size, "sha256": sha256(path)} for path in files}
            write_atomically(folder / "done.json", json.dumps({"step": run.step, "stopped": stopped, "files": about}, indent=2))
        ranks.close()
        return 0
    except Unusable as error:
        print(f"worker: {error}", file=sys.stderr)
        return 2
    except Exception as error:
        words = {
            "rank": rank,
            "time": time.time(),
            "step": run.step if run else None,
            "message": f"{type(error).__name__}: {error}",
            "traceback": traceback.format_exc()[-8000:],
        }
        write_atomically(folder / "ranks" / f"{rank:05d}.error.json", json.dumps(words))
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())

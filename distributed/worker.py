"""Trains a model of Galen's on PyTorch: one process an accelerator, weights and moments spread over all of them (FSDP2).

    python worker.py JOB                                                    one process, no collectives
    python -m torch.distributed.run --nproc-per-node 8 worker.py JOB        eight; or as many as torchrun starts, on any machines

JOB is the folder that `galen launch` writes: job.json says what is trained (its schema, with comments: src/launch/job.ts).
Nothing is drawn here but dropout, by (seed, update, micro-batch), so that a run is the same on any number of ranks, and one
that was stopped goes on as if it had not been. It needs PyTorch alone. Exit codes: 0 done, or stopped where it was asked to
(JOB/stop, SIGTERM); 1 failed, with each rank's last words in JOB/ranks; 2 the job or PyTorch cannot be used.
"""

import argparse
import ctypes
import hashlib
import json
import math
import os
import shutil
import signal
import socket
import struct
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

VERSION = 1
OLDEST_TORCH = (2, 7)
NOBODY = 0xFFFFFFFF


class Unusable(Exception):
    """The job or the environment cannot be used; nothing was begun."""


try:
    import torch
    import torch.distributed as dist
    import torch.distributed.checkpoint as dcp
    import torch.nn.functional as F
    from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
    from torch.distributed.tensor import DTensor
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset
    from torch.distributed.tensor.parallel import parallelize_module

    import families
except ImportError as error:
    sys.exit(print(f"worker: expected PyTorch {'.'.join(map(str, OLDEST_TORCH))} or newer, got {error}: "
                   f"pip install --requirement {Path(__file__).parent / 'requirements.txt'}", file=sys.stderr) or 2)


# ---------------------------------------------------------------------------------------------------------------- ranks


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


# ---------------------------------------------------------------------------------------------------------------- files


def write_atomically(path, text):
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def mapped(path, dtype):
    """A file of little-endian numbers as a tensor that the system pages in."""
    count = path.stat().st_size // torch.empty(0, dtype=dtype).element_size()
    return torch.from_file(str(path), shared=False, size=count, dtype=dtype) if count > 0 else torch.empty(0, dtype=dtype)


SAFETENSORS = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def open_safetensors(folder):
    """Tensors of a model's folder by name, mapped: nothing is read before it is asked for."""
    index = folder / "model.safetensors.index.json"
    names = sorted(set(json.loads(index.read_text())["weight_map"].values())) if index.exists() else ["model.safetensors"]
    tensors = {}
    for name in names:
        with open(folder / name, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        content = mapped(folder / name, torch.uint8)
        for key, one in header.items():
            start, end = (8 + length + offset for offset in one["data_offsets"])
            if end > content.numel():
                raise Unusable(f"{folder / name}: expected {end} bytes, got {content.numel()}: the file is truncated")
            tensors[key] = (content[start:end], SAFETENSORS[one["dtype"]], one["shape"])
    return tensors


def tensor_of(content, dtype, shape):
    # A copy where the bytes do not begin at a multiple of a number's width.
    aligned = content if content.data_ptr() % dtype.itemsize == 0 else content.clone()
    return aligned.view(dtype).view(shape)


# -------------------------------------------------------------------------------------------------------------- batches


class Draws:
    """Galen's random numbers (src/tensor/random.ts): sfc32, seeded by a list of whole numbers."""

    def __init__(self, *seeds):
        self.mixed = 0x9E3779B9
        for seed in seeds:
            for half in (seed & 0xFFFFFFFF, seed >> 32):
                self.mixed ^= half
                self._splitmix()
        self.a, self.b, self.c = self._splitmix(), self._splitmix(), self._splitmix()
        self.counter = 1
        for _ in range(12):
            self._bits()

    def _splitmix(self):
        self.mixed = (self.mixed + 0x9E3779B9) & 0xFFFFFFFF
        t = self.mixed ^ (self.mixed >> 16)
        t = (t * 0x21F0AAAD) & 0xFFFFFFFF
        t ^= t >> 15
        t = (t * 0x735A2D97) & 0xFFFFFFFF
        return t ^ (t >> 15)

    def _bits(self):
        t = (self.a + self.b + self.counter) & 0xFFFFFFFF
        self.counter = (self.counter + 1) & 0xFFFFFFFF
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & 0xFFFFFFFF
        self.c = (((self.c << 21) | (self.c >> 11)) + t) & 0xFFFFFFFF
        return t

    def next(self):
        return self._bits() / 4294967296

    def integer(self, bound):
        return int(self.next() * bound)

    def shuffle(self, items):
        for i in range(len(items) - 1, 0, -1):
            j = self.integer(i + 1)
            items[i], items[j] = items[j], items[i]
        return items


MASK_STREAM = 0x6D6C6D


def masked(row, seeds, settings, special, continues):
    """Ids as the model sees them, the places to predict and what stood there (src/train/objectives/masking.ts)."""
    draws = Draws(*seeds)
    vocabulary = settings["vocabulary"]
    words = []
    for place, token in enumerate(row):
        if token in special:
            continue
        if continues is not None and words and words[-1][-1] == place - 1 and continues[token]:
            words[-1].append(place)
        else:
            words.append([place])
    tokens = sum(map(len, words))
    wanted = 0 if tokens == 0 else max(1, math.floor(tokens * settings["rate"] + draws.next()))
    at = []
    for word in draws.shuffle(words):
        if len(at) >= wanted:
            break
        if at and len(at) + len(word) > wanted:
            continue
        at.extend(word)
    at.sort()
    labels = [row[place] for place in at]
    for place in at:
        draw = draws.next()
        if draw < 0.8:
            row[place] = vocabulary["mask"]
        elif draw < 0.9:
            token = draws.integer(vocabulary["size"])
            while token in special:
                token = draws.integer(vocabulary["size"])
            row[place] = token
    # A word longer than all that is to be predicted loses its last pieces' labels.
    room = math.floor(len(row) * settings["rate"]) + 1
    return row, at[:room], labels[:room]


@dataclass
class Batch:
    """A micro-batch. `count`: labels or pairs that its loss is the sum over; `work`: its tokens, for the speed."""

    ids: torch.Tensor
    labels: torch.Tensor
    at: torch.Tensor | None
    documents: torch.Tensor | None
    count: int
    work: int
    owners: torch.Tensor | None = None  # of each label, which of the batch's texts it belongs to
    lengths: torch.Tensor | None = None  # labels of each text
    numbers: list[int] | None = None

    def to(self, device):
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(self, name, value.to(device, non_blocking=True))
        return self


class Examples:
    """Training or held-out examples, by micro-batch."""

    def __init__(self, folder, job, split, training):
        self.objective, self.kind = job["objective"], job["objective"]["kind"]
        self.seed = job["seed"] if training else 0
        self.pad = job["model"]["config"].get("pad_token_id") or 0
        part = job[split]
        self.width, self.batches = part["order"]["width"], part["order"]["batches"]
        self.order = mapped(folder / part["order"]["path"], torch.int32)  # unsigned: see numbers()
        if self.order.numel() != self.width * self.batches:
            raise Unusable(f"{folder / part['order']['path']}: expected {self.width * self.batches} numbers, got {self.order.numel()}")
        types = {"uint16": torch.uint16, "int32": torch.int32}
        self.files = [(mapped(folder / one["path"], types[one["type"]]), one["examples"]) for one in part["files"]]
        if "starts" in part:
            self.starts = mapped(folder / part["starts"], torch.int64)
            self.learned = mapped(folder / part["learned"], torch.uint8)
        if self.kind == "masked":
            vocabulary = self.objective["vocabulary"]
            self.special = frozenset(vocabulary["special"])
            path = vocabulary["continues"]
            self.continues = None if path is None else (folder / path).read_bytes()
        # What is right alone in memory would still be wrong a file of another model.
        self.rows = job["model"]["config"]["vocab_size"]

    def numbers(self, batch):
        """The examples of a micro-batch, with their places in it."""
        row = self.order[batch * self.width : (batch + 1) * self.width].tolist()
        return [(place, number & NOBODY) for place, number in enumerate(row) if number & NOBODY != NOBODY]

    def is_empty(self, batch):
        return len(self.numbers(batch)) == 0

    def batch(self, batch):
        numbers = self.numbers(batch)
        if self.kind == "causal":
            return self._causal(numbers)
        if self.kind == "masked":
            return self._masked(numbers, batch)
        if self.kind == "instructions":
            return self._texts([number for _, number in numbers], self.objective["packing"])
        made = self._texts([text for _, number in numbers for text in (2 * number, 2 * number + 1)], packing=False)
        made.count, made.numbers = len(numbers), [number for _, number in numbers]
        return made

    def _block(self, number, tokens, overlap):
        for content, blocks in self.files:
            if number < blocks:
                block = content[number * tokens : (number + 1) * tokens + overlap].to(torch.int64)
                if block.numel() != tokens + overlap or bool((block >= self.rows).any()) or bool((block < 0).any()):
                    raise ValueError(f"block {number}: expected {tokens + overlap} ids below {self.rows}, got others: "
                                     "the token file was changed, or another tokenizer made it")
                return block
            number -= blocks
        raise ValueError(f"the order of examples names block {number} beyond the token files")

    def _causal(self, numbers):
        tokens = self.objective["tokens"]
        blocks = torch.stack([self._block(number, tokens, 1) for _, number in numbers])
        labels = blocks[:, 1:].reshape(-1)
        return Batch(blocks[:, :-1].contiguous(), labels, None, None, labels.numel(), labels.numel())

    def _masked(self, numbers, batch):
        tokens, start = self.objective["tokens"], self.objective["vocabulary"]["start"]
        ids, at, labels = [], [], []
        for row, (place, number) in enumerate(numbers):
            example = batch * self.width + place
            block = self._block(number, tokens, 0).tolist()
            seen, places, stood = masked(block, (self.seed, example, MASK_STREAM), self.objective, self.special, self.continues)
            ids.append(seen)
            at += [row * tokens + place for place in places]
            labels += stood
        ids = torch.tensor(ids)
        documents = None if self.objective["acrossDocuments"] else (ids == (-1 if start is None else start)).cumsum(1)
        return Batch(ids, torch.tensor(labels), torch.tensor(at), documents, len(labels), ids.numel())

    def _texts(self, numbers, packing):
        """The label of a token is the next one, where that is learned. Padding is on the right, or a document of its own."""
        texts = []
        for number in numbers:
            start, end = self.starts[number].item(), self.starts[number + 1].item()
            texts.append((self.files[0][0][start:end].to(torch.int64), self.learned[start:end].nonzero().flatten()))
        width = max(ids.numel() for ids, _ in texts) - 1
        rows = self._shared_rows(texts, width) if packing else [[text] for text in range(len(texts))]
        ids = torch.full((len(rows), width), self.pad)
        documents = torch.zeros(len(rows), width, dtype=torch.int64)
        at, labels, owners = [], [], []
        for row, members in enumerate(rows):
            first = 0
            for document, text in enumerate(members):
                own, learned = texts[text]
                ids[row, first : first + own.numel() - 1] = own[:-1]
                documents[row, first : first + own.numel() - 1] = document + 1
                at.append(row * width + first + learned - 1)
                labels.append(own[learned])
                owners.append(torch.full_like(learned, text))
                first += own.numel() - 1
        lengths = torch.tensor([learned.numel() for _, learned in texts])
        at, labels, owners = torch.cat(at), torch.cat(labels), torch.cat(owners)
        work = sum(own.numel() for own, _ in texts)
        return Batch(ids, labels, at, documents if packing else None, labels.numel(), work, owners, lengths)

    @staticmethod
    def _shared_rows(texts, width):
        """The longest first, each into the first row with room for it."""
        rows = []
        for text in sorted(range(len(texts)), key=lambda text: -texts[text][0].numel()):
            tokens = texts[text][0].numel() - 1
            row = next((row for row in rows if row[1] >= tokens), None)
            if row is None:
                row = [[], width]
                rows.append(row)
            row[0].append(text)
            row[1] -= tokens
        return [members for members, _ in rows]


# --------------------------------------------------------------------------------------------------------------- losses


def loss_of(network, batch, objective, reference):
    """The sum over a micro-batch's labels or pairs, and figures as (sum, count) by name."""
    losses_N = network(batch.ids, batch.labels, batch.at, batch.documents)
    if objective["kind"] != "preference":
        return losses_N.sum(), {}
    scores_C = scores_of(losses_N, batch)
    apart_C = scores_C - reference[torch.tensor(batch.numbers)].flatten().to(scores_C.device)
    beta, smoothing, kind = objective["beta"], objective["labelSmoothing"], objective["loss"]
    ratios_C = apart_C / batch.lengths if kind in ("ipo", "sigmoid_norm") else apart_C
    delta_B = ratios_C[0::2] - ratios_C[1::2]
    if kind == "ipo":
        loss_B = (delta_B - 1 / (2 * beta)) ** 2
    else:
        right_B, wrong_B = -F.logsigmoid(beta * delta_B), -F.logsigmoid(-beta * delta_B)
        if smoothing == 0 or kind == "sigmoid_norm":
            loss_B = right_B
        elif kind == "sigmoid":
            loss_B = (1 - smoothing) * right_B + smoothing * wrong_B
        else:
            loss_B = ((1 - smoothing) * right_B - smoothing * wrong_B) / (1 - 2 * smoothing)
    rewards_C = beta * apart_C.detach().double()
    better_B, worse_B = rewards_C[0::2], rewards_C[1::2]
    values = {
        "rewards/accuracies": (better_B > worse_B).double(),
        "rewards/margins": better_B - worse_B,
        "rewards/chosen": better_B,
        "rewards/rejected": worse_B,
        "logps/chosen": scores_C.detach().double()[0::2],
        "logps/rejected": scores_C.detach().double()[1::2],
        "lengths/chosen": batch.lengths.double()[0::2],
        "lengths/rejected": batch.lengths.double()[1::2],
    }
    return loss_B.sum(), {name: (value.sum().item(), batch.count) for name, value in values.items()}


PREFERENCE_FIGURES = ["rewards/accuracies", "rewards/margins", "rewards/chosen", "rewards/rejected",
                      "logps/chosen", "logps/rejected", "lengths/chosen", "lengths/rejected"]


def scores_of(losses_N, batch):
    """Of each text, the sum of its learned tokens' log-probabilities."""
    return -torch.zeros(batch.lengths.numel(), device=losses_N.device).index_add(0, batch.owners, losses_N)


def learning_rate(schedule, step, steps):
    """Of update `step`, counted from 1 (src/train/schedule.ts)."""
    kind, peak, warmup, initial, floor = (schedule[key] for key in ("kind", "peak", "warmup", "initial", "floor"))
    if step <= warmup:
        return initial + (peak - initial) * step / warmup
    progress = min(1, (step - warmup) / max(1, steps - warmup))
    if kind == "constant":
        return peak
    if kind == "linear":
        return peak * (1 - (1 - floor) * progress)
    if kind == "cosine":
        return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
    return peak * math.sqrt(max(1, warmup) / step)


# ------------------------------------------------------------------------------------------------------------------ run


class Run:
    def __init__(self, folder, job, ranks):
        self.folder, self.job, self.ranks = folder, job, ranks
        self.train = Examples(folder, job, "train", training=True)
        self.valid = Examples(folder, job, "valid", training=False) if "valid" in job else None
        self.start = folder / job["model"]["start"]
        stored = open_safetensors(self.start)
        with torch.device("meta"):
            self.network = families.build({**job["model"], "shapes": {name: list(one[2]) for name, one in stored.items()}})
        self.network.checkpointing = job["checkpointing"]
        self._spread()
        self.network.to_empty(device=ranks.device)
        self._fill(stored)
        settings = job["optimiser"]
        kind = torch.optim.AdamW if settings["name"] == "adamw" else torch.optim.Adam
        self.optimiser = kind(self.network.parameters(), lr=0.0, betas=tuple(settings["betas"]), eps=settings["epsilon"],
                              weight_decay=settings["weightDecay"], foreach=True)
        self.step = 0
        self.reference = None
        self.asked_to_stop = False

    def _spread(self):
        """Tensor parallelism within a group of ranks; every layer, and what is around them, sharded over the groups."""
        job, ranks = self.job, self.ranks
        if not ranks.together:
            if job["precision"] == "bfloat16":
                raise Unusable("precision: expected float32 of one process without torchrun, got bfloat16: start it by torchrun")
            return
        if ranks.tensor_parallel > 1:
            for layer in self.network.layers:
                plan = self.network.tensor_parallel_plan(layer)
                if plan is None:
                    raise Unusable(f"--tensor-parallel: expected 1 for {job['model']['family']}, got {ranks.tensor_parallel}")
                parallelize_module(layer, ranks.mesh["tensor"], plan)
        half = torch.bfloat16 if job["precision"] == "bfloat16" else None
        policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32 if half else None)
        for layer in self.network.layers:
            fully_shard(layer, mesh=ranks.mesh["data"], mp_policy=policy)
        fully_shard(self.network, mesh=ranks.mesh["data"], mp_policy=policy)

    def _fill(self, stored):
        """Each rank reads its own part of the weights."""
        own = dict(self.network.named_parameters())
        if own.keys() != stored.keys():
            raise Unusable(f"{self.start}: expected the weights {sorted(own.keys() - stored.keys())[:3]} and none of "
                           f"{sorted(stored.keys() - own.keys())[:3]}: config.json and the weights do not belong together")
        with torch.no_grad():
            for name, parameter in own.items():
                whole = tensor_of(*stored[name])
                if list(whole.shape) != list(parameter.shape):
                    raise Unusable(f"{self.start}: {name}: expected {list(parameter.shape)}, got {list(whole.shape)}")
                if not isinstance(parameter, DTensor):
                    parameter.copy_(whole)
                    continue
                shape, offset = compute_local_shape_and_global_offset(whole.shape, parameter.device_mesh, parameter.placements)
                for axis, (size, first) in enumerate(zip(shape, offset)):
                    whole = whole.narrow(axis, first if size > 0 else 0, size)
                parameter.to_local().copy_(whole)

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
            (there[0], self.train.batch(first + there[0]), False) for _ in range(rounds - len(own))]

    def _update(self, made, rate):
        """Loss, norm of the gradient before clipping, tokens and figures; None where it was asked to stop."""
        ranks, job = self.ranks, self.job
        first = ranks.rank % ranks.tensor_parallel == 0
        total, work, stop = ranks.sum([
            sum(batch.count for _, batch, counts in made if counts) if first else 0,
            sum(batch.work for _, batch, counts in made if counts) if first else 0,
            float(self.asked_to_stop or (ranks.rank == 0 and (self.folder / "stop").exists()))])
        if stop > 0:
            return None
        self.network.train()
        self.optimiser.zero_grad()
        loss_sum, figures = 0.0, {}
        for index, batch, counts in made:
            torch.manual_seed((job["seed"] * 1_000_003 + self.step) * 1_000_003 + index & 0x7FFFFFFFFFFFFFFF)
            loss, values = loss_of(self.network, batch.to(ranks.device), job["objective"], self.reference)
            weight = 1.0 if counts else 0.0
            # FSDP takes the mean over its ranks, where the sum is wanted.
            (loss * (weight * ranks.groups / total)).backward()
            if counts and first:
                loss_sum += loss.item() / total
                for name, (value, count) in values.items():
                    figures[name] = (figures.get(name, (0, 0))[0] + value, figures.get(name, (0, 0))[1] + count)
        norm = self._gradient_norm()
        loss_sum, *sums = ranks.sum([loss_sum] + self._figure_sums(figures))
        if math.isfinite(norm) and math.isfinite(loss_sum):
            clip = job["optimiser"]["clipNorm"]
            if clip > 0 and norm > clip:
                factor = min(1.0, clip / (norm + 1e-6))
                torch._foreach_mul_([gradient_of(p) for p in self.network.parameters()], factor)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
        return loss_sum, norm, work, self._means(sums)

    def _figure_sums(self, figures):
        if self.job["objective"]["kind"] != "preference":
            return []
        return [number for name in PREFERENCE_FIGURES for number in figures.get(name, (0.0, 0.0))]

    def _means(self, sums):
        return {name: sums[2 * i] / sums[2 * i + 1] for i, name in enumerate(PREFERENCE_FIGURES)} if sums else {}

    def _gradient_norm(self):
        """Of the whole gradient: every number once, however often ranks hold it."""
        squares = 0.0
        for parameter in self.network.parameters():
            copies = self.ranks.size
            if isinstance(parameter, DTensor):
                mesh, placements = parameter.device_mesh, parameter.placements
                for axis, placement in enumerate(placements):
                    if placement.is_shard():
                        copies //= mesh.size(axis)
            squares += gradient_of(parameter).double().square().sum().item() / copies
        return math.sqrt(self.ranks.sum([squares])[0])

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
            if counts and ranks.rank % ranks.tensor_parallel == 0:
                loss_sum += loss.item()
                count += batch.count
                for name, (value, number) in values.items():
                    figures[name] = (figures.get(name, (0, 0))[0] + value, figures.get(name, (0, 0))[1] + number)
        loss_sum, count, *sums = ranks.sum([loss_sum, count] + self._figure_sums(figures))
        return loss_sum / count, self._means(sums)

    @torch.no_grad()
    def refer(self):
        """Log-probabilities of all texts by the start's weights, before the first update or from the file of them."""
        if self.job["objective"]["kind"] != "preference":
            self.valid_reference = None
            return
        path = self.folder / "reference.pt"
        if not path.exists():
            self.network.eval()
            found = {}
            for name, examples in (("train", self.train), ("valid", self.valid)):
                if examples is None:
                    continue
                pairs = examples.files[0][1] // 2
                scores = torch.zeros(pairs, 2, dtype=torch.float64)
                for first in range(0, pairs, self.ranks.groups):
                    own = min(first + self.ranks.group, pairs - 1)
                    batch = examples._texts([2 * own, 2 * own + 1], packing=False).to(self.ranks.device)
                    losses_N = self.network(batch.ids, batch.labels, batch.at, batch.documents)
                    if first + self.ranks.group < pairs and self.ranks.rank % self.ranks.tensor_parallel == 0:
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

    # ---- checkpoints

    def _state(self):
        model, optimiser = get_state_dict(self.network, self.optimiser)
        return {"model": model, "optimiser": optimiser}

    def save(self):
        folder = self.folder / "checkpoints" / f"step-{self.step:08d}"
        if (folder / "complete.json").exists():
            return folder
        temporary = folder.with_suffix(".tmp")
        if self.ranks.rank == 0:
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.mkdir(parents=True)
        self.ranks.barrier()
        dcp.save(self._state(), checkpoint_id=str(temporary))
        self.ranks.barrier()
        if self.ranks.rank == 0:
            sizes = {path.name: path.stat().st_size for path in sorted(temporary.iterdir())}
            about = {"version": VERSION, "step": self.step, "ranks": self.ranks.size, "torch": torch.__version__, "files": sizes}
            write_atomically(temporary / "complete.json", json.dumps(about))
            os.replace(temporary, folder)
            for old in self._whole()[: -self.job["keep"]]:
                shutil.rmtree(old, ignore_errors=True)
        self.ranks.barrier()
        return folder

    def _whole(self):
        """Checkpoints of which every file is there, oldest first; a torn one is never taken."""
        found = []
        for folder in sorted((self.folder / "checkpoints").glob("step-*")):
            try:
                files = json.loads((folder / "complete.json").read_text())["files"]
                if all((folder / name).stat().st_size == size for name, size in files.items()):
                    found.append(folder)
            except (OSError, ValueError, KeyError):
                continue
        return found

    def restore(self):
        whole = self._whole()
        if not whole:
            return
        state = self._state()
        dcp.load(state, checkpoint_id=str(whole[-1]))
        set_state_dict(self.network, self.optimiser, model_state_dict=state["model"], optim_state_dict=state["optimiser"])
        self.step = json.loads((whole[-1] / "complete.json").read_text())["step"]

    def export(self, most=5 * 10**9):
        """The model in Hugging Face's format, a tensor at a time, in files of at most `most` bytes or one tensor."""
        folder, temporary = self.folder / "model", self.folder / "model.tmp"
        parameters = dict(self.network.named_parameters())
        shards, room = [[]], most
        for name, parameter in parameters.items():
            size = 4 * parameter.numel()
            if size > room and shards[-1]:
                shards.append([])
                room = most
            shards[-1].append(name)
            room -= size
        writes = self.ranks.rank == 0
        if writes:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            for path in self.start.iterdir():
                if path.is_file() and not path.name.startswith("model.safetensors"):
                    shutil.copyfile(path, temporary / path.name)
        weight_map = {}
        for number, names in enumerate(shards, 1):
            file_name = "model.safetensors" if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
            header, end = {"__metadata__": {"format": "pt"}}, 0
            for name in names:
                weight_map[name] = file_name
                size = 4 * parameters[name].numel()
                header[name] = {"dtype": "F32", "shape": list(parameters[name].shape), "data_offsets": [end, end + size]}
                end += size
            text = json.dumps(header, separators=(",", ":")).encode()
            text += b" " * (-len(text) % 8)
            file = open(temporary / file_name, "wb") if writes else None
            if writes:
                file.write(struct.pack("<Q", len(text)) + text)
            for name in names:
                value = parameters[name].detach()
                whole = (value.full_tensor() if isinstance(value, DTensor) else value).float().cpu().contiguous()
                if writes:
                    file.write((ctypes.c_char * (4 * whole.numel())).from_address(whole.data_ptr()))
            if writes:
                file.flush()
                os.fsync(file.fileno())
                file.close()
        if writes:
            if len(shards) > 1:
                total = sum(4 * one.numel() for one in parameters.values())
                index = {"metadata": {"total_size": total}, "weight_map": weight_map}
                (temporary / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(temporary, folder)
        self.ranks.barrier()

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

    def heartbeat(self, waiting, always=False):
        now = time.time()
        if not always and now - self.last_beat < 2:
            return
        self.last_beat = now
        device = torch.cuda.get_device_name(self.ranks.device) if self.ranks.device.type == "cuda" else "cpu"
        if now - self.last_probe > 60:
            self.last_probe, self.probe_ms = now, probe(self.ranks.device)
        beat = {"rank": self.ranks.rank, "host": socket.gethostname(), "pid": os.getpid(), "step": self.step, "time": now,
                "device": device, "probe": self.probe_ms, "waiting": waiting, "memory": memory_of(self.ranks.device)}
        write_atomically(self.folder / "ranks" / f"{self.ranks.rank:05d}.json", json.dumps(beat))

    last_beat = last_probe = 0.0
    probe_ms = None

    # ---- the loop

    def go(self):
        """Trains to the last update, or to where it is asked to stop; whether it was."""
        job, ranks = self.job, self.ranks
        self.refer()
        self.restore()
        if ranks.rank == 0:
            self.open_metrics()
        ranks.barrier()
        self.heartbeat(0.0, always=True)
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
                largest = max(largest, abs(loss)) if seen < 10 else largest
                seen += 1
                if not math.isfinite(loss) or not math.isfinite(norm) or abs(loss) > 100 * largest:
                    raise ArithmeticError(f"update {self.step + 1}: expected a loss that falls, got loss {loss}, gradient norm {norm}: "
                                          "the run has diverged: lower schedule.peak, lengthen schedule.warmup, or clip")
                self.step += 1
                recent.append((time.monotonic(), work))
                recent = recent[-20:]
                seconds = max(1e-9, recent[-1][0] - recent[0][0])
                speed = sum(work for _, work in recent[1:]) / seconds
                more = {"figures": figures} if figures else {}
                self.log(type="step", step=self.step, steps=steps, epoch=math.ceil(self.step / job["perEpoch"]), loss=loss,
                         learningRate=rate, gradientNorm=norm, speed=speed,
                         secondsLeft=(steps - self.step) * seconds / (len(recent) - 1), **more)
                self.heartbeat(waiting)
                if self.step == steps:
                    break
                if every["evaluate"] and self.step % every["evaluate"] == 0:
                    self._log_evaluation()
                if every["save"] and self.step % every["save"] == 0:
                    self.save()
        self.save()
        self.heartbeat(0.0, always=True)
        if stopped:
            return True
        if seen > 0:
            self._log_evaluation()
        self.export()
        return False

    def _log_evaluation(self):
        found = self.evaluate()
        if found is None:
            return
        loss, figures = found
        job = self.job
        epoch = math.ceil(job["steps"] / job["perEpoch"]) if self.step == job["steps"] else self.step // job["perEpoch"]
        perplexity = {} if job["objective"]["kind"] == "preference" else {"perplexity": math.exp(min(loss, 700))}
        self.log(type="evaluated", step=self.step, epoch=epoch, **perplexity, loss=loss, **({"figures": figures} if figures else {}))


def gradient_of(parameter):
    """This rank's part of it, zeros where nothing reached the weight."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad.to_local() if isinstance(parameter.grad, DTensor) else parameter.grad


def probe(device):
    """Milliseconds of a fixed product, by this rank alone: how fast its device is, whatever the others do."""
    size = 4096 if device.type == "cuda" else 512
    factor = torch.ones(size, size, device=device)
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        product = factor @ factor
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return 1000 * best if product is not None else None


def memory_of(device):
    """Most bytes so far: the accelerator's, or the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


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
        raise Unusable(f"{folder / 'job.json'}: expected version {VERSION}, got {job.get('version')}: "
                       "launch it again with the galen that this worker came with")
    found = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if found < OLDEST_TORCH:
        raise Unusable(f"expected PyTorch {'.'.join(map(str, OLDEST_TORCH))} or newer, got {torch.__version__}: "
                       f"pip install --requirement {Path(__file__).parent / 'requirements.txt'}")
    return job


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    parser.add_argument("--tensor-parallel", type=int, default=1, help="ranks that share the matrices of a layer (LLaMA and relatives)")
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
        words = {"rank": rank, "time": time.time(), "step": run.step if run else None, "message": f"{type(error).__name__}: {error}",
                 "traceback": traceback.format_exc()[-8000:]}
        write_atomically(folder / "ranks" / f"{rank:05d}.error.json", json.dumps(words))
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(main())

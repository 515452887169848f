"""Weights on disk: the start, of which each rank reads its part; checkpoints, whole or not there; the result."""

import ctypes
import json
import os
import shutil
import struct

import torch
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.tensor import DTensor
from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

from examples import mapped
from ranks import Unusable, write_atomically

VERSION = 1
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


def fill(network, stored, where):
    """Each rank reads its own part of the weights."""
    own = dict(network.named_parameters())
    if own.keys() != stored.keys():
        raise Unusable(
            f"{where}: expected the weights {sorted(own.keys() - stored.keys())[:3]} and none of "
            f"{sorted(stored.keys() - own.keys())[:3]}: config.json and the weights do not belong together"
        )
    with torch.no_grad():
        for name, parameter in own.items():
            whole = tensor_of(*stored[name])
            if list(whole.shape) != list(parameter.shape):
                raise Unusable(f"{where}: {name}: expected {list(parameter.shape)}, got {list(whole.shape)}")
            if not isinstance(parameter, DTensor):
                parameter.copy_(whole)
                continue
            shape, offset = compute_local_shape_and_global_offset(whole.shape, parameter.device_mesh, parameter.placements)
            for axis, (size, first) in enumerate(zip(shape, offset, strict=True)):
                whole = whole.narrow(axis, first if size > 0 else 0, size)
            parameter.to_local().copy_(whole)


class Checkpoints:
    """JOB/checkpoints: whole where complete.json is there with files of the sizes that it names."""

    def __init__(self, folder, keep, ranks, network, optimiser):
        self.folder, self.keep, self.ranks = folder / "checkpoints", keep, ranks
        self.network, self.optimiser = network, optimiser

    def _state(self):
        model, optimiser = get_state_dict(self.network, self.optimiser)
        return {"model": model, "optimiser": optimiser}

    def save(self, step, scale):
        folder = self.folder / f"step-{step:08d}"
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
            about = {
                "version": VERSION,
                "step": step,
                "scale": scale,
                "ranks": self.ranks.size,
                "torch": torch.__version__,
                "files": sizes,
            }
            write_atomically(temporary / "complete.json", json.dumps(about))
            os.replace(temporary, folder)
            for old in self._whole()[: -self.keep]:
                shutil.rmtree(old, ignore_errors=True)
        self.ranks.barrier()
        return folder

    def _whole(self):
        """Those of which every file is there, oldest first; a torn one is never taken."""
        found = []
        for folder in sorted(self.folder.glob("step-*")):
            try:
                files = json.loads((folder / "complete.json").read_text())["files"]
                if all((folder / name).stat().st_size == size for name, size in files.items()):
                    found.append(folder)
            except (OSError, ValueError, KeyError):
                continue
        return found

    def restore(self):
        """Fills weights and moments from the last whole one: the updates done, and the scale of the loss."""
        whole = self._whole()
        # As rank 0 sees it: a shared disk may show others less.
        (last,) = self.ranks.sum([float(whole[-1].name.removeprefix("step-")) if whole and self.ranks.rank == 0 else 0.0])
        if last == 0:
            return 0, None
        folder = self.folder / f"step-{int(last):08d}"
        state = self._state()
        dcp.load(state, checkpoint_id=str(folder))
        set_state_dict(self.network, self.optimiser, model_state_dict=state["model"], optim_state_dict=state["optimiser"])
        return int(last), json.loads((folder / "complete.json").read_text())["scale"]


def export(network, start, folder, ranks, most=5 * 10**9):
    """The model in Hugging Face's format, a tensor at a time, in files of at most `most` bytes or one tensor."""
    temporary = folder.with_suffix(".tmp")
    parameters = dict(network.named_parameters())
    shards, room = [[]], most
    for name, parameter in parameters.items():
        size = 4 * parameter.numel()
        if size > room and shards[-1]:
            shards.append([])
            room = most
        shards[-1].append(name)
        room -= size
    writes = ranks.rank == 0
    if writes:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        for path in start.iterdir():
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
        # Every rank gathers, one writes.
        file = open(temporary / file_name if writes else os.devnull, "wb")  # noqa: SIM115
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            value = parameters[name].detach()
            whole = (value.full_tensor() if isinstance(value, DTensor) else value).float().cpu().contiguous()
            file.write((ctypes.c_char * (4 * whole.numel())).from_address(whole.data_ptr()))
        file.flush()
        if writes:
            os.fsync(file.fileno())
        file.close()
    if writes:
        if len(shards) > 1:
            total = sum(4 * one.numel() for one in parameters.values())
            index = {"metadata": {"total_size": total}, "weight_map": weight_map}
            (temporary / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
    ranks.barrier()

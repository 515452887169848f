"""What bench/worker.ts compares with: PyTorch alone in a plain loop (`loop JOB`), and gloo's part of an update (`gloo JOB`)."""

import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

mode, folder = sys.argv[1], Path(sys.argv[2])
job = json.loads((folder / "job.json").read_text())
sys.path.insert(0, str(folder / "worker"))


def loop():
    """transformers' network, its batches and AdamW as anyone writes them; tokens a second after ten updates."""
    from examples import Examples
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder / "start", dtype=torch.float32).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
    examples = Examples(folder, job, "train", training=True)
    began = tokens = 0
    for step in range(job["steps"]):
        if step == 10:
            began = time.perf_counter()
        optimiser.zero_grad()
        for index in range(job["accumulate"]):
            batch = examples.batch(step * job["accumulate"] + index)
            logits = model(input_ids=batch.ids).logits.float()
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), batch.labels)
            (loss / job["accumulate"]).backward()
            tokens += batch.work if step >= 10 else 0
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return tokens / (time.perf_counter() - began)


def gloo():
    """Seconds of an update's collectives alone: a gather and a scatter of every layer for each micro-batch of a rank."""
    from weights import open_safetensors

    dist.init_process_group("gloo")
    size = dist.get_world_size()
    shapes = {name: torch.Size(one[2]).numel() for name, one in open_safetensors(folder / "start").items()}
    layers: dict[str, int] = {}
    for name, count in shapes.items():
        found = name.split("layers.")
        layers[found[1].split(".")[0] if len(found) > 1 else "around"] = layers.get(
            found[1].split(".")[0] if len(found) > 1 else "around", 0) + count
    rounds = -(-job["accumulate"] // size)
    buffers = {name: (torch.zeros(-(-count // size)), torch.zeros(-(-count // size) * size)) for name, count in layers.items()}
    times = []
    for _ in range(12):
        dist.barrier()
        began = time.perf_counter()
        for _ in range(rounds):
            for part, whole in buffers.values():
                dist.all_gather_into_tensor(whole, part)
                dist.reduce_scatter_tensor(part, whole)
        times.append(time.perf_counter() - began)
    dist.barrier()
    dist.destroy_process_group()
    return sorted(times)[len(times) // 2]


found = {"loop": loop, "gloo": gloo}[mode]()
if int(os.environ.get("RANK", "0")) == 0:
    print(json.dumps({"value": found, "versions": f"PyTorch {torch.__version__}"}), flush=True)

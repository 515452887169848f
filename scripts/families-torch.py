"""Computes losses and gradients with distributed/families.py for test/families-torch.test.ts.

    python scripts/families-torch.py < cases.json

Cases: a list of {folder, model, ids, labels, at, documents, parallel}; `model` is job.json's, without shapes. Of each,
FOLDER/model.safetensors has the weights; FOLDER/gradients.safetensors is written, and what is printed is a list of
{losses, other runs' names: how far their losses or gradients are from those}.
"""

import json
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import load_file, save_file
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.distributed.tensor.parallel import parallelize_module

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent.parent / "distributed"))
from families import build  # noqa: E402


def networkOf(case, prepare=lambda network: None, dropout=None):
    """Built without numbers, as the worker does, then prepared (sharded), then filled."""
    weights = load_file(f"{case['folder']}/model.safetensors")
    config = {**case["model"]["config"], **(dropout or {})}
    model = {**case["model"], "config": config, "shapes": {name: list(x.shape) for name, x in weights.items()}}
    with torch.device("meta"):
        network = build(model)
    prepare(network)
    network.to_empty(device="cpu")
    assert sorted(network.state_dict()) == sorted(weights)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            own = weights[name]
            if isinstance(parameter, DTensor):
                own = distribute_tensor(own, parameter.device_mesh, parameter.placements)
            parameter.copy_(own)
    return network.eval()


def forward(network, case):
    given = {name: torch.tensor(case[name]) for name in ("ids", "labels", "at", "documents") if case.get(name) is not None}
    return network(given["ids"], given["labels"].flatten(), given.get("at"), given.get("documents"))


def gradientsOf(network, case, seed=0):
    torch.manual_seed(seed)
    forward(network, case).sum().backward()
    whole = {}
    for name, parameter in network.named_parameters():
        gradient = parameter.grad
        whole[name] = gradient.full_tensor() if isinstance(gradient, DTensor) else gradient
    return whole


def apart(these, those):
    """
    The largest difference of two sets of gradients, each beside its tensor's largest number; that of the keys' bias, which
    is rounding where they do not turn, beside the queries'.
    """
    assert these.keys() == those.keys()

    def largest(name):
        return those[name.replace("key.bias", "query.bias").replace("k_proj.bias", "q_proj.bias")].abs().max()

    return max(((these[name] - x).abs().max() / largest(name)).item() for name, x in those.items())


def sharded(precision=None):
    def prepare(network):
        policy = MixedPrecisionPolicy(param_dtype=precision, reduce_dtype=torch.float32)
        for layer in network.layers:
            fully_shard(layer, mp_policy=policy)
        fully_shard(network, mp_policy=policy)

    return prepare


def computed(case):
    network = networkOf(case)
    losses = forward(network, case)
    gradients = gradientsOf(network, case)
    save_file({name: x.contiguous() for name, x in gradients.items()}, f"{case['folder']}/gradients.safetensors")

    again = networkOf(case, sharded())
    again.checkpointing, again.scores_at_once = True, 2 * case["model"]["config"]["vocab_size"]
    rates = {name: 0.3 for name in case["model"]["config"] if name.endswith(("_dropout_prob", "_dropout", "_pdrop"))}
    dropping, droppingAgain = networkOf(case, dropout=rates).train(), networkOf(case, dropout=rates).train()
    droppingAgain.checkpointing = True
    dropped, droppedAgain = gradientsOf(dropping, case), gradientsOf(droppingAgain, case)

    half = networkOf(case, sharded(torch.bfloat16))
    half.checkpointing = True
    halfLosses = forward(half, case)
    halfLosses.sum().backward()
    assert halfLosses.dtype == losses.dtype == torch.float32
    assert all(torch.isfinite(one.grad.full_tensor()).all() for one in half.parameters())
    with torch.autocast("cpu", torch.bfloat16):
        cast = forward(networkOf(case), case)
    total = losses.sum().item()
    return {
        "losses": losses.tolist(),
        "sharded and computed again": apart(gradientsOf(again, case), gradients),
        "computed again with dropout": apart(droppedAgain, dropped),
        "dropout": apart(dropped, gradients),
        "bfloat16": abs(halfLosses.sum().item() / total - 1),
        "autocast": abs(cast.sum().item() / total - 1),
    }


def parallel(rank, ranks, meeting, cases, results):
    """Tensor parallelism, on a process of its own for each rank."""
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    mesh = init_device_mesh("cpu", (ranks,))

    def cut(network):
        for layer in network.layers:
            parallelize_module(layer, mesh, network.tensor_parallel_plan(layer))

    for i, case in enumerate(cases):
        network = networkOf(case, cut)
        network.checkpointing = True
        difference = apart(gradientsOf(network, case), gradientsOf(networkOf(case), case))
        results.put((i, rank, difference))
    dist.barrier()
    dist.destroy_process_group()


def main():
    cases = json.load(sys.stdin)
    torch.set_num_threads(1)
    cuttable = [case for case in cases if case["parallel"]]
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    with tempfile.TemporaryDirectory() as folder:
        # Before anything is computed here: threads do not survive a fork.
        meeting = os.path.join(folder, "meeting")
        ranks = [fork.Process(target=parallel, args=(rank, 2, meeting, cuttable, results), daemon=True) for rank in range(2)]
        for one in ranks:
            one.start()
        differences = [results.get(timeout=120) for _ in range(2 * len(cuttable))]
        for one in ranks:
            one.join(timeout=60)
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    found = [computed(case) for case in cases]
    for i, case in enumerate(cuttable):
        found[cases.index(case)]["cut"] = max(difference for which, _, difference in differences if which == i)
    print(json.dumps(found))
    sys.stdout.flush()
    # A group of gloo sometimes aborts as it ends.
    os._exit(0)


main()

"""Writes test/goldens/checkpoints/: one tiny random BioGPT in every file format that Galen reads.

    python scripts/goldens/checkpoints.py        needs torch, transformers, safetensors

`manifest.json` holds the versions, the seed and, of every tensor, the shape and the SHA-256 of its float32 bytes.
Legacy files hold memory addresses as storage keys, so that their bytes, unlike all others, differ from run to run.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import shutil
import sys
import types
import warnings
import zipfile

import safetensors
import torch
import transformers
from safetensors.torch import save_file

SEED = 20261121
HERE = pathlib.Path(__file__).resolve().parents[2] / "test" / "goldens" / "checkpoints"
warnings.filterwarnings("ignore")


def describe(tensor):
    tensor = tensor.detach().contiguous().float()
    return {"dims": list(tensor.shape), "sha256": hashlib.sha256(tensor.numpy().tobytes()).hexdigest()}


def fairseq_name(name):
    return "decoder." + name if name.startswith("output_projection") else name.replace("biogpt.", "decoder.")


def fairseq_model(state):
    model = collections.OrderedDict((fairseq_name(k), v.clone()) for k, v in state.items())
    model["decoder.version"] = torch.tensor([3.0])
    return model


def hyperparameters(config):
    return {
        "_name": "transformer_lm_gpt2_small",
        "arch": "transformer_lm_gpt2_small",
        "activation_fn": config.hidden_act,
        "dropout": config.hidden_dropout_prob,
        "attention_dropout": config.attention_probs_dropout_prob,
        "activation_dropout": 0.0,
        "decoder_embed_dim": config.hidden_size,
        "decoder_ffn_embed_dim": config.intermediate_size,
        "decoder_layers": config.num_hidden_layers,
        "decoder_attention_heads": config.num_attention_heads,
        "decoder_layerdrop": 0.0,
        "max_target_positions": config.max_position_embeddings,
        "no_scale_embedding": False,
        "share_decoder_input_output_embed": True,
    }


def fake_classes():
    """Stand-ins for classes that a fairseq file may name; a reader must not need them."""
    made = {}
    for module, name in [
        ("omegaconf.dictconfig", "DictConfig"),
        ("omegaconf.nodes", "AnyNode"),
        ("fairseq.data.dictionary", "Dictionary"),
    ]:
        for end in [at for at, char in enumerate(module + ".") if char == "."]:
            sys.modules[module[:end]] = sys.modules.get(module[:end]) or types.ModuleType(module[:end])
        made[name] = type(name, (), {"__module__": module, "__init__": lambda self, **kw: self.__dict__.update(kw)})
        setattr(sys.modules[module], name, made[name])
    return made


def fairseq_checkpoint(state, args=None, cfg=None, extra=None):
    moments = {"step": 7, "exp_avg": torch.randn(8), "exp_avg_sq": torch.rand(8)}
    return {
        "args": args,
        "cfg": cfg,
        "model": fairseq_model(state),
        "criterion": None,
        "optimizer_history": [
            {"criterion_name": "CrossEntropyCriterion", "optimizer_name": "FairseqAdam", "num_updates": 7}
        ],
        "task_state": extra or {},
        "extra_state": {"epoch": 1, "train_iterator": {"epoch": 2, "iterations_in_epoch": 0}, "val_loss": None},
        "last_optimizer_state": {"state": {0: moments, 1: moments}, "param_groups": [{"lr": 1e-5, "betas": (0.9, 0.98)}]},
    }


def save_views(folder):
    base = torch.arange(24, dtype=torch.float32)
    half = torch.randn(4, 3).half()
    tensors = collections.OrderedDict(
        plain=base,
        tied=base,
        part=base[6:12].view(2, 3),
        transposed=base.view(4, 6).t(),
        steps=base[1::5],
        diagonal=base.view(4, 6).as_strided((4,), (7,)),
        columns=half[:, 1:],
        empty=torch.zeros(0, 3),
        scalar=torch.tensor(2.5),
        brain=torch.randn(5).bfloat16(),
        double=torch.randn(3, dtype=torch.float64),
        long=torch.tensor([1, -2, 2**40]),
        int=torch.tensor([1, -2], dtype=torch.int32),
        byte=torch.tensor([1, 255], dtype=torch.uint8),
        char=torch.tensor([1, -128], dtype=torch.int8),
        bool=torch.tensor([True, False]),
        parameter=torch.nn.Parameter(torch.randn(2, 2)),
    )
    torch.save(tensors, folder / "views.pt")
    torch.save(tensors, folder / "views-legacy.pt", _use_new_zipfile_serialization=False)
    big_endian(folder / "views.pt", folder / "views-big-endian.pt", tensors)
    return {name: describe(tensor) for name, tensor in tensors.items()}


def big_endian(source, target, tensors):
    """The file as a big-endian machine writes it."""
    storages = []
    for tensor in tensors.values():  # in the order in which torch.save numbers storages
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in [known for known, _ in storages] or storage.nbytes() == 0:
            storages.append((storage.data_ptr(), tensor.element_size()))
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("/byteorder"):
                data = b"big"
            elif "/data/" in name:
                size = storages[int(name.rsplit("/", 1)[1])][1]
                data = b"".join(data[i : i + size][::-1] for i in range(0, len(data), size))
            new.writestr(zipfile.ZipInfo(name), data)  # a fixed date, so that the file is reproducible


def save_sharded_bin(folder, state):
    folder.mkdir()
    names = list(state)
    third = -(-len(names) // 3)
    weight_map = {}
    for number in range(3):
        shard = f"pytorch_model-{number + 1:05d}-of-00003.bin"
        part = {name: state[name] for name in names[number * third : (number + 1) * third]}
        torch.save(part, folder / shard)
        weight_map |= {name: shard for name in part}
    index = {"metadata": {"total_size": 0}, "weight_map": weight_map}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")


def averages(folder, state):
    """Three fp16 checkpoints and their mean, as fairseq's average_checkpoints computes it."""
    total = collections.OrderedDict()
    for number in range(1, 4):
        model = collections.OrderedDict((k, (v + 0.1 * torch.randn_like(v)).half()) for k, v in state.items())
        model["output_projection.weight"] = model["biogpt.embed_tokens.weight"]
        file = fairseq_checkpoint(model, cfg={"model": hyperparameters(CONFIG)})
        del file["last_optimizer_state"]
        torch.save(file, folder / f"checkpoint{number}.pt")
        for name, tensor in model.items():
            total[name] = total[name] + tensor.float() if name in total else tensor.float()
    return {name: describe(tensor.div_(3)) for name, tensor in total.items() if name != "output_projection.weight"}


CONFIG = transformers.BioGptConfig(
    vocab_size=40,
    hidden_size=16,
    intermediate_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    max_position_embeddings=8,
)


def main():
    torch.manual_seed(SEED)
    shutil.rmtree(HERE, ignore_errors=True)
    HERE.mkdir(parents=True)
    model = transformers.BioGptForCausalLM(CONFIG)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    state = collections.OrderedDict((name, tensor.detach()) for name, tensor in model.state_dict().items())

    model.save_pretrained(HERE / "safetensors")
    model.save_pretrained(HERE / "sharded-safetensors", max_shard_size="8KB")
    for folder in HERE.iterdir():
        (folder / "generation_config.json").unlink(missing_ok=True)
    for name, dtype in [("fp16", torch.float16), ("bf16", torch.bfloat16)]:
        (HERE / name).mkdir()
        narrow = {k: v.to(dtype) for k, v in state.items() if k != "output_projection.weight"}
        save_file(narrow, HERE / name / "model.safetensors", metadata={"format": "pt"})
    for name, zipped in [("bin", True), ("legacy", False)]:
        (HERE / name).mkdir()
        torch.save(model.state_dict(), HERE / name / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    save_sharded_bin(HERE / "sharded-bin", state)

    made = fake_classes()
    fairseq = HERE / "fairseq"
    fairseq.mkdir()
    settings = hyperparameters(CONFIG)
    torch.save(fairseq_checkpoint(state, cfg={"_name": None, "model": settings}), fairseq / "cfg.pt")
    namespace = argparse.Namespace(**settings)
    torch.save(
        fairseq_checkpoint(state, args=namespace), fairseq / "args.pt", _use_new_zipfile_serialization=False
    )
    nodes = {key: made["AnyNode"](_val=value) for key, value in settings.items()}
    cfg = made["DictConfig"](_content={"model": made["DictConfig"](_content=nodes)})
    task = {"dictionary": made["Dictionary"](symbols=["<s>"], indices={"<s>": 0})}
    torch.save(fairseq_checkpoint(state, cfg=cfg, extra=task), fairseq / "omegaconf.pt")
    untied = dict(state)
    untied["output_projection.weight"] = state["output_projection.weight"] + 1
    smaller = fairseq_checkpoint(untied, cfg={"model": settings})
    del smaller["last_optimizer_state"]
    torch.save(smaller, fairseq / "untied.pt")

    (HERE / "average").mkdir()
    manifest = {
        "made_by": "scripts/goldens/checkpoints.py",
        "seed": SEED,
        "versions": {
            "python": sys.version.split()[0],
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "safetensors": safetensors.__version__,
        },
        "tensors": {name: describe(tensor) for name, tensor in state.items() if name != "output_projection.weight"},
        "fp16": {k: describe(v.half()) for k, v in state.items() if k != "output_projection.weight"},
        "bf16": {k: describe(v.bfloat16()) for k, v in state.items() if k != "output_projection.weight"},
        "average": averages(HERE / "average", state),
        "views": save_views(HERE),
    }
    for path in HERE.rglob("*.safetensors"):
        path.chmod(0o644)
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


main()

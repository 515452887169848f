"""Goldens for the planner: bytes that one layer of transformers' holds for its backward pass, by autograd's own hooks.

    python scripts/goldens/saved-activations.py   (needs torch, transformers; writes test/goldens/saved-activations.json)

bfloat16, PyTorch's scaled_dot_product_attention, no dropout (on a CPU its masks have two bytes, on CUDA one). Storage is
counted once, however often a view of it is saved, parameters not at all.
"""

import importlib.metadata
import json
import pathlib

import torch
import transformers
from transformers.models.bert.modeling_bert import BertLayer
from transformers.models.biogpt.modeling_biogpt import BioGptDecoderLayer
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRotaryEmbedding
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer, Qwen3RotaryEmbedding

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/saved-activations.json"
TOKENS = 128
WIDTH = 256
llama = dict(hidden_size=WIDTH, num_attention_heads=8, num_hidden_layers=2, vocab_size=512)
still = dict(attention_probs_dropout_prob=0.0, hidden_dropout_prob=0.0)
CASES = {
    "llama, grouped": ("llama", dict(**llama, num_key_value_heads=2, intermediate_size=896)),
    "llama": ("llama", dict(**llama, num_key_value_heads=8, intermediate_size=688)),
    "qwen3": ("qwen3", dict(**llama, num_key_value_heads=4, intermediate_size=768, head_dim=32)),
    "biogpt": ("biogpt", dict(**llama, intermediate_size=1024, **still)),
    "bert": ("bert", dict(**llama, intermediate_size=1024, **still)),
    "gpt2": ("gpt2", dict(n_embd=WIDTH, n_head=8, n_layer=2, n_inner=1024, vocab_size=512, attn_pdrop=0.0, resid_pdrop=0.0, embd_pdrop=0.0)),
}
LAYERS = {
    "llama": (LlamaDecoderLayer, LlamaRotaryEmbedding),
    "qwen3": (Qwen3DecoderLayer, Qwen3RotaryEmbedding),
    "biogpt": (BioGptDecoderLayer, None),
    "bert": (BertLayer, None),
    "gpt2": (GPT2Block, None),
}


def saved_bytes(family: str, settings: dict) -> int:
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(family, **settings)
    config._attn_implementation = "sdpa"
    make, rotary = LAYERS[family]
    layer = (make(config) if family == "bert" else make(config, 0)).to(torch.bfloat16).train()
    hidden = torch.randn(1, TOKENS, WIDTH, dtype=torch.bfloat16, requires_grad=True)
    places = {} if rotary is None else {"position_embeddings": rotary(config)(hidden, torch.arange(TOKENS)[None])}
    # Tables of all layers, and weights.
    outside = [*layer.parameters(), *(table for tables in places.values() for table in tables)]
    known = {tensor.untyped_storage().data_ptr() for tensor in outside}
    kept: dict[int, tuple[int, torch.Tensor]] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor, so that no other gets its address
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        layer(hidden, **places)
    return sum(size for size, _ in kept.values())


def main() -> None:
    versions = {name: importlib.metadata.version(name) for name in ("torch", "transformers")}
    cases = [
        {"name": name, "family": family, "config": {"model_type": family, **settings}, "bytes": saved_bytes(family, settings)}
        for name, (family, settings) in CASES.items()
    ]
    OUT.write_text(json.dumps({"versions": versions, "tokens": TOKENS, "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()

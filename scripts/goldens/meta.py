"""Goldens for Meta's checkpoints: consolidated.*.pth and params.json made of tiny random models of transformers.

    python scripts/goldens/meta.py        (needs torch and transformers; writes test/goldens/meta/)

"two" has 8 heads and 2 of keys in two bfloat16 files, its table split by columns as Llama 2's is; "three" has 6 and 3 in
three files, its table split by rows as Llama 3's is. Rows of queries and keys go back to Meta's order pair by pair.
"""

import json
import pathlib
import shutil

import torch
import transformers

SEED = 20261126
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/meta"
CASES = {
    "two": dict(hidden_size=32, num_attention_heads=8, num_key_value_heads=2, intermediate_size=24),
    "three": dict(hidden_size=24, num_attention_heads=6, num_key_value_heads=3, intermediate_size=36, rope_theta=500000.0),
}
SHARDS = {"two": 2, "three": 3}
# Name in a layer, transformers' name, axis it is split along.
LAYER = [
    ("attention.wq", "self_attn.q_proj", 0), ("attention.wk", "self_attn.k_proj", 0), ("attention.wv", "self_attn.v_proj", 0),
    ("attention.wo", "self_attn.o_proj", 1), ("feed_forward.w1", "mlp.gate_proj", 0), ("feed_forward.w2", "mlp.down_proj", 1),
    ("feed_forward.w3", "mlp.up_proj", 0), ("attention_norm", "input_layernorm", None), ("ffn_norm", "post_attention_layernorm", None),
]


def by_pairs(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Row 2i of a head is transformers' row i, row 2i + 1 its row i + half."""
    size = weight.shape[0] // heads
    rows = []
    for head in range(heads):
        for i in range(size):
            rows.append(weight[head * size + i // 2 + (i % 2) * (size // 2)])
    return torch.stack(rows)


def main() -> None:
    for name, shape in CASES.items():
        folder = OUT / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        config = transformers.LlamaConfig(vocab_size=60, num_hidden_layers=2, rms_norm_eps=1e-5, max_position_embeddings=64, **shape)
        config._attn_implementation = "eager"
        torch.manual_seed(SEED)
        model = transformers.LlamaForCausalLM(config).eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                value = torch.randn_like(parameter) * 0.3 + ("norm" in key)
                parameter.copy_(value.bfloat16() if name == "two" else value)
        state = model.state_dict()
        whole = {
            "tok_embeddings.weight": (state["model.embed_tokens.weight"], 1 if name == "two" else 0),
            "norm.weight": (state["model.norm.weight"], None),
            "output.weight": (state["lm_head.weight"], 0),
        }
        for layer in range(2):
            for meta, own, axis in LAYER:
                weight = state[f"model.layers.{layer}.{own}.weight"]
                if meta == "attention.wq":
                    weight = by_pairs(weight, config.num_attention_heads)
                if meta == "attention.wk":
                    weight = by_pairs(weight, config.num_key_value_heads)
                whole[f"layers.{layer}.{meta}.weight"] = (weight, axis)
        count = SHARDS[name]
        for shard in range(count):
            parts = {}
            for key, (weight, axis) in whole.items():
                part = weight if axis is None else weight.chunk(count, axis)[shard]
                parts[key] = part.clone().to(torch.bfloat16 if name == "two" else torch.float32)
            if name == "two":
                parts["rope.freqs"] = torch.ones(2)
            torch.save(parts, folder / f"consolidated.{shard:02}.pth")
        params = {"dim": shape["hidden_size"], "n_layers": 2, "n_heads": shape["num_attention_heads"],
                  "n_kv_heads": shape["num_key_value_heads"], "vocab_size": -1 if name == "two" else 60, "multiple_of": 4,
                  "norm_eps": 1e-5}
        if "rope_theta" in shape:
            params["rope_theta"] = shape["rope_theta"]
        (folder / "params.json").write_text(json.dumps(params) + "\n")
        ids = torch.randint(0, 60, (1, 20), generator=torch.Generator().manual_seed(SEED))
        with torch.no_grad():
            logits = model(ids).logits
        versions = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
        (folder / "goldens.json").write_text(json.dumps({
            "versions": versions, "ids": ids.tolist(), "logits": [round(x, 5) for x in logits.flatten().tolist()],
        }) + "\n")


main()

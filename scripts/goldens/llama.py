"""Goldens for LLaMA and its relatives: tiny random checkpoints in Hugging Face's format, and what transformers computes.

    python scripts/goldens/llama.py        (needs torch and transformers; writes test/goldens/llama/)

For each network: logits with and without padding, the loss, every gradient, and generated ids by greedy and beam search.
"""

import json
import pathlib

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261126
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/llama"
SHAPE = dict(
    vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=40,
    max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=None,
)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)

CASES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM, dict(rms_norm_eps=1e-5)),
    "llama3": (transformers.LlamaConfig, transformers.LlamaForCausalLM,
               dict(rope_theta=500000.0, rope_scaling=LLAMA3, attention_bias=True, mlp_bias=True, tie_word_embeddings=True)),
    "linear": (transformers.LlamaConfig, transformers.LlamaForCausalLM,
               dict(rope_scaling=dict(rope_type="linear", factor=2.0), num_key_value_heads=1, head_dim=8)),
    "yarn": (transformers.LlamaConfig, transformers.LlamaForCausalLM, dict(rope_scaling=YARN)),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM, dict(head_dim=10)),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM, dict(tie_word_embeddings=True)),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM, dict(head_dim=8)),
}


def tiny(name):
    kind, network, more = CASES[name]
    config = kind(**{**SHAPE, **more})
    config._attn_implementation = "eager"
    torch.manual_seed(SEED)
    model = network(config)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for key, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("norm" in key))
    return model.eval()


def main() -> None:
    generator = torch.Generator().manual_seed(SEED)
    ids = torch.randint(4, 61, (3, 9), generator=generator)
    ids[:, 0] = 1
    left = torch.ones_like(ids)
    left[0, :2] = 0
    left[2, :4] = 0
    right = left.flip(1)
    labels = ids.clone()
    labels[0, 2:4] = -100
    labels[right == 0] = -100
    prompts = [[1, 17, 5], [1, 9, 33, 40, 12], [1, 58]]
    for name in CASES:
        folder = OUT / name
        folder.mkdir(parents=True, exist_ok=True)
        model = tiny(name)
        model.save_pretrained(folder / "model", safe_serialization=True)
        (folder / "model/generation_config.json").unlink(missing_ok=True)
        result = {
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED},
            "ids": ids.tolist(), "left": left.tolist(), "right": right.tolist(), "labels": labels.tolist(),
        }
        with torch.no_grad():
            for side, mask in {"none": torch.ones_like(ids), "left": left, "right": right}.items():
                positions = (mask.cumsum(1) * mask - 1).clamp(min=0)
                logits = model(input_ids=ids, attention_mask=mask, position_ids=positions).logits
                result[f"logits/{side}"] = [round(x, 6) for x in logits.flatten().tolist()]
        loss = model(input_ids=ids, attention_mask=right, labels=labels).loss
        loss.backward()
        result["loss"] = loss.item()
        # A tied head is one parameter, by its first name.
        save_file({n: p.grad.contiguous() for n, p in model.named_parameters()}, folder / "gradients.safetensors")
        result["generate"] = []
        for options in (dict(max_new_tokens=12), dict(num_beams=3, max_new_tokens=10)):
            for prompt in prompts:
                output = model.generate(
                    torch.tensor([prompt]), do_sample=False, pad_token_id=0, eos_token_id=2, bos_token_id=1, **options,
                )
                result["generate"].append({"options": options, "prompt": prompt, "sequences": output.tolist()})
        (folder / "goldens.json").write_text(json.dumps(result) + "\n")


main()

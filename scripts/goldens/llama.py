"""Goldens for LLaMA and its relatives: tiny random checkpoints in Hugging Face's format, and what transformers computes.

    python scripts/goldens/llama.py        (needs torch and transformers; writes test/goldens/llama/)

See decoders.py. Heads are grouped in twos and fours, so that a wrong permutation of rows shows.
"""

import pathlib
import shutil

import transformers

import decoders

OUT = pathlib.Path(__file__).parents[2] / "test/goldens/llama"
SHAPE = dict(
    vocab_size=decoders.VOCAB, hidden_size=24, num_hidden_layers=2, num_attention_heads=6, num_key_value_heads=3,
    intermediate_size=20, max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=None,
)
EIGHT = dict(num_attention_heads=8, num_key_value_heads=2, head_dim=4)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)
YARN = dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=16)
LINEAR = dict(rope_type="linear", factor=2.0)
DYNAMIC = dict(rope_type="dynamic", factor=2.0)
LONGROPE = dict(rope_type="longrope", short_factor=[1.0, 1.1, 1.3, 1.6], long_factor=[1.0, 1.5, 2.5, 4.0], factor=4.0,
                original_max_position_embeddings=16)
SOME = dict(use_sliding_window=True, sliding_window=5)

llama = (transformers.LlamaConfig, transformers.LlamaForCausalLM)
mistral = (transformers.MistralConfig, transformers.MistralForCausalLM)
qwen2 = (transformers.Qwen2Config, transformers.Qwen2ForCausalLM)
qwen3 = (transformers.Qwen3Config, transformers.Qwen3ForCausalLM)

CASES = {
    "llama": (llama, dict(rms_norm_eps=1e-5)),
    "eight-heads": (llama, EIGHT),
    "llama3": (llama, dict(rope_theta=500000.0, rope_scaling=LLAMA3, attention_bias=True, mlp_bias=True,
                           tie_word_embeddings=True, head_dim=8)),
    "linear": (llama, dict(rope_scaling=LINEAR, num_key_value_heads=1, head_dim=8, max_position_embeddings=16)),
    "dynamic": (llama, dict(rope_scaling=DYNAMIC, head_dim=8, max_position_embeddings=16)),
    "longrope": (llama, dict(rope_scaling=LONGROPE, head_dim=8)),
    "yarn": (llama, dict(rope_scaling=YARN, head_dim=8)),
    "mistral": (mistral, dict(head_dim=10, sliding_window=None)),
    "mistral-window": (mistral, dict(EIGHT, sliding_window=5)),
    "qwen2": (qwen2, dict(tie_word_embeddings=True)),
    "qwen2-window": (qwen2, dict(SOME, max_window_layers=1)),
    "qwen3": (qwen3, dict(head_dim=8)),
    "qwen3-window": (qwen3, dict(SOME, head_dim=8, layer_types=["sliding_attention", "full_attention"])),
}
STEPS = ("llama", "mistral-window", "qwen2-window", "qwen3-window")


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    for name, ((kind, network), more) in CASES.items():
        model = decoders.random_model(network, kind(**{**SHAPE, **more}))
        decoders.write(OUT / name, model, steps=name in STEPS, grows=name in ("dynamic", "longrope"))


main()

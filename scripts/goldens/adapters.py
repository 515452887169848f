"""Goldens for low-rank adapters: peft's own files over the tiny models in test/goldens, and the merged models' logits.

    python scripts/goldens/adapters.py        (needs torch, transformers, peft; writes test/goldens/peft/)
"""

import importlib.metadata
import json
import pathlib
import shutil

import peft
import torch
import transformers

SEED = 20261126
ROOT = pathlib.Path(__file__).parents[2]
OUT = ROOT / "test/goldens/peft"
CASES = {
    "plain": ("llama/llama", "CausalLM", dict(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules=["q_proj", "v_proj", "down_proj"])),
    "patterns": ("llama/llama", "CausalLM", dict(
        task_type="CAUSAL_LM", r=4, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "k_proj", "up_proj", "embed_tokens"],
        rank_pattern={"layers.1.self_attn.q_proj": 2, "^model\\.layers\\.0\\.mlp\\.up_proj$": 3},
        alpha_pattern={".*0.self_attn.k_proj": 16}, modules_to_save=["lm_head"])),
    "classes": ("llama/llama", "SequenceClassification", dict(task_type="SEQ_CLS", r=2, lora_alpha=4, target_modules=["o_proj"])),
    "turned": ("gpt2/gpt2", "CausalLM", dict(task_type="CAUSAL_LM", r=3, lora_alpha=9, fan_in_fan_out=True, target_modules=["c_attn", "c_fc"])),
}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    for name, (base, head, options) in CASES.items():
        torch.manual_seed(SEED)
        kind = getattr(transformers, f"AutoModelFor{head}")
        more = dict(num_labels=3) if head != "CausalLM" else {}
        model = kind.from_pretrained(ROOT / f"test/goldens/{base}/model", attn_implementation="eager", dtype=torch.float32, **more).eval()
        adapted = peft.get_peft_model(model, peft.LoraConfig(**options))
        with torch.no_grad():
            for key, parameter in adapted.named_parameters():
                if "lora_" in key or "modules_to_save" in key:
                    parameter.copy_(torch.randn_like(parameter) * 0.3)
        adapted.save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink(missing_ok=True)
        config = json.loads((OUT / name / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = f"../../{base}/model"
        (OUT / name / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        merged = adapted.merge_and_unload()
        ids = torch.randint(4, 40, (2, 7), generator=torch.Generator().manual_seed(SEED))
        merged.config.pad_token_id = 0
        with torch.no_grad():
            logits = merged(ids).logits
        versions = {key: importlib.metadata.version(key) for key in ("torch", "transformers", "peft")}
        (OUT / f"{name}.json").write_text(json.dumps({
            "versions": versions, "ids": ids.tolist(), "logits": [round(x, 5) for x in logits.flatten().tolist()],
        }) + "\n")


main()

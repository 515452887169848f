"""The other side of bench/decode.ts: the same weights in transformers, or in llama.cpp as a GGUF of the gpt2 architecture.

    python bench/decode.py transformers|llama FOLDER THREADS        commands on stdin, one JSON answer a line

A BioGPT network has the shape of GPT-2 (pre-norm, learned positions, tied head); the GGUF differs in its GELU (tanh)
and its embedding's scale, not in the amount of arithmetic. Needs torch and transformers, or llama_cpp_python and gguf.
"""

import json
import pathlib
import re
import sys
import time


def peak_mib() -> float:
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def transformers_side(folder: pathlib.Path, threads: int):
    import torch
    import transformers

    torch.set_num_threads(threads)
    model = transformers.BioGptForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config.eos_token_id = None
    model.generation_config.pad_token_id = 1

    def run(prompt, tokens, beams):
        ids = torch.tensor([prompt])
        output = model.generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=beams, max_new_tokens=tokens)
        return output[0, len(prompt):].tolist()

    return f"transformers {transformers.__version__}, torch {torch.__version__}", run


def write_gguf(folder: pathlib.Path, path: pathlib.Path) -> None:
    import gguf
    import numpy
    from safetensors.numpy import load_file

    config = json.loads((folder / "config.json").read_text())
    tensors = {name.removeprefix("biogpt."): value for name, value in load_file(folder / "model.safetensors").items()}
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(0)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_tokenizer_model("none")
    writer.add_tensor("token_embd.weight", tensors["embed_tokens.weight"])
    writer.add_tensor("position_embd.weight", tensors["embed_positions.weight"][2:])
    for i in range(config["num_hidden_layers"]):
        layer = f"layers.{i}"
        for part in ("weight", "bias"):
            for target, source in {
                "attn_norm": "self_attn_layer_norm", "ffn_norm": "final_layer_norm", "attn_output": "self_attn.out_proj",
                "ffn_up": "fc1", "ffn_down": "fc2",
            }.items():
                writer.add_tensor(f"blk.{i}.{target}.{part}", tensors[f"{layer}.{source}.{part}"])
            fused = numpy.concatenate([tensors[f"{layer}.self_attn.{x}_proj.{part}"] for x in "qkv"])
            writer.add_tensor(f"blk.{i}.attn_qkv.{part}", fused)
    for part in ("weight", "bias"):
        writer.add_tensor(f"output_norm.{part}", tensors[f"layer_norm.{part}"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def llama_side(folder: pathlib.Path, threads: int):
    import llama_cpp
    import numpy

    path = folder / "model.gguf"
    if not path.exists():  # in a process of its own, so that peak memory is the model's alone
        import multiprocessing

        worker = multiprocessing.get_context("fork").Process(target=write_gguf, args=(folder, path))
        worker.start()
        worker.join()
    model = llama_cpp.Llama(str(path), n_ctx=512, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
    vocabulary = model.n_vocab()

    def run(prompt, tokens, beams):
        if beams != 1:
            return None  # llama.cpp has no beam search
        model.reset()
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(model._ctx.ctx), True)
        ids, found = list(prompt), []
        for _ in range(tokens):
            model.eval(ids)
            logits = llama_cpp.llama_get_logits_ith(model._ctx.ctx, -1)
            ids = [int(numpy.ctypeslib.as_array(logits, shape=(vocabulary,)).argmax())]
            found += ids
        return found

    return f"llama_cpp_python {llama_cpp.__version__}", run


def main() -> None:
    side, folder, threads = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    name, run = (transformers_side if side == "transformers" else llama_side)(folder, threads)
    print(json.dumps({"name": name}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        start = time.perf_counter()
        found = run(command["prompt"], command["tokens"], command["beams"])
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": None if found is None else seconds, "ids": found, "peak": peak_mib()}), flush=True)


main()

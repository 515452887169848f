"""The other side of bench/decode-bits.ts: a LLaMA of random Q4_0 blocks, written one tensor after the other, in llama.cpp.

    python bench/decode-bits.py FILE.gguf THREADS SHAPE        commands on stdin, one JSON answer a line

Needs llama_cpp_python, gguf and numpy.
"""

import json
import multiprocessing
import pathlib
import re
import sys
import time


def mib(field: str) -> float:
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024


def write(path: pathlib.Path, shape: dict) -> None:
    import gguf
    import numpy

    layers, width, inner, heads, key_heads, vocabulary = (
        shape[name] for name in ("layers", "width", "inner", "heads", "keyHeads", "vocabulary")
    )
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(2048)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_head_count_kv(key_heads)
    writer.add_rope_dimension_count(width // heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(2)
    writer.add_vocab_size(vocabulary)
    writer.add_tokenizer_model("none")
    keys = key_heads * (width // heads)
    tensors = [("token_embd.weight", (vocabulary, width)), ("output_norm.weight", (width,))]
    if not shape["tied"]:
        tensors.append(("output.weight", (vocabulary, width)))
    for i in range(layers):
        tensors += [
            (f"blk.{i}.{name}.weight", dims)
            for name, dims in {
                "attn_norm": (width,),
                "ffn_norm": (width,),
                "attn_q": (width, width),
                "attn_k": (keys, width),
                "attn_v": (keys, width),
                "attn_output": (width, width),
                "ffn_gate": (inner, width),
                "ffn_up": (inner, width),
                "ffn_down": (width, inner),
            }.items()
        ]
    for name, dims in tensors:
        if len(dims) == 1:
            writer.add_tensor_info(name, dims, numpy.dtype("float32"), 4 * dims[0])
        else:
            row = dims[1] // 32 * 18
            kind = gguf.GGMLQuantizationType.Q4_0
            writer.add_tensor_info(name, (dims[0], row), numpy.dtype("uint8"), dims[0] * row, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    draw = numpy.random.default_rng(1)
    scale = numpy.array([0.0043], numpy.float16).view(numpy.uint8)
    for _, dims in tensors:
        if len(dims) == 1:
            writer.write_tensor_data(numpy.ones(dims, numpy.float32))
            continue
        blocks = draw.integers(0, 256, (dims[0] * dims[1] // 32, 18), numpy.uint8)
        blocks[:, :2] = scale
        writer.write_tensor_data(blocks.reshape(dims[0], -1))
    writer.close()


def main() -> None:
    path, threads, shape = pathlib.Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
    if not path.exists():  # in a process of its own, so that peak memory is the model's alone
        worker = multiprocessing.get_context("spawn").Process(target=write, args=(path, shape))
        worker.start()
        worker.join()
    import llama_cpp
    import numpy

    model = llama_cpp.Llama(str(path), n_ctx=512, n_batch=512, n_threads=threads, n_threads_batch=threads, verbose=False)
    vocabulary = model.n_vocab()
    print(json.dumps({"name": f"llama_cpp_python {llama_cpp.__version__}", "bytes": path.stat().st_size}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        start = time.perf_counter()
        model.reset()
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(model._ctx.ctx), True)
        ids = list(command["prompt"])
        for _ in range(command["tokens"]):
            model.eval(ids)
            logits = llama_cpp.llama_get_logits_ith(model._ctx.ctx, -1)
            ids = [int(numpy.ctypeslib.as_array(logits, shape=(vocabulary,)).argmax())]
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "peak": mib("VmHWM"), "anonymous": mib("RssAnon")}), flush=True)


if __name__ == "__main__":
    main()

"""The other side of bench/serve.ts: an HTTP server over llama.cpp's library, or over sentence-transformers.

    python bench/serve.py llama FILE.gguf THREADS ROWS      /v1/completions of token ids, greedy, ends left out
    python bench/serve.py embed FOLDER THREADS              /v1/embeddings
    python bench/serve.py float32 FROM.gguf TO.gguf         the same weights in float32

The first serves as llama.cpp's own server does: a slot a request, all slots in one llama_decode, prompts in the batch with the
others' tokens. Prints its address and versions as JSON. Needs llama_cpp_python, or sentence-transformers; fastapi, uvicorn.
"""

import asyncio
import json
import queue
import socket
import sys
import threading


class Slots:
    """Sequences that are decoded together: what comes waits for one that is free."""

    batch_tokens = 512

    def __init__(self, path: str, threads: int, rows: int):
        import llama_cpp

        self.llama = llama_cpp
        llama_cpp.llama_backend_init()
        self.quiet = llama_cpp.llama_log_callback(lambda *_: None)  # kept: the library calls it
        llama_cpp.llama_log_set(self.quiet, None)
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = 192 * rows, self.batch_tokens, self.batch_tokens
        params.n_seq_max, params.n_threads, params.n_threads_batch = rows, threads, threads
        params.kv_unified = True
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.batch = llama_cpp.llama_batch_init(self.batch_tokens, 0, 1)
        self.waiting: queue.Queue = queue.Queue()
        self.free = list(range(rows))
        threading.Thread(target=self.loop, daemon=True).start()

    def loop(self) -> None:
        import numpy

        llama, batch = self.llama, self.batch
        memory = llama.llama_get_memory(self.context)
        running: list = []
        while True:
            while self.free and (not running or not self.waiting.empty()):
                ids, count, loop, future = self.waiting.get()
                running.append({"slot": self.free.pop(), "todo": list(ids), "at": 0, "left": count, "made": [], "loop": loop, "future": future})
            batch.n_tokens = 0
            ends = []
            for row in running:
                room = self.batch_tokens - batch.n_tokens
                part, row["todo"] = row["todo"][:room], row["todo"][room:]
                for i, token in enumerate(part):
                    at = batch.n_tokens
                    last = i == len(part) - 1 and not row["todo"]
                    batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, row["at"], 1
                    batch.seq_id[at][0], batch.logits[at] = row["slot"], last
                    row["at"] += 1
                    batch.n_tokens += 1
                    if last:
                        ends.append((row, at))
            if llama.llama_decode(self.context, batch) != 0:
                raise RuntimeError("llama_decode failed")
            for row, at in ends:
                logits = numpy.ctypeslib.as_array(llama.llama_get_logits_ith(self.context, at), shape=(self.vocabulary,))
                token = int(logits.argmax())
                row["made"].append(token)
                row["todo"] = [token]
                row["left"] -= 1
                if row["left"] == 0:
                    llama.llama_memory_seq_rm(memory, row["slot"], -1, -1)
                    self.free.append(row["slot"])
                    row["loop"].call_soon_threadsafe(row["future"].set_result, row["made"])
            running = [row for row in running if row["left"] > 0]

    async def complete(self, ids: list, count: int) -> list:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self.waiting.put((ids, count, loop, future))
        return await future


def llama_app(path: str, threads: str, rows: str):
    import fastapi
    import llama_cpp

    slots = Slots(path, int(threads), int(rows))
    app = fastapi.FastAPI()

    @app.post("/v1/completions")
    async def completions(body: dict = fastapi.Body()):
        made = await slots.complete(body["prompt"], body["max_tokens"])
        return {"choices": [{"index": 0, "ids": made}], "usage": {"completion_tokens": len(made)}}

    return app, f"llama_cpp_python {llama_cpp.__version__}, slots"


def embed_app(folder: str, threads: str):
    import fastapi
    import sentence_transformers
    import torch

    torch.set_num_threads(int(threads))
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    lock = threading.Lock()
    app = fastapi.FastAPI()

    @app.post("/v1/embeddings")
    def embeddings(body: dict = fastapi.Body()):
        with lock:
            vectors = model.encode(body["input"], batch_size=32, show_progress_bar=False)
        return {"data": [{"index": i, "embedding": vector.tolist()} for i, vector in enumerate(vectors)]}

    return app, f"sentence-transformers {sentence_transformers.__version__} behind FastAPI"


def float32(source: str, target: str) -> None:
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize = llama_cpp.LLAMA_FTYPE_ALL_F32, True
    if llama_cpp.llama_model_quantize(source.encode(), target.encode(), params) != 0:
        raise SystemExit("llama_model_quantize failed")


def main() -> None:
    kind, *given = sys.argv[1:]
    if kind == "float32":
        return float32(*given)
    import uvicorn

    app, name = (llama_app if kind == "llama" else embed_app)(*given)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(json.dumps({"url": f"http://127.0.0.1:{listener.getsockname()[1]}", "name": name}), flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()

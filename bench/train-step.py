"""The peer of train-step.ts: the same network in PyTorch eager, as one would write it for speed; a step a line."""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

c = json.loads(sys.argv[1])
torch.set_num_threads(c["threads"])
D, H, L, V = c["hidden_size"], c["num_attention_heads"], c["num_hidden_layers"], c["vocab_size"]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.qkv, self.out = nn.LayerNorm(D), nn.Linear(D, 3 * D), nn.Linear(D, D)
        self.norm2, self.up, self.down = nn.LayerNorm(D), nn.Linear(D, 4 * D), nn.Linear(4 * D, D)

    def forward(self, x):
        B, T, _ = x.shape
        q, k, v = (z.view(B, T, H, D // H).transpose(1, 2) for z in self.qkv(self.norm1(x)).split(D, 2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(B, T, D)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(V, D), nn.Embedding(c["max_position_embeddings"] + 2, D)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(L)), nn.LayerNorm(D)

    def forward(self, ids, labels):
        x = self.tokens(ids) * D**0.5 + self.positions.weight[2 : 2 + ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.cross_entropy((self.norm(x) @ self.tokens.weight.t()).view(-1, V), labels.view(-1))


class Llama(nn.Module):
    def __init__(self):
        import transformers

        super().__init__()
        known = {k: v for k, v in c.items() if k not in ("batch", "tokens", "threads")}
        config = transformers.LlamaConfig(**known, attn_implementation="sdpa")
        self.network = transformers.LlamaForCausalLM(config).float()

    def forward(self, ids, labels):
        logits = self.network(input_ids=ids, use_cache=False).logits
        return F.cross_entropy(logits.view(-1, V), labels.view(-1))


torch.manual_seed(1)
model = Llama() if c["model_type"] == "llama" else Decoder()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
ids, labels = (torch.randint(0, V, (c["batch"], c["tokens"])) for _ in range(2))
print(json.dumps(f"PyTorch {torch.__version__} eager, fused AdamW"), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    model(ids, labels).backward()
    middle = time.perf_counter()
    optimiser.step()
    optimiser.zero_grad()
    end = time.perf_counter()
    print(json.dumps({"step": (middle - start) * 1e3, "optimiser": (end - middle) * 1e3}), flush=True)

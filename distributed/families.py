"""
The networks that Galen pre-trains, as PyTorch modules whose parameters have the published checkpoints' names: for engines
on accelerators what src/models is for ONNX Runtime, and proved against it by test/families-torch.test.ts. Which biases,
norms and heads a network has is decided by the parameters that its start weights hold, so that a relative needs no code.
Left out: heads for classification, generation, masks of padding (decoders are padded on the right), token types besides
the first. Needs PyTorch alone.
"""
# B batch, T tokens, N tokens that have a label, D width, H heads, G key heads, K width of a head, V vocabulary, P projections

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from network import Group, Layer, Names, Network, Seen, activations, attend, rotate, split_heads

if TYPE_CHECKING:
    from torch.distributed.tensor.parallel import ParallelStyle


class LlamaLayer(Layer):
    def __init__(self, names: Names, config: dict):
        super().__init__()
        epsilon = config["rms_norm_eps"]
        self.input_layernorm = names.rms_norm("input_layernorm", epsilon)
        attention = names.at("self_attn")
        self.self_attn = Group(**attention.linears("q_proj", "k_proj", "v_proj", "o_proj"))
        self.normalised = "q_norm.weight" in attention
        if self.normalised:
            self.self_attn.q_norm = attention.rms_norm("q_norm", epsilon)
            self.self_attn.k_norm = attention.rms_norm("k_norm", epsilon)
        self.post_attention_layernorm = names.rms_norm("post_attention_layernorm", epsilon)
        self.mlp = Group(**names.at("mlp").linears("gate_proj", "up_proj", "down_proj"))
        self.activation = activations[config["hidden_act"]]
        self.head_width: int = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
        self.attention_dropout: float = config["attention_dropout"]

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        h_BTD = self.input_layernorm(x_BTD)
        own, mlp = self.self_attn, self.mlp
        q, k, v = (split_heads(project(h_BTD), self.head_width) for project in (own.q_proj, own.k_proj, own.v_proj))
        if self.normalised:
            q, k = own.q_norm(q), own.k_norm(k)
        rate = self.attention_dropout if self.training else 0.0
        x_BTD = x_BTD + own.o_proj(attend(rotate(q, seen.turns), rotate(k, seen.turns), v, seen, rate))
        h_BTD = self.post_attention_layernorm(x_BTD)
        return x_BTD + mlp.down_proj(self.activation(mlp.gate_proj(h_BTD)) * mlp.up_proj(h_BTD))


class Llama(Network):
    """LLaMA, Mistral, Qwen2 and Qwen3."""

    causal = True

    def __init__(self, model: dict, names: Names):
        super().__init__(model)
        inner, config = names.at("model"), self.config
        self.model = Group(
            embed_tokens=inner.table("embed_tokens"),
            layers=nn.ModuleList(LlamaLayer(inner.at(f"layers.{i}"), config) for i in range(inner.count("layers"))),
            norm=inner.rms_norm("norm", config["rms_norm_eps"]),
        )
        self.lm_head = names.decoder("lm_head")

    @property
    def layers(self) -> list[Layer]:
        return list(self.model.layers)

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        return self.model.embed_tokens(ids_BT)

    def scores(self, hidden_ND: Tensor) -> Tensor:
        return self.lm_head(self.model.norm(hidden_ND), self.model.embed_tokens.weight)

    def tensor_parallel_plan(self, layer: LlamaLayer) -> dict[str, ParallelStyle]:
        """Cuts heads and the feed-forward's width, which the number of ranks must divide (key heads too)."""
        # Here, since a run of one process goes without it, and importing it takes seconds.
        from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, SequenceParallel

        columns = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.up_proj")
        plan = {name: ColwiseParallel() for name in columns}
        plan |= {name: RowwiseParallel() for name in ("self_attn.o_proj", "mlp.down_proj")}
        if layer.normalised:
            # Each rank normalises its own heads [B, H, T, K], with a weight whose gradient is the sum of all ranks'.
            heads = {"sequence_dim": 1, "use_local_output": True}
            plan |= {f"self_attn.{name}": SequenceParallel(**heads) for name in ("q_norm", "k_norm")}
        return plan


class BioGptLayer(Layer):
    def __init__(self, names: Names, config: dict):
        super().__init__()
        self.self_attn = Group(**names.at("self_attn").linears("q_proj", "k_proj", "v_proj", "out_proj"))
        self.self_attn_layer_norm = names.layer_norm("self_attn_layer_norm", BioGpt.epsilon)
        self.fc1, self.fc2 = names.linear("fc1"), names.linear("fc2")
        self.final_layer_norm = names.layer_norm("final_layer_norm", BioGpt.epsilon)
        self.activation = activations[config["hidden_act"]]
        self.head_width: int = config["hidden_size"] // config["num_attention_heads"]
        self.hidden_dropout: float = config["hidden_dropout_prob"]
        self.attention_dropout: float = config["attention_probs_dropout_prob"]
        self.activation_dropout: float = config["activation_dropout"]

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        h_BTD, own = self.self_attn_layer_norm(x_BTD), self.self_attn
        q, k, v = (split_heads(project(h_BTD), self.head_width) for project in (own.q_proj, own.k_proj, own.v_proj))
        y_BTD = own.out_proj(attend(q, k, v, seen, self.attention_dropout if self.training else 0.0))
        x_BTD = x_BTD + self.dropped(y_BTD, self.hidden_dropout)
        inner = self.dropped(self.activation(self.fc1(self.final_layer_norm(x_BTD))), self.activation_dropout)
        return x_BTD + self.dropped(self.fc2(inner), self.hidden_dropout)


class BioGpt(Network):
    causal = True
    # torch's default, whatever config.json says.
    epsilon = 1e-5
    # Position 0 has row 2: fairseq counts on from its padding index.
    first_position = 2

    def __init__(self, model: dict, names: Names):
        super().__init__(model)
        inner, config = names.at("biogpt"), self.config
        self.biogpt = Group(
            embed_tokens=inner.table("embed_tokens"),
            embed_positions=inner.table("embed_positions"),
            layers=nn.ModuleList(BioGptLayer(inner.at(f"layers.{i}"), config) for i in range(inner.count("layers"))),
            layer_norm=inner.layer_norm("layer_norm", self.epsilon),
        )
        self.output_projection = names.decoder("output_projection")

    @property
    def layers(self) -> list[Layer]:
        return list(self.biogpt.layers)

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        own, config = self.biogpt, self.config
        scale = math.sqrt(config["hidden_size"]) if config["scale_embedding"] else 1.0
        x_BTD = own.embed_tokens(ids_BT) * scale + own.embed_positions(positions_BT + self.first_position)
        return F.dropout(x_BTD, config["hidden_dropout_prob"], self.training)

    def scores(self, hidden_ND: Tensor) -> Tensor:
        return self.output_projection(self.biogpt.layer_norm(hidden_ND), self.biogpt.embed_tokens.weight)


class Gpt2Layer(Layer):
    def __init__(self, names: Names, config: dict, index: int):
        super().__init__()
        epsilon, attention, mlp = config["layer_norm_epsilon"], names.at("attn"), names.at("mlp")
        self.ln_1, self.ln_2 = names.layer_norm("ln_1", epsilon), names.layer_norm("ln_2", epsilon)
        self.attn = Group(c_attn=attention.conv1d("c_attn"), c_proj=attention.conv1d("c_proj"))
        self.mlp = Group(c_fc=mlp.conv1d("c_fc"), c_proj=mlp.conv1d("c_proj"))
        self.activation = activations[config["activation_function"]]
        self.head_width: int = names.dims("ln_1.weight")[0] // Gpt2.setting(config, "num_attention_heads", "n_head")
        scale = 1 / math.sqrt(self.head_width) if config["scale_attn_weights"] else 1.0
        self.scale = scale / (index + 1) if config["scale_attn_by_inverse_layer_idx"] else scale
        self.attention_dropout: float = config["attn_pdrop"]
        self.residual_dropout: float = config["resid_pdrop"]

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        qkv = self.attn.c_attn(self.ln_1(x_BTD)).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.head_width) for part in qkv)
        y_BTD = self.attn.c_proj(attend(q, k, v, seen, self.attention_dropout if self.training else 0.0, self.scale))
        x_BTD = x_BTD + self.dropped(y_BTD, self.residual_dropout)
        outer_BTD = self.mlp.c_proj(self.activation(self.mlp.c_fc(self.ln_2(x_BTD))))
        return x_BTD + self.dropped(outer_BTD, self.residual_dropout)


class Gpt2(Network):
    causal = True

    @staticmethod
    def setting(config: dict, shared: str, own: str):
        """GPT-2's files have names of their own for what others share."""
        return config[shared] if shared in config else config[own]

    def __init__(self, model: dict, names: Names):
        super().__init__(model)
        inner, config = names.at("transformer"), self.config
        self.transformer = Group(
            wte=inner.table("wte"),
            wpe=inner.table("wpe"),
            h=nn.ModuleList(Gpt2Layer(inner.at(f"h.{i}"), config, i) for i in range(inner.count("h"))),
            ln_f=inner.layer_norm("ln_f", config["layer_norm_epsilon"]),
        )
        self.lm_head = names.decoder("lm_head")

    @property
    def layers(self) -> list[Layer]:
        return list(self.transformer.h)

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        x_BTD = self.transformer.wte(ids_BT) + self.transformer.wpe(positions_BT)
        return F.dropout(x_BTD, self.config["embd_pdrop"], self.training)

    def scores(self, hidden_ND: Tensor) -> Tensor:
        return self.lm_head(self.transformer.ln_f(hidden_ND), self.transformer.wte.weight)


class BertLayer(Layer):
    """Megatron's has its norms, `ln`, before attention and feed-forward; BERT's stand behind their sums."""

    def __init__(self, names: Names, config: dict):
        super().__init__()
        epsilon, attention = config["layer_norm_eps"], names.at("attention")
        self.before = "ln.weight" in names

        def output(at: Names) -> Group:
            return Group(dense=at.linear("dense"), LayerNorm=None if self.before else at.layer_norm("LayerNorm", epsilon))

        own = Group(**attention.at("self").linears("query", "key", "value"))
        self.attention = Group(**{"self": own, "output": output(attention.at("output"))})
        self.intermediate = Group(dense=names.at("intermediate").linear("dense"))
        self.output = output(names.at("output"))
        if self.before:
            self.attention.ln, self.ln = attention.layer_norm("ln", epsilon), names.layer_norm("ln", epsilon)
        self.activation = activations[config["hidden_act"]]
        self.head_width: int = config["hidden_size"] // config["num_attention_heads"]
        self.hidden_dropout: float = config["hidden_dropout_prob"]
        self.attention_dropout: float = config["attention_probs_dropout_prob"]

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        h_BTD, own = self.attention.ln(x_BTD) if self.before else x_BTD, self.attention.self
        q, k, v = (split_heads(project(h_BTD), self.head_width) for project in (own.query, own.key, own.value))
        y_BTD = attend(q, k, v, seen, self.attention_dropout if self.training else 0.0)
        x_BTD = self.joined(self.attention.output, y_BTD, x_BTD)
        h_BTD = self.ln(x_BTD) if self.before else x_BTD
        return self.joined(self.output, self.activation(self.intermediate.dense(h_BTD)), x_BTD)

    def joined(self, output: Group, y: Tensor, residual_BTD: Tensor) -> Tensor:
        sum_BTD = self.dropped(output.dense(y), self.hidden_dropout) + residual_BTD
        return sum_BTD if self.before else output.LayerNorm(sum_BTD)


class Bert(Network):
    """BERT, BERT-hash, whose token table [V, P] is projected to the hidden width, and Megatron's BERT."""

    causal = False

    def __init__(self, model: dict, names: Names):
        super().__init__(model)
        config, epsilon = self.config, self.config["layer_norm_eps"]
        inner, tables, head = names.at("bert"), names.at("bert.embeddings"), names.at("cls.predictions")
        encoder = inner.at("encoder")
        count = encoder.count("layer")
        self.bert = Group(
            embeddings=Group(
                word_embeddings=tables.table("word_embeddings"),
                projection=tables.linear("projection") if "projection.weight" in tables else None,
                position_embeddings=tables.table("position_embeddings"),
                token_type_embeddings=tables.table("token_type_embeddings"),
                LayerNorm=tables.layer_norm("LayerNorm", epsilon) if "LayerNorm.weight" in tables else None,
            ),
            encoder=Group(
                layer=nn.ModuleList(BertLayer(encoder.at(f"layer.{i}"), config) for i in range(count)),
                ln=encoder.layer_norm("ln", epsilon) if "ln.weight" in encoder else None,
            ),
        )
        transform = head.at("transform")
        predictions = Group(
            transform=Group(dense=transform.linear("dense"), LayerNorm=transform.layer_norm("LayerNorm", epsilon)),
            decoder=head.decoder("decoder"),
        )
        # Of a tied decoder.
        predictions.bias = nn.Parameter(torch.empty(head.dims("bias"))) if "bias" in head else None
        self.cls = Group(predictions=predictions)

    @property
    def layers(self) -> list[Layer]:
        return list(self.bert.encoder.layer)

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        own = self.bert.embeddings
        rows_BTD = own.word_embeddings(ids_BT)
        if own.projection is not None:
            rows_BTD = own.projection(rows_BTD)
        x_BTD = rows_BTD + own.token_type_embeddings.weight[0] + own.position_embeddings(positions_BT)
        if own.LayerNorm is not None:
            x_BTD = own.LayerNorm(x_BTD)
        return F.dropout(x_BTD, self.config["hidden_dropout_prob"], self.training)

    def scores(self, hidden_ND: Tensor) -> Tensor:
        own, head, last = self.bert.embeddings, self.cls.predictions, self.bert.encoder.ln
        inner_ND = head.transform.dense(hidden_ND if last is None else last(hidden_ND))
        x_ND = head.transform.LayerNorm(activations[self.config["hidden_act"]](inner_ND))
        if own.projection is not None and head.decoder.weight is None:
            # Back through the projection: (x W) Eᵀ.
            x_ND = F.linear(x_ND, own.projection.weight.T)
        scores_NV = head.decoder(x_ND, own.word_embeddings.weight)
        return scores_NV if head.bias is None else scores_NV + head.bias


class ModernBertLayer(Layer):
    def __init__(self, names: Names, config: dict):
        super().__init__()
        epsilon = config["norm_eps"]
        # The first has none: the embeddings are normalised already.
        self.attn_norm = names.layer_norm("attn_norm", epsilon) if "attn_norm.weight" in names else None
        self.attn = Group(**names.at("attn").linears("Wqkv", "Wo"))
        self.mlp_norm = names.layer_norm("mlp_norm", epsilon)
        self.mlp = Group(**names.at("mlp").linears("Wi", "Wo"))
        self.activation = activations[config["hidden_activation"]]
        self.head_width: int = config["hidden_size"] // config["num_attention_heads"]
        self.attention_dropout: float = config["attention_dropout"]
        self.mlp_dropout: float = config["mlp_dropout"]

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        qkv = self.attn.Wqkv(x_BTD if self.attn_norm is None else self.attn_norm(x_BTD)).chunk(3, dim=-1)
        q, k, v = (split_heads(part, self.head_width) for part in qkv)
        rate = self.attention_dropout if self.training else 0.0
        y_BTD = self.attn.Wo(attend(rotate(q, seen.turns), rotate(k, seen.turns), v, seen, rate))
        x_BTD = x_BTD + self.dropped(y_BTD, self.attention_dropout)
        inner, gate = self.mlp.Wi(self.mlp_norm(x_BTD)).chunk(2, dim=-1)
        return x_BTD + self.mlp.Wo(self.dropped(self.activation(inner) * gate, self.mlp_dropout))


class ModernBert(Network):
    causal = False

    def __init__(self, model: dict, names: Names):
        super().__init__(model)
        config, epsilon, inner, head = self.config, self.config["norm_eps"], names.at("model"), names.at("head")
        tables = inner.at("embeddings")
        self.model = Group(
            embeddings=Group(tok_embeddings=tables.table("tok_embeddings"), norm=tables.layer_norm("norm", epsilon)),
            layers=nn.ModuleList(ModernBertLayer(inner.at(f"layers.{i}"), config) for i in range(inner.count("layers"))),
            final_norm=inner.layer_norm("final_norm", epsilon),
        )
        self.head = Group(dense=head.linear("dense"), norm=head.layer_norm("norm", epsilon))
        self.decoder = names.decoder("decoder")

    @property
    def layers(self) -> list[Layer]:
        return list(self.model.layers)

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        own = self.model.embeddings
        return F.dropout(own.norm(own.tok_embeddings(ids_BT)), self.config["embedding_dropout"], self.training)

    def scores(self, hidden_ND: Tensor) -> Tensor:
        inner_ND = activations[self.config["classifier_activation"]](self.head.dense(self.model.final_norm(hidden_ND)))
        return self.decoder(self.head.norm(inner_ND), self.model.embeddings.tok_embeddings.weight)


families: dict[str, type[Network]] = {
    "bert": Bert,
    "bert_hash": Bert,
    "biogpt": BioGpt,
    "gpt2": Gpt2,
    "llama": Llama,
    "megatron-bert": Bert,
    "mistral": Llama,
    "modernbert": ModernBert,
    "qwen2": Llama,
    "qwen3": Llama,
}


def build(model: dict) -> Network:
    """
    The network of job.json's `model`, with `shapes` beside it: the dimensions of every tensor of its start weights, by
    name. Its parameters have these names and no others; their numbers are whatever they are.
    """
    if model["family"] not in families:
        raise ValueError(f"family: expected one of {', '.join(families)}, got {model['family']!r}")
    network = families[model["family"]](model, Names(model["shapes"]))
    has = {name: list(parameter.shape) for name, parameter in network.named_parameters()}
    for name, dims in model["shapes"].items():
        if has.pop(name, None) != list(dims):
            raise ValueError(f"start weights: expected a network of {model['family']}, got a tensor {name} {list(dims)}")
    if has:
        raise ValueError(f"start weights: expected a tensor {next(iter(has))}, got none of this name")
    return network

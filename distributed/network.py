"""
What the networks of families.py share: modules made by the names and shapes of start weights, attention, layers that are
computed again in the backward pass, and the loss of a language model. Positions, windows and documents in a row are as in
src/nn/positions.ts and src/nn/attention.ts. Needs PyTorch alone.
"""
# B batch, T tokens, N labels, L leading axes, D width, H heads, G key heads, K width of a head, V vocabulary

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

if TYPE_CHECKING:
    from torch.distributed.tensor.parallel import ParallelStyle

# By the names of config.json; "gelu" is the exact one, by erf (src/nn/activations.ts).
activations = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "linear": lambda x: x,
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "swish": F.silu,
    "tanh": torch.tanh,
}


class Group(nn.Module):
    """Modules under one name."""

    def __init__(self, /, **modules: nn.Module | None):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)


class RmsNorm(nn.RMSNorm):
    """In float32, as transformers; but it is rounded once, behind the weight, which saves a tensor for the backward pass."""

    def forward(self, x_LD: Tensor) -> Tensor:
        return F.rms_norm(x_LD, self.normalized_shape, self.weight.to(x_LD.dtype), self.eps)


class Conv1d(nn.Module):
    """transformers' Conv1D: a linear layer whose weight is stored the other way, [in, out]."""

    def __init__(self, into: int, out: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(into, out))
        self.bias = nn.Parameter(torch.empty(out))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.T, self.bias)


class Decoder(nn.Module):
    """What hidden states become scores by: a matrix and a bias of its own, as far as there are such parameters."""

    def __init__(self, weight: list[int] | None, bias: list[int] | None):
        super().__init__()
        self.weight = None if weight is None else nn.Parameter(torch.empty(weight))
        self.bias = None if bias is None else nn.Parameter(torch.empty(bias))

    def forward(self, x_ND: Tensor, tied_VD: Tensor) -> Tensor:
        return F.linear(x_ND, tied_VD if self.weight is None else self.weight, self.bias)


class Names:
    """Parameters that a network has to have, seen from a scope: makes the module of a name as their shapes say."""

    def __init__(self, shapes: dict[str, list[int]], scope: str = ""):
        self.shapes = shapes
        self.scope = scope

    def at(self, scope: str) -> Names:
        return Names(self.shapes, f"{self.scope}{scope}.")

    def __contains__(self, name: str) -> bool:
        return self.scope + name in self.shapes

    def dims(self, name: str) -> list[int]:
        if name not in self:
            raise ValueError(f"start weights: expected a tensor {self.scope}{name}, got none of this name")
        return self.shapes[self.scope + name]

    def linear(self, name: str) -> nn.Linear:
        out, into = self.dims(f"{name}.weight")
        return nn.Linear(into, out, bias=f"{name}.bias" in self)

    def linears(self, *names: str) -> dict[str, nn.Module]:
        return {name: self.linear(name) for name in names}

    def conv1d(self, name: str) -> Conv1d:
        return Conv1d(*self.dims(f"{name}.weight"))

    def table(self, name: str) -> nn.Embedding:
        return nn.Embedding(*self.dims(f"{name}.weight"))

    def layer_norm(self, name: str, epsilon: float) -> nn.LayerNorm:
        return nn.LayerNorm(self.dims(f"{name}.weight"), epsilon, bias=f"{name}.bias" in self)

    def rms_norm(self, name: str, epsilon: float) -> RmsNorm:
        return RmsNorm(self.dims(f"{name}.weight"), epsilon)

    def decoder(self, name: str) -> Decoder:
        found = [self.dims(one) if one in self else None for one in (f"{name}.weight", f"{name}.bias")]
        return Decoder(*found)

    def count(self, scope: str) -> int:
        """How many layers SCOPE.0, SCOPE.1, … there are."""
        start = f"{self.scope}{scope}."
        return 1 + max((int(name[len(start) :].split(".")[0]) for name in self.shapes if name.startswith(start)), default=-1)


@dataclass(frozen=True)
class Seen:
    """What a layer's tokens look at, and where they stand. No tuple: FSDP would look for what to round in it."""

    causal: bool
    # bool [1 or B, 1, T, T]; None: all tokens, or all up to one's own.
    mask: Tensor | None
    # Cosines and sines [1 or B, 1, T, K / 2] in float32; None where positions are learned.
    turns: tuple[Tensor, Tensor] | None


def split_heads(x_BTD: Tensor, width: int) -> Tensor:
    """[B, T, H·K] → [B, H, T, K]; how many heads there are is the tensor's to say: with tensor parallelism a rank's own."""
    return x_BTD.unflatten(-1, (-1, width)).transpose(1, 2)


def rotate(x_BHTK: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Turns the pairs x[i], x[i + K/2]."""
    cos, sin = (turn.to(x_BHTK.dtype) for turn in turns)
    a, b = x_BHTK.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1)


def attend(
    q_BHTK: Tensor, k_BGTK: Tensor, v_BGTK: Tensor, seen: Seen, dropout: float = 0.0, scale: float | None = None
) -> Tensor:
    """softmax(q kᵀ / √K) v → [B, T, H·K]."""
    times = q_BHTK.shape[1] // k_BGTK.shape[1]
    # Heads in groups are known to flash attention alone; any other kernel that takes them makes the whole matrix of scores.
    if times > 1 and (seen.mask is not None or q_BHTK.dtype == torch.float32):
        k_BGTK, v_BGTK = (x.repeat_interleave(times, dim=1) for x in (k_BGTK, v_BGTK))
    y_BHTK = F.scaled_dot_product_attention(
        q_BHTK,
        k_BGTK,
        v_BGTK,
        attn_mask=seen.mask,
        is_causal=seen.causal and seen.mask is None,
        dropout_p=dropout,
        scale=scale,
        enable_gqa=q_BHTK.shape[1] != k_BGTK.shape[1],
    )
    return y_BHTK.transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """
    One of the layers that are sharded by themselves. Computing it again in the backward pass happens within the module,
    so that FSDP's hooks, which gather its parameters, stand outside and run once.
    """

    def forward(self, x_BTD: Tensor, seen: Seen, again: bool) -> Tensor:
        if again and torch.is_grad_enabled():
            return checkpoint(self.compute, x_BTD, seen, use_reentrant=False)
        return self.compute(x_BTD, seen)

    def compute(self, x_BTD: Tensor, seen: Seen) -> Tensor:
        raise NotImplementedError

    def dropped(self, x: Tensor, rate: float) -> Tensor:
        return F.dropout(x, rate, self.training)


class Network(nn.Module):
    """A language model: a family says how tokens are embedded, what its layers are, and how they become scores."""

    causal: bool

    def __init__(self, model: dict):
        super().__init__()
        self.config: dict = model["config"]
        self.rotary: list[dict | None] = [model.get("rotary"), model.get("localRotary") or model.get("rotary")]
        self.windows: list[int | None] | None = model.get("windows")
        # Whether layers are computed again in the backward pass; and scores, where there are more of them than so many:
        # with a large vocabulary they are the largest tensor of all. 1 GiB in float32.
        self.checkpointing = False
        self.scores_at_once = 2**28
        self.angles: dict[tuple[int, torch.device], Tensor] = {}

    @property
    def layers(self) -> list[Layer]:
        raise NotImplementedError

    def embed(self, ids_BT: Tensor, positions_BT: Tensor) -> Tensor:
        raise NotImplementedError

    def scores(self, hidden_ND: Tensor) -> Tensor:
        """logits_NV of what the last layer gave for N tokens."""
        raise NotImplementedError

    def tensor_parallel_plan(self, layer: Layer) -> dict[str, ParallelStyle] | None:
        """For parallelize_module; None for a family whose layers are not cut that way."""
        return None

    def forward(
        self, ids_BT: Tensor, labels_N: Tensor, at_N: Tensor | None = None, documents_BT: Tensor | None = None
    ) -> Tensor:
        """
        Cross-entropy of each label, losses_N in float32; 0 for a negative one. `at_N`: which of the B·T tokens have the
        labels, counted through; None: all. `documents_BT`: numbers; tokens see those of their own document alone, whose
        positions begin with 0.
        """
        same_BTT = None if documents_BT is None else documents_BT[:, :, None] == documents_BT[:, None, :]
        positions_BT = positions_of(ids_BT, same_BTT)
        x_BTD = self.embed(ids_BT, positions_BT)
        for layer, seen in zip(self.layers, self.all_seen(positions_BT, same_BTT), strict=True):
            x_BTD = layer(x_BTD, seen, self.checkpointing)
        hidden_ND = x_BTD.flatten(0, 1)
        if at_N is not None:
            hidden_ND = hidden_ND.index_select(0, at_N)
        # ignore_index is one number, and -100 is its default.
        labels_N = labels_N.masked_fill(labels_N < 0, -100)
        at_once = max(1, self.scores_at_once // self.config["vocab_size"])
        if not self.checkpointing or not torch.is_grad_enabled() or len(hidden_ND) <= at_once:
            return self.losses(hidden_ND, labels_N)
        parts = zip(hidden_ND.split(at_once), labels_N.split(at_once), strict=True)
        return torch.cat([checkpoint(self.losses, *part, use_reentrant=False) for part in parts])

    def losses(self, hidden_ND: Tensor, labels_N: Tensor) -> Tensor:
        return F.cross_entropy(self.scores(hidden_ND).float(), labels_N, reduction="none")

    def all_seen(self, positions_BT: Tensor, same_BTT: Tensor | None) -> list[Seen]:
        """What each layer sees; what several share is made once."""
        windows = self.windows or [None] * len(self.layers)
        made = {window: self.seen(window, positions_BT, same_BTT) for window in set(windows)}
        return [made[window] for window in windows]

    def seen(self, window: int | None, positions_BT: Tensor, same_BTT: Tensor | None) -> Seen:
        tokens = positions_BT.shape[1]
        narrow = window is not None and tokens > window
        mask = None if same_BTT is None else same_BTT[:, None]
        if narrow or (self.causal and mask is not None):
            places_T = torch.arange(tokens, device=positions_BT.device)
            back_TT = places_T[:, None] - places_T[None, :]
            near_TT = back_TT >= 0 if self.causal else torch.ones_like(back_TT, dtype=torch.bool)
            if narrow:
                near_TT &= back_TT < window if self.causal else back_TT.abs() <= window
            mask = near_TT[None, None] if mask is None else mask & near_TT
        return Seen(self.causal, mask, self.turns(positions_BT, local=window is not None))

    def turns(self, positions_BT: Tensor, local: bool) -> tuple[Tensor, Tensor] | None:
        rotary = self.rotary[local]
        if rotary is None:
            return None
        at = (int(local), positions_BT.device)
        if at not in self.angles:
            # No buffer: those that are not saved are lost between the meta device and the real one.
            self.angles[at] = torch.tensor(rotary["angles"], dtype=torch.float32, device=positions_BT.device)
        turned = positions_BT[:, None, :, None].float() * self.angles[at]
        return turned.cos() * rotary["factor"], turned.sin() * rotary["factor"]


def positions_of(ids_BT: Tensor, same_BTT: Tensor | None) -> Tensor:
    """0, 1, 2, …, [1, T]; with documents [B, T], how many of a token's own stand before it (src/nn/positions.ts)."""
    if same_BTT is None:
        return torch.arange(ids_BT.shape[1], device=ids_BT.device)[None]
    return same_BTT.tril().sum(-1) - 1

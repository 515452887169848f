"""The losses of a job's objectives, as src/train/objectives computes them, and the learning rate."""

import math

import torch
import torch.nn.functional as F

PREFERENCE_FIGURES = (
    "rewards/accuracies",
    "rewards/margins",
    "rewards/chosen",
    "rewards/rejected",
    "logps/chosen",
    "logps/rejected",
    "lengths/chosen",
    "lengths/rejected",
)


def loss_of(network, batch, objective, reference):
    """The sum over a micro-batch's labels or pairs, and figures as (sum, count) by name."""
    losses_N = network(batch.ids, batch.labels, batch.at, batch.documents)
    if objective["kind"] != "preference":
        return losses_N.sum(), {}
    scores_C = scores_of(losses_N, batch)
    apart_C = scores_C - reference[torch.tensor(batch.numbers)].flatten().to(scores_C.device)
    beta, smoothing, kind = objective["beta"], objective["labelSmoothing"], objective["loss"]
    ratios_C = apart_C / batch.lengths if kind in ("ipo", "sigmoid_norm") else apart_C
    delta_B = ratios_C[0::2] - ratios_C[1::2]
    if kind == "ipo":
        loss_B = (delta_B - 1 / (2 * beta)) ** 2
    else:
        right_B, wrong_B = -F.logsigmoid(beta * delta_B), -F.logsigmoid(-beta * delta_B)
        if smoothing == 0 or kind == "sigmoid_norm":
            loss_B = right_B
        elif kind == "sigmoid":
            loss_B = (1 - smoothing) * right_B + smoothing * wrong_B
        else:
            loss_B = ((1 - smoothing) * right_B - smoothing * wrong_B) / (1 - 2 * smoothing)
    rewards_C = beta * apart_C.detach().double()
    better_B, worse_B = rewards_C[0::2], rewards_C[1::2]
    values = {
        "rewards/accuracies": (better_B > worse_B).double(),
        "rewards/margins": better_B - worse_B,
        "rewards/chosen": better_B,
        "rewards/rejected": worse_B,
        "logps/chosen": scores_C.detach().double()[0::2],
        "logps/rejected": scores_C.detach().double()[1::2],
        "lengths/chosen": batch.lengths.double()[0::2],
        "lengths/rejected": batch.lengths.double()[1::2],
    }
    return loss_B.sum(), {name: (value.sum().item(), batch.count) for name, value in values.items()}


def scores_of(losses_N, batch):
    """Of each text, the sum of its learned tokens' log-probabilities."""
    return -torch.zeros(batch.lengths.numel(), device=losses_N.device).index_add(0, batch.owners, losses_N)


def learning_rate(schedule, step, steps):
    """Of update `step`, counted from 1 (src/train/schedule.ts)."""
    kind, peak, warmup, initial, floor = (schedule[key] for key in ("kind", "peak", "warmup", "initial", "floor"))
    if step <= warmup:
        return initial + (peak - initial) * step / warmup
    progress = min(1, (step - warmup) / max(1, steps - warmup))
    if kind == "constant":
        return peak
    if kind == "linear":
        return peak * (1 - (1 - floor) * progress)
    if kind == "cosine":
        return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress)))
    return peak * math.sqrt(max(1, warmup) / step)

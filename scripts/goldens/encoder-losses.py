"""Goldens for the losses of src/nn: values and gradients by sentence-transformers 5.3 and PyLate 1.6 on random inputs.

    python scripts/goldens/encoder-losses.py     (writes test/goldens/encoder-losses.json)
"""

import json
import pathlib
import types

import pylate
import sentence_transformers
import torch
from pylate import losses as late
from sentence_transformers import losses
from sentence_transformers.cross_encoder import losses as cross
from sklearn.decomposition import PCA

SEED = 20261121
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/encoder-losses.json"
B, N_DOCS, D, Q, S, K = 3, 4, 8, 5, 6, 4
torch.manual_seed(SEED)


def numbers(*shape, scale=1.0):
    return torch.randn(*shape) * scale


def flat(x):
    return [float(v) for v in x.detach().flatten()]


query, documents = numbers(B, D), numbers(B * N_DOCS, D)
teacher, logits, grades = numbers(B, N_DOCS, scale=3), numbers(B, N_DOCS, scale=2), torch.randint(0, 4, (B, N_DOCS)).float()
wide, projection = numbers(B, 2 * D), numbers(2 * D, D)
late_query = torch.nn.functional.normalize(numbers(B, Q, K), dim=-1)
late_documents = torch.nn.functional.normalize(numbers(B * N_DOCS, S, K), dim=-1)
kept = (torch.rand(B * N_DOCS, S) > 0.3).float()
sample = numbers(40, D) * torch.arange(1, D + 1)
result = {"versions": {"sentence_transformers": sentence_transformers.__version__, "pylate": pylate.__version__, "torch": torch.__version__},
          "seed": SEED, "shape": dict(B=B, n=N_DOCS, D=D, Q=Q, S=S, K=K), "losses": {}}
for name, value in dict(query=query, documents=documents, teacher=teacher, logits=logits, grades=grades, wide=wide,
                        projection=projection, lateQuery=late_query, lateDocuments=late_documents, kept=kept, sample=sample).items():
    result[name] = flat(value)
model = types.SimpleNamespace()


def record(name, inputs, loss):
    inputs = [x.clone().requires_grad_() for x in inputs]
    value = loss(*inputs)
    value.backward()
    result["losses"][name] = {"loss": value.item(), "gradients": [flat(x.grad) for x in inputs]}


def columns(q, d):
    return [q, *d.view(B, N_DOCS, D).unbind(1)]


def build(kind, **options):
    return kind(model=torch.nn.Identity(), **options)


record("ranking", [query, documents], lambda q, d: build(losses.MultipleNegativesRankingLoss).compute_loss_from_embeddings(columns(q, d), None))
record("margin", [query, documents], lambda q, d: build(losses.MarginMSELoss).compute_loss_from_embeddings(columns(q, d), teacher))
for temperature in (1.0, 2.5):
    record(f"divergence {temperature}", [query, documents],
           lambda q, d: build(losses.DistillKLDivLoss, temperature=temperature).compute_loss_from_embeddings(columns(q, d), teacher))


def separate(q, d):  # Sentence Transformers 6: temperatures of their own, times the student's squared
    scores = torch.einsum("bd,bnd->bn", q, d.view(B, N_DOCS, D))
    wanted = torch.log_softmax(teacher / 0.25, -1)
    return torch.nn.functional.kl_div(torch.log_softmax(scores / 2, -1), wanted, reduction="batchmean", log_target=True) * 4


record("divergence 2 and 0.25", [query, documents], separate)
record("mse", [query], lambda q: torch.nn.MSELoss()(q, wide[:, :D]))
record("cosine, projected", [query, projection], lambda q, w: (1 - torch.cosine_similarity(q @ w.T, wide)).mean())


def nested(q, d):
    ranking = build(losses.MultipleNegativesRankingLoss)
    cut = lambda x, n: torch.nn.functional.normalize(x[..., :n], p=2, dim=-1)
    return sum(w * ranking.compute_loss_from_embeddings([cut(x, n) for x in columns(q, d)], None) for n, w in ((8, 1.0), (4, 0.5)))


record("matryoshka", [query, documents], nested)
record("binary", [logits], lambda x: torch.nn.BCEWithLogitsLoss()(x, torch.sigmoid(teacher)))
record("regression", [logits], lambda x: torch.nn.MSELoss()(x, teacher))


def listwise(kind):
    """The loss's own code with the network replaced by given logits."""
    def run(x):
        rows = x.reshape(-1, 1)
        class Encoder(torch.nn.Module):
            num_labels, device = 1, torch.device("cpu")
            at = 0

            def tokenizer(self, pairs, **_):
                class Feeds(dict):
                    def to(self, _): return self
                return Feeds(count=len(pairs))

            def forward(self, count):
                self.at += count
                return (rows[self.at - count:self.at],)

        loss = kind(Encoder())
        return loss([["q"] * B, [["d"] * N_DOCS] * B], list(grades))
    return run


record("ranknet", [logits], listwise(cross.RankNetLoss))
record("listnet", [logits], listwise(cross.ListNetLoss))

from pylate.scores import ColBERTScores, colbert_kd_scores

grouped = kept.view(B, N_DOCS, S)
record("late contrastive", [late_query, late_documents], lambda q, d: torch.nn.functional.cross_entropy(
    ColBERTScores()(q, d.view(B, N_DOCS, S, K), documents_mask=grouped) / 0.5, torch.arange(B) * N_DOCS))


def late_kl(normalize):
    class Encoder(torch.nn.Module):
        skiplist, do_query_expansion = [0], True

        def forward(self, features):
            return features

    def run(q, d):
        loss = late.Distillation(Encoder(), normalize_scores=normalize)
        # Attention masks and ids such that the skiplist mask is `kept`.
        features = [dict(token_embeddings=q, input_ids=torch.ones(B, Q), attention_mask=torch.ones(B, Q)),
                    dict(token_embeddings=d, input_ids=kept.long(), attention_mask=torch.ones(B * N_DOCS, S))]
        return loss(features, teacher)
    return run


# The loss normalises its inputs again: gradients are those of unit vectors through that.
record("late divergence, stretched", [late_query, late_documents], late_kl(True))
record("late divergence", [late_query, late_documents], late_kl(False))
result["components"] = flat(torch.tensor(PCA(n_components=3).fit(sample.numpy()).components_))
OUT.write_text(json.dumps(result) + "\n")

"""Goldens for Megatron's BERT and ModernBERT: tiny random checkpoints, and what torch computes with them.

    python scripts/goldens/encoders.py [megatron-bert] [modernbert]     (needs torch and transformers)

Writes test/goldens/FAMILY/: by head logits, loss, every gradient, ten AdamW losses and the weights after them; hidden
states of the bare network with padding on either side; the named sizes' numbers of parameters.
"""

import json
import pathlib
import shutil
import string
import sys

import torch
import transformers
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer, models

SEED = 20261126
GOLDENS = pathlib.Path(__file__).parents[2] / "test/goldens"
LENGTHS = (13, 9, 3)
TOKENS = max(LENGTHS)
RIGHT = [[int(t < n) for t in range(TOKENS)] for n in LENGTHS]
LEFT = [row[::-1] for row in RIGHT]


def ids_of(vocabulary):
    generator = torch.Generator().manual_seed(SEED)
    return torch.randint(4, vocabulary, (len(LENGTHS), TOKENS), generator=generator)


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():  # transformers' own start is too flat to tell mistakes apart
        for name, parameter in model.named_parameters():
            is_norm = name.endswith(("norm.weight", "Norm.weight", "ln.weight"))
            parameter.copy_(torch.randn_like(parameter) * 0.3 + is_norm)
    return model.eval()


def flat(tensor):
    return [round(x, 6) for x in tensor.flatten().tolist()]


def adamw(model, inputs, labels, steps=10):
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.01)
    losses = []
    for _ in range(steps):
        loss = model(**inputs, labels=labels).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        losses.append(loss.item())
    return losses


def save(model, folder):
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder, safe_serialization=True)


def case(folder, model, inputs, labels, steps=True):
    """Saves the checkpoint, its gradients and, with `steps`, its weights after ten; gives the figures."""
    save(model, folder)
    result = {"labels": labels.tolist()}
    output = model(**inputs, labels=labels)
    result["logits"] = flat(output.logits)
    result["loss"] = output.loss.item()
    output.loss.backward()
    used = {name: parameter for name, parameter in model.named_parameters() if parameter.grad is not None}
    save_file({name: parameter.grad.contiguous() for name, parameter in used.items()}, folder / "gradients.safetensors")
    if not steps:
        return result
    model.zero_grad()
    result["adamw"] = adamw(model, inputs, labels)
    save_file({name: parameter.detach().contiguous() for name, parameter in used.items()}, folder / "adamw.safetensors")
    return result


def masked_labels(ids):
    labels = torch.full_like(ids, -100)
    for row, column in ((0, 1), (0, 6), (0, 12), (1, 2), (1, 8), (2, 1)):
        labels[row, column] = ids[row, column]
    labels[0, 6] = 11
    return labels


def token_labels(ids, classes):
    labels = ids % classes
    labels[torch.tensor(RIGHT) == 0] = -100
    labels[:, 0] = -100
    return labels


def count(model_class, config):
    """Numbers of parameters; tied ones count once."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in model_class(config).parameters())


def write(folder, result, ids):
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
    result = {"versions": versions, "ids": ids.tolist(), "left": LEFT, "right": RIGHT, **result}
    (folder / "goldens.json").write_text(json.dumps(result) + "\n")


def hidden_states(model, ids, more):
    """Of rows that are whole, and padded on either side."""
    masks = {"none": [[1] * TOKENS] * len(LENGTHS), "left": LEFT, "right": RIGHT}
    with torch.no_grad():
        return {
            side: flat(model(input_ids=ids, attention_mask=torch.tensor(mask), **more).last_hidden_state)
            for side, mask in masks.items()
        }


def megatron_bert():
    out = GOLDENS / "megatron-bert"
    shutil.rmtree(out, ignore_errors=True)

    def config(**options):
        settings = dict(
            vocab_size=40, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=10,
            max_position_embeddings=20, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
        )
        result = transformers.MegatronBertConfig(**{**settings, **options})
        result._attn_implementation = "eager"
        return result

    ids = ids_of(40)
    types = (torch.arange(TOKENS) > 4).long().expand(len(LENGTHS), -1)
    inputs = dict(input_ids=ids, attention_mask=torch.tensor(RIGHT), token_type_ids=types)
    masked = transformers.MegatronBertForMaskedLM(config())
    single = transformers.MegatronBertForSequenceClassification(config(num_labels=3))
    tokens = transformers.MegatronBertForTokenClassification(config(num_labels=5))
    heads = {
        "masked": case(out / "masked", randomise(masked), inputs, masked_labels(ids)),
        "single": case(out / "single", randomise(single), inputs, torch.tensor([2, 0, 1])),
        "tokens": case(out / "tokens", randomise(tokens), inputs, token_labels(ids, 5)),
    }
    bare = randomise(transformers.MegatronBertModel(config()))
    save(bare, out / "bare")
    with torch.no_grad():
        pooled = flat(bare(**inputs).pooler_output)
    sizes = {}
    for name, width, layers, attention_heads in (
        ("gatortron-base", 1024, 24, 16), ("gatortron-medium", 2560, 48, 40), ("gatortron-large", 3584, 56, 56),
    ):
        shape = config(
            vocab_size=50176, hidden_size=width, num_hidden_layers=layers, num_attention_heads=attention_heads,
            intermediate_size=4 * width, max_position_embeddings=512,
        )
        sizes[name] = {
            "bare": count(transformers.MegatronBertModel, shape),
            "masked": count(transformers.MegatronBertForMaskedLM, shape),
        }
    hidden = hidden_states(bare, ids, {"token_type_ids": types})
    write(out, {"types": types.tolist(), "heads": heads, "hidden": hidden, "pooled": pooled, "sizes": sizes}, ids)


def modernbert():
    out = GOLDENS / "modernbert"
    shutil.rmtree(out, ignore_errors=True)

    # Tokens see two others on either side in layers 1 and 2; two heads of three parts, so that no wrong order is hidden.
    def config(**options):
        settings = dict(
            vocab_size=40, hidden_size=8, num_hidden_layers=4, num_attention_heads=2, intermediate_size=10,
            max_position_embeddings=32, local_attention=4, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            cls_token_id=1, sep_token_id=2,
            rope_parameters={
                "full_attention": {"rope_type": "default", "rope_theta": 5000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 30.0},
            },
        )
        result = transformers.ModernBertConfig(**{**settings, **options})
        result._attn_implementation = "eager"
        return result

    ids = ids_of(40)
    inputs = dict(input_ids=ids, attention_mask=torch.tensor(RIGHT))
    masked = transformers.ModernBertForMaskedLM(config())
    single = transformers.ModernBertForSequenceClassification(config(num_labels=3))
    several = transformers.ModernBertForSequenceClassification(
        config(num_labels=4, problem_type="multi_label_classification", classifier_pooling="mean")
    )
    tokens = transformers.ModernBertForTokenClassification(config(num_labels=5))
    targets = torch.tensor([[1.0, 0, 0, 1], [0, 0, 0, 0], [0, 1, 1, 0]])
    heads = {
        "masked": case(out / "masked", randomise(masked), inputs, masked_labels(ids)),
        "single": case(out / "single", randomise(single), inputs, torch.tensor([2, 0, 1])),
        "several": case(out / "several", randomise(several), inputs, targets, steps=False),
        "tokens": case(out / "tokens", randomise(tokens), inputs, token_labels(ids, 5), steps=False),
    }
    # All that the configuration may switch on, and layers in another order.
    kinds = ["sliding_attention", "full_attention", "full_attention"]
    scaled = {
        "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 700.0},
        "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
    }
    biased = transformers.ModernBertForMaskedLM(
        config(
            num_hidden_layers=3, layer_types=kinds, rope_parameters=scaled, attention_bias=True, mlp_bias=True,
            norm_bias=True, classifier_bias=True, decoder_bias=False, tie_word_embeddings=False, local_attention=7,
            hidden_activation="gelu_pytorch_tanh", classifier_activation="silu", norm_eps=1e-3,
        )
    )
    heads["biased"] = case(out / "biased", randomise(biased), inputs, masked_labels(ids))
    bare = randomise(transformers.ModernBertModel(config()))
    save(bare, out / "bare")
    sentences = sentence_folder(out / "sentence", config)
    base = transformers.ModernBertConfig()
    large = transformers.ModernBertConfig(
        hidden_size=1024, intermediate_size=2624, num_hidden_layers=28, num_attention_heads=16
    )
    sizes = {
        name: {
            "bare": count(transformers.ModernBertModel, shape),
            "masked": count(transformers.ModernBertForMaskedLM, shape),
        }
        for name, shape in (("modernbert-base", base), ("modernbert-large", large))
    }
    figures = {"heads": heads, "hidden": hidden_states(bare, ids, {}), "sizes": sizes, "sentences": sentences}
    write(out, figures, ids)


def sentence_folder(folder, config):
    """An embedding model, saved by Sentence Transformers, and its vectors; three of the texts are beyond the window."""
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *string.ascii_lowercase]
    pieces += [f"##{letter}" for letter in string.ascii_lowercase]
    network = folder.parent / "network"
    vocabulary = {token: i for i, token in enumerate(pieces)}
    transformers.BertTokenizer(vocab=vocabulary, model_max_length=32).save_pretrained(network)
    save_into = randomise(transformers.ModernBertModel(config(vocab_size=len(pieces))))
    save_into.save_pretrained(network, safe_serialization=True)
    transformer = models.Transformer(str(network), max_seq_length=24)
    pooling = models.Pooling(8, pooling_mode="mean")
    model = SentenceTransformer(modules=[transformer, pooling, models.Normalize()], device="cpu")
    model.save(str(folder))
    shutil.rmtree(network)
    (folder / "README.md").unlink(missing_ok=True)
    texts = ["a", "renal failure", "the kidney and the heart", "insulin " * 9, ""]
    return {"texts": texts, "vectors": model.encode(texts).tolist()}


families = {"megatron-bert": megatron_bert, "modernbert": modernbert}
for family in sys.argv[1:] or families:
    families[family]()

"""Goldens for BERT as its older files have it (BioBERT, SciBERT, BlueBERT, ClinicalBERT): one tiny model in many layouts.

    python scripts/goldens/old-bert.py          (needs torch and transformers; writes test/goldens/old-bert/)

Each folder has what the published ones have or lack: model_type and architectures in config.json, a prefix, LayerNorm's
names, the head's repeated tensors, the pooler, buffers, the file format, the tokenizer's settings. Ids are those of
transformers' BertTokenizer; logits, hidden states and pooled vectors those of transformers' models opened from the folder.
"""

import collections
import json
import pathlib
import shutil

import torch
import transformers
from safetensors.torch import save_file

SEED = 20261126
OUT = pathlib.Path(__file__).parents[2] / "test/goldens/old-bert"
TEXTS = ["The Cells of BRCA1", "the cells of brca1", "Naïve T cells, IL-2 (20 mg)", "É p53 protein 中 x", ""]
LETTERS = [*"abcdefghilmnoprstvxBCDILRT0123456789", "é", "É", "中"]
WORDS = ["the", "The", "cells", "Cells", "of", "protein", "na", "##ive", "##ïve", "Na", "br", "BR", "(", ")", ",", "-"]


def vocabulary():
    special = ["[PAD]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    return special + sorted({*LETTERS, *WORDS, *("##" + letter for letter in LETTERS)})


CONFIG = dict(
    attention_probs_dropout_prob=0.1, hidden_act="gelu", hidden_dropout_prob=0.1, hidden_size=8, initializer_range=0.02,
    intermediate_size=12, max_position_embeddings=32, num_attention_heads=2, num_hidden_layers=2, type_vocab_size=2,
    vocab_size=len(vocabulary()),
)
BLUE = dict(directionality="bidi", pooler_fc_size=768, pooler_num_attention_heads=12, pooler_type="first_token_transform")


def randomise(model):
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + ("Norm.weight" in name))
    return model.eval()


def tensors_of(model):
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def old_norms(weights):
    pairs = ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta")
    renamed = {}
    for name, tensor in weights.items():
        for new, old in pairs:
            name = name.replace(new, old)
        renamed[name] = tensor
    return renamed


def without(weights, *parts):
    return {name: tensor for name, tensor in weights.items() if not any(part in name for part in parts)}


def bare(weights):
    return {name.removeprefix("bert."): tensor for name, tensor in weights.items()}


def buffers(weights):
    return {"bert.embeddings.position_ids": torch.arange(CONFIG["max_position_embeddings"]).expand(1, -1), **weights}


def write(name, weights, config, save, **tokenizer):
    folder = OUT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "vocab.txt").write_text("".join(token + "\n" for token in vocabulary()), encoding="utf-8")
    for file, settings in tokenizer.items():
        (folder / f"{file}.json").write_text(json.dumps(settings) + "\n")
    weights = {key: tensor.contiguous() for key, tensor in weights.items()}
    if save == "safetensors":
        save_file({key: tensor.clone() for key, tensor in weights.items()}, folder / "model.safetensors")
    else:
        torch.save(collections.OrderedDict(weights), folder / "pytorch_model.bin", _use_new_zipfile_serialization=save == "zip")
    return folder


def flat(tensor):
    return [round(x, 6) for x in tensor.flatten().tolist()]


def figures(folder, *, language, pooler, classes=False):
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    result = {"ids": ids, "pair": tokenizer(TEXTS[0], TEXTS[2])["input_ids"], "pooler": pooler}
    result["row"] = ids[2][:6]
    rows = {"input_ids": torch.tensor([result["row"]])}
    with torch.no_grad():
        model = transformers.BertModel.from_pretrained(folder, add_pooling_layer=pooler).eval()
        output = model(**rows)
        result["hidden"] = flat(output.last_hidden_state)
        if pooler:
            result["pooled"] = flat(output.pooler_output)
        if language:
            result["logits"] = flat(transformers.BertForMaskedLM.from_pretrained(folder).eval()(**rows).logits)
        if classes:
            head = transformers.BertForSequenceClassification.from_pretrained(folder)
            result["logits"] = flat(head.eval()(**rows).logits)
    return result


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    whole = tensors_of(randomise(transformers.BertForPreTraining(transformers.BertConfig(**CONFIG))))
    typed = {**CONFIG, "model_type": "bert"}
    cased = {"tokenizer_config": {"do_lower_case": False}}
    head = ("decoder.weight", "decoder.bias")
    folders = {}

    def case(name, weights, config, save, options, **tokenizer):
        folder = write(name, weights, config, save, **tokenizer)
        folders[name] = figures(folder, **options)

    language, network = dict(language=True, pooler=True), dict(language=False, pooler=True)
    # All of BertForPreTraining, as TensorFlow's names become, in the file format of before torch 1.6.
    case("biobert", buffers(old_norms(without(whole, "decoder.bias"))), CONFIG, "legacy", language, **cased)
    # vocab.txt alone; the head repeats nothing.
    case("scibert", buffers(without(whole, *head, "seq_relationship")), CONFIG, "zip", language)
    case("bluebert", old_norms(without(whole, "decoder.bias")), {**CONFIG, **BLUE}, "zip", language, **cased)
    # Both of the head's biases; settings of the tokenizer beside those that count.
    tokenizer = {"do_lower_case": False, "strip_accents": None, "model_max_length": 512, "tokenize_chinese_chars": True}
    names = {"cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]", "unk_token": "[UNK]"}
    case("clinicalbert", whole, typed, "safetensors", language, tokenizer_config=tokenizer, special_tokens_map=names)
    # Only the bias of the decoder; a table and a decoder of its own are another matter (tied-weights.py).
    case("decoder-bias", without(whole, "predictions.bias", "decoder.weight"), typed, "safetensors", language)
    # The network alone: without prefix, with, and without pooler; no class is named.
    case("bare", bare(without(whole, "cls.")), CONFIG, "zip", network, tokenizer_config={"do_lower_case": True})
    case("prefixed", old_norms(buffers(without(whole, "cls."))), CONFIG, "legacy", network)
    lone = dict(language=False, pooler=False)
    case("no-pooler", bare(without(whole, "cls.", "pooler.")), CONFIG, "safetensors", lone)
    # A head on the network without prefix: BioBERT 1.1 beside its own bare network.
    case("mixed", bare(without(whole, "decoder.bias")), CONFIG, "zip", language, **cased)
    classes = {"classifier.weight": torch.linspace(-1, 1, 24).reshape(3, 8), "classifier.bias": torch.tensor([0.1, 0.2, -0.3])}
    named = {**CONFIG, "architectures": ["BertForSequenceClassification"], "num_labels": 3}
    named["id2label"] = {str(i): f"LABEL_{i}" for i in range(3)}
    tuned = old_norms(buffers({**without(whole, "cls."), **classes}))
    case("fine-tuned", tuned, named, "legacy", dict(language=False, pooler=True, classes=True), **cased)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "seed": SEED}
    goldens = {"versions": versions, "texts": TEXTS, "folders": folders}
    (OUT / "goldens.json").write_text(json.dumps(goldens) + "\n")


main()

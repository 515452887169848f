"""Small tokenizers of byte pair encoding in every form that published models have, and what Hugging Face tokenizers
makes of texts that are hard: ids, offsets (UTF-16 units) and the text decoded again.

python scripts/goldens/bpe-tokenizers.py [OUTPUT]; tokenizers 0.22.2, sentencepiece 0.2.3, no randomness. Writes
test/goldens/bpe-tokenizers.json unless told otherwise.
"""

import base64
import io
import json
import sys

import sentencepiece
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
GPT4O = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CORPUS = [
    "Aspirin irreversibly inhibits cyclooxygenase-1 (COX-1) and, at higher doses, COX-2.",
    "The patients' median age was 63 years; 1234 of 5678 (21.7 %) had received warfarin before.",
    "Warfarin and aspirin raise the risk of bleeding: the hazard ratio was 1.53 (95 % CI 1.21 to 1.93).",
    "Interleukin-6 and TNF-α are cytokines; IL-6's receptor is blocked by tocilizumab. They're measured in pg/mL.",
    "Die Ergebnisse zeigen, daß die Größe der Läsion über 5 µm lag. L'étude a été réalisée à l'hôpital.",
    "def dose(weight):\n\treturn 5 * weight\n\n\n    # mg per kg\r\n",
    "患者 的 血压 为 120/80 mmHg。 Привет мир. مرحبا بالعالم",
    "  two spaces   three    four", "I've I'll I'd we're it's don't IT'S WE'RE",
] * 3

TEXTS = [
    "", " ", "  ", "   ", "\t", "\n", "\n\n", "\n\n\n", "\t\n", " \n ", "a", " a", "a ", "  a  ", "Hello world", " Hello  world ",
    "Aspirin inhibits cyclooxygenase.", "IL-6's and TNF-α's; they're IT'S we'Re y'all 'ſ 'S", "1 12 123 1234 12345 1,234.5 ½ Ⅷ ٣٤",
    "x\u00a0y\u2003z\u3000w\u0085v\ufeffu\u200bt", "line\r\nline\rline\n\r\n  next", "tab\there\t\tthere", "▁ in text ▁▁ and▁inside ▁", "Ġ in Ċ text ĠĠ",
    "e\u0301te\u0301 a\u0323\u0307 \u1100\u1161\u11a8 \u0958 Å \u212b ﬁ", "naïve café — “quotes” … ‰", "👩‍👩‍👧‍👦 😶‍🌫️ 🧪🧪 é🧪x", "𝛼𝛽 𠀀𠀁 \U000e0041",
    "\x00nul\x01\x02 \x7f\x80\x9f", "שלום עולם مرحبا \u202eabc\u202c", "ก็ น้ำ हिन्दी 한국어 日本語テキスト", "a" * 70, "ab" * 60, " " * 50, "\n" * 45, "!?" * 30,
    "<s>x</s> y<s> </s>z", "a cytochrome cytochromes zq zqs", "<unk><s></s>", "a<|end|>b <|end|> c<|end|>", "<|end|>", "<|end|><|end|> x", "x <x> y <x>y x<x>", "<drug>aspirin</drug> <drug> aspirin", "SPECIAL special specials aspecial, special.",
    "<0x41> <0xE2> \u2581\u2582", "https://example.org/a_b-c?d=e#f", "foo_bar.baz(qux)[0] == \"x\" && !y;", "\ud7ff\ue000\ufffd\uffff\U0010ffff", "ʕ ª º ᴬ ⅷ ß ẞ İ ı", "\u1c89 \U000105c0 \ua7ce \u088f x",
    "The  quick\u00ad brown  fox's \n\n  jumps.", "3.14e-10±0.5×10⁻³ μg/mL ≥5%", "A" * 20 + "b" * 20 + "ÇÉ" * 5,
]

ADDED = [
    AddedToken("<drug>", normalized=False),
    AddedToken("<x>", lstrip=True, rstrip=True, normalized=False),
    AddedToken("special", single_word=True, normalized=True),
]


def trained(pre, size, specials, alphabet=()):
    """The model of a tokenizer that is learned from the corpus, as JSON."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=specials, initial_alphabet=list(alphabet), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    model["merges"] = [" ".join(merge) for merge in model["merges"]]
    return model


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
FRAME = ["<unk>", "<s>", "</s>"]
MODELS = {}


def make_models():
    P = pre_tokenizers
    bytes_of_words = P.Sequence([split(QWEN), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    MODELS["bytes"] = trained(bytes_of_words, 400, ["<|end|>", "<s>", "</s>"], P.ByteLevel.alphabet())
    MODELS["words"] = trained(P.Metaspace(prepend_scheme="always", split=True), 560, FRAME + BYTES)
    across = P.Sequence([P.Metaspace(prepend_scheme="never", split=False), split(r"▁[▁\s]*|[^▁]+▁?")])
    MODELS["across"] = trained(across, 560, FRAME + BYTES)


def byte_level(name, pre, decoder=None, post=None, normalizer=None, **settings):
    return finish(name, "bytes", pre, decoder or decoders.ByteLevel(), post, normalizer, settings, ["<|end|>", "<s>", "</s>"])


def metaspace(name, pre, decoder, post=None, normalizer=None, model="words", **settings):
    settings = {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True} | settings
    return finish(name, model, pre, decoder, post, normalizer, settings, FRAME)


def finish(name, model, pre, decoder, post, normalizer, settings, specials):
    whole = json.loads(Tokenizer(models.BPE()).to_str())
    whole["model"] = MODELS[model] | settings
    read = Tokenizer.from_str(json.dumps(whole))
    read.add_special_tokens(specials)
    read.decoder = decoder
    if pre:
        read.pre_tokenizer = pre
    if normalizer:
        read.normalizer = normalizer
    if post:
        read.post_processor = post(read)
    read.add_tokens(ADDED)
    rest = json.loads(read.to_str())
    del rest["model"]
    return name, model, settings, rest, read


def template(single, pair):
    def make(tokenizer):
        names = {part for part in (single + " " + pair).split() if not part.startswith("$")}
        bare = {name.split(":")[0] for name in names}
        return processors.TemplateProcessing(single=single, pair=pair, special_tokens=[(name, tokenizer.token_to_id(name)) for name in sorted(bare)])

    return make


def llama_decoder():
    return decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


BOS = template("<s> $A", "<s> $A <s>:1 $B:1")
P = pre_tokenizers


def split(pattern, behavior="isolated", **options):
    return P.Split(Regex(pattern), behavior, **options)


def variants():
    yield byte_level("GPT-2", P.ByteLevel(add_prefix_space=False), post=lambda _: processors.ByteLevel(trim_offsets=False))
    yield byte_level("GPT-2 with a space before, offsets trimmed", P.ByteLevel(add_prefix_space=True), post=lambda _: processors.ByteLevel(trim_offsets=True, add_prefix_space=True))
    yield byte_level("RoBERTa", P.ByteLevel(add_prefix_space=False), post=lambda t: processors.RobertaProcessing(("</s>", t.token_to_id("</s>")), ("<s>", t.token_to_id("<s>")), trim_offsets=True, add_prefix_space=False))
    llama3 = P.Sequence([split(LLAMA3), P.ByteLevel(add_prefix_space=False, use_regex=False)])
    yield byte_level("Llama 3", llama3, post=lambda t: processors.Sequence([processors.ByteLevel(trim_offsets=True, add_prefix_space=False), BOS(t)]), ignore_merges=True)
    yield byte_level("Qwen2", P.Sequence([split(QWEN), P.ByteLevel(add_prefix_space=False, use_regex=False)]), normalizer=normalizers.NFC(), post=lambda _: processors.ByteLevel(trim_offsets=False))
    yield byte_level("ModernBERT", P.ByteLevel(add_prefix_space=False), normalizer=normalizers.NFC(), post=template("<s> $A </s>", "<s> $A </s> $B </s>"))
    yield byte_level("SmolLM2", P.Sequence([P.Digits(individual_digits=True), P.ByteLevel(add_prefix_space=False)]))
    yield byte_level("GPT-4o", P.Sequence([split(GPT4O, "removed", invert=True), P.ByteLevel(add_prefix_space=True, use_regex=False)]))
    yield byte_level("several splits", P.Sequence([split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), P.Split(",", "merged_with_previous"), split(r"[\p{P}\p{S}]", "merged_with_next"), P.Digits(individual_digits=False), P.ByteLevel(add_prefix_space=False, use_regex=False)]))
    for scheme in ["always", "first", "never"]:
        for divided in [True, False] if scheme != "never" else [False]:
            pre = P.Metaspace(prepend_scheme=scheme, split=divided)
            decoder = decoders.Metaspace(prepend_scheme=scheme) if divided else llama_decoder()
            yield metaspace(f"Metaspace {scheme}{', split' if divided else ''}", pre, decoder, post=BOS)
    old = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    yield metaspace("LLaMA 2", None, llama_decoder(), post=BOS, normalizer=old)
    yield metaspace("tokens across words", None, llama_decoder(), normalizer=old, model="across")
    yield metaspace("without bytes", P.Metaspace(prepend_scheme="first", split=False), llama_decoder(), byte_fallback=False)
    yield metaspace("without bytes, unknown ones apart", P.Metaspace(prepend_scheme="first", split=True), decoders.Metaspace(), byte_fallback=False, fuse_unk=False)


def utf16(text):
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def case(tokenizer, text):
    encoding = tokenizer.encode(text)
    places = utf16(text)
    # From the start of the token before, and length: short numbers.
    starts = [0] + [places[start] for start, _ in encoding.offsets]
    offsets = [n for (start, end), before in zip(encoding.offsets, starts) for n in (places[start] - before, places[end] - places[start])]
    return [encoding.ids, offsets, tokenizer.decode(encoding.ids, skip_special_tokens=False)]


def sentence_piece():
    """Two SentencePiece models of byte pair encoding, with the ids that its library gives."""

    def train(**options):
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS), model_writer=model, normalization_rule_name="identity", minloglevel=2, num_threads=1, **options
        )
        return model.getvalue()

    plain = {"remove_extra_whitespaces": False, "byte_fallback": True, "character_coverage": 0.98}
    bpe = train(model_type="bpe", vocab_size=480, **plain)
    own = train(model_type="bpe", vocab_size=480, user_defined_symbols=["<drug>", "x y"], pad_id=3, add_dummy_prefix=False, **plain)
    texts = [text for text in TEXTS if not any(name in text for name in ["<s>", "<unk>", "</s>"])]
    ids = [sentencepiece.SentencePieceProcessor(model_proto=model).encode(texts) for model in (bpe, own)]
    written = [base64.b64encode(model).decode() for model in (bpe, own)]
    return {"version": sentencepiece.__version__, "texts": texts, "ids": ids, "models": written}


def main():
    output = sys.argv[1] if len(sys.argv) > 1 else "test/goldens/bpe-tokenizers.json"
    make_models()
    # A whole word that no merge makes, for those that ignore merges.
    for word in ["Ġcytochrome", "zq"]:
        MODELS["bytes"]["vocab"][word] = len(MODELS["bytes"]["vocab"])
    # What is learned by default: words as GPT-2 and LLaMA cut them.
    plain = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), 400, ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet())
    characters = trained(pre_tokenizers.Metaspace(prepend_scheme="first"), 560, FRAME + BYTES, ["▁"])
    learned = {"corpus": CORPUS, "byte-bpe": plain["merges"], "metaspace-bpe": characters["merges"]}
    result = {"tokenizers": tokenizers.__version__, "texts": TEXTS, "models": MODELS, "learned": learned, "sentencepiece": sentence_piece(), "variants": []}
    for name, model, settings, rest, tokenizer in variants():
        pair = tokenizer.encode("Aspirin", "warfarin 3")
        written = {"name": name, "model": model, "settings": settings, "rest": rest}
        cases = [case(tokenizer, text) for text in TEXTS]
        result["variants"].append(written | {"cases": cases, "pair": [pair.ids, pair.type_ids]})
    with open(output, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()

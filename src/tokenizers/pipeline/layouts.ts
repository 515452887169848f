/**
 * What is not in the files of GPT-2's layout (vocab.json, merges.txt) because the class that reads them knows it: the
 * pipeline, and which tokens have which role unless a configuration says otherwise, as in transformers 5.
 */
import { DataError } from "../../errors.ts";
import type { Role } from "../added-files.ts";
import { fieldError, type Json, type JsonObject, parseJsonObject } from "../json.ts";
import type { TokenizerFiles } from "../tokenizer.ts";

type Roles = { readonly [role in Role]?: string };

const endOfText = "<|endoftext|>";
const rolesOfClasses: Readonly<Record<string, Roles>> = {
  GPT2Tokenizer: { bos: endOfText, eos: endOfText, unk: endOfText },
  GPTNeoXTokenizer: { bos: endOfText, eos: endOfText, unk: endOfText, pad: "<|padding|>" },
  Qwen2Tokenizer: { eos: endOfText, unk: endOfText, pad: endOfText },
  LlamaTokenizer: { bos: "<s>", eos: "</s>", unk: "<unk>" },
};

const names = (classes: readonly string[]): string[] => classes.flatMap((name) => [name, `${name}Fast`]);
/** Classes whose words are bytes. */
export const byteClasses: readonly string[] = names(["GPT2Tokenizer", "GPTNeoXTokenizer", "Qwen2Tokenizer"]);
export const markClasses: readonly string[] = names(["LlamaTokenizer"]);

/** The usual tokens of a class; none for classes that have none. */
export function rolesOfClass(name: string): Roles {
  const bare = name.replace(/Fast$/, "");
  return Object.hasOwn(rolesOfClasses, bare) ? rolesOfClasses[bare]! : {};
}

/** As Qwen's tokenizer in Python has it; Llama 3's is the same with up to three digits a word. */
const qwenWords =
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|` +
  String.raw`\s+(?!\S)|\s+`;

/** vocab.json and merges.txt as the tokenizer.json that says the same. @throws DataError for damaged files. */
export function gpt2Pipeline(files: TokenizerFiles, where: string, settings: JsonObject): JsonObject {
  const vocab = parseJsonObject(`${where}vocab.json`, files.get("vocab.json")!);
  const merges = readMergeLines(`${where}merges.txt`, files.get("merges.txt")!);
  const prefixed = settings["add_prefix_space"] ?? false;
  if (typeof prefixed !== "boolean") {
    throw fieldError(`${where}tokenizer_config.json`, "add_prefix_space", "true or false", prefixed);
  }
  const isQwen = String(settings["tokenizer_class"]).startsWith("Qwen2Tokenizer");
  const byteLevel = { type: "ByteLevel", add_prefix_space: prefixed, trim_offsets: true, use_regex: !isQwen };
  const split = { type: "Split", pattern: { Regex: qwenWords }, behavior: "Isolated", invert: false };
  return bpePipeline({
    normalizer: isQwen ? { type: "NFC" } : null,
    pre_tokenizer: isQwen ? { type: "Sequence", pretokenizers: [split, byteLevel] } : byteLevel,
    post_processor: null,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: { vocab, merges },
  });
}

/** A tokenizer.json with what is usual where nothing is said. */
export function bpePipeline({
  model,
  ...parts
}: {
  readonly model: JsonObject;
  readonly [part: string]: Json;
}): JsonObject {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...parts,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      ...model,
    },
  };
}

/** The parts of a tokenizer.json whose words are characters behind ▁, as LLaMA's class in Python makes them. */
export function charactersPipeline(scheme: "always" | "first" | "never"): { model: JsonObject; [part: string]: Json } {
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const decoders: Json[] = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(scheme === "never" ? [] : [strip]),
  ];
  return {
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split: false },
    decoder: { type: "Sequence", decoders },
    model: { unk_token: "<unk>", fuse_unk: true, byte_fallback: true },
  };
}

/** The same as LLaMA 2's file has it: ▁ before every part of a text, as SentencePiece puts it before the whole. */
export function olderPipeline(): { model: JsonObject; [part: string]: Json } {
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const normalizer = { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace] };
  return { ...charactersPipeline("always"), pre_tokenizer: null, normalizer };
}

function readMergeLines(file: string, text: string): Json[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines.flatMap((line, i) => {
    if (line.startsWith("#version")) return [];
    const parts = line.split(" ");
    if (parts.length !== 2) {
      const got = JSON.stringify(line.slice(0, 80));
      throw new DataError(`${file}, line ${i + 1}: expected "left right", got ${got}`, {
        hint: "the file may be truncated or of another format; compare it with its source",
      });
    }
    return [parts];
  });
}

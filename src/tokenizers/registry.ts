/**
 * The kinds of tokenizer, and which of them files are. Their contents decide, not their names, which many kinds share:
 * the class that a configuration names, else the pipeline that tokenizer.json describes, else what the older files hold.
 * Files of a kind that is not here are refused with what they are, for a wrong tokenizer gives wrong ids without a word.
 */
import { ConfigError, DataError } from "../errors.ts";
import { bertKind } from "./bert/kind.ts";
import { bioGptKind } from "./biogpt/kind.ts";
import { parseJsonObject } from "./json.ts";
import { byteBpeKind, metaspaceBpeKind } from "./pipeline/kinds.ts";
import type { Extended, Texts, Tokenizer, TokenizerFiles, TokenizerKind } from "./tokenizer.ts";
import { pipelineOf } from "./tokenizer-json.ts";

export const tokenizerKinds: readonly TokenizerKind[] = [bioGptKind, bertKind, byteBpeKind, metaspaceBpeKind];

const pipelineFile = "tokenizer.json";
const templateFile = "chat_template.jinja";
/** Where a class is named, in the order in which transformers looks. */
const classFiles = ["tokenizer_config.json", "config.json"] as const;
const layouts = tokenizerKinds.flatMap((kind) => kind.layouts);

/** Every file that a tokenizer may be made from. */
export const tokenizerFileNames: readonly string[] = [
  ...new Set([...layouts.flat(), ...classFiles, "special_tokens_map.json", "added_tokens.json", templateFile]),
];

/** Whether these are the files of a tokenizer of any kind, or of one. */
export function isComplete(names: readonly string[], of: TokenizerKind["layouts"] = layouts): boolean {
  return of.some((layout) => layout.every((name) => names.includes(name)));
}

/** That `names` are no tokenizer's. */
export function noTokenizer(where: string, names: readonly string[]): DataError {
  const expected = [...new Set(layouts.map((layout) => layout.join(" and "))), "tokenizer.model"].join(", or ");
  const got = names.length === 0 ? "nothing" : [...names].sort().slice(0, 10).join(", ");
  return new DataError(`${where}: expected ${expected}; got ${got}`, {
    hint: "download the tokenizer's files beside the weights",
  });
}

/**
 * The tokenizer that files hold; `where` is put before their names in errors.
 * @throws DataError where they hold none or one of a kind that is not known, or a file is not what it should be.
 */
export function readTokenizer(files: TokenizerFiles, where = ""): Tokenizer {
  const names = [...files.keys()];
  if (!isComplete(names)) throw noTokenizer(where || "tokenizer", names);
  const named = classOf(files, where);
  const byClass = tokenizerKinds.find(({ classes }) => named !== undefined && classes.includes(named.name));
  const tokenizer = (byClass ?? kindByContents(files, where, named)).read(files, where);
  const template = files.get(templateFile);
  if (template === undefined || tokenizer.files().has(templateFile)) return tokenizer;
  // Of conversations a kind need not know.
  return { ...tokenizer, files: () => new Map(tokenizer.files()).set(templateFile, template) };
}

interface Named {
  readonly name: string;
  readonly file: string;
}

/** The tokenizer's class as a configuration names it. */
function classOf(files: TokenizerFiles, where: string): Named | undefined {
  for (const file of classFiles) {
    const text = files.get(file);
    const name = text === undefined ? undefined : parseJsonObject(where + file, text)["tokenizer_class"];
    if (typeof name === "string") return { name, file };
  }
  return undefined;
}

/** `named`: a class that no kind has. @throws DataError that says what the files are. */
function kindByContents(files: TokenizerFiles, where: string, named: Named | undefined): TokenizerKind {
  const hint = `known are ${tokenizerKinds.map(({ name, about }) => `${name} (${about})`).join(", ")}`;
  const text = files.get(pipelineFile);
  const pipeline = text === undefined ? undefined : pipelineOf(where + pipelineFile, text);
  if (pipeline === undefined && named !== undefined) {
    const classes = tokenizerKinds.flatMap((kind) => kind.classes).join(", ");
    const message = `tokenizer_class: expected one of ${classes}, got ${named.name.slice(0, 80)}`;
    throw new DataError(`${where}${named.file}: ${message}`, { hint });
  }
  const recognised = tokenizerKinds.find((kind) => kind.recognises(files, pipeline));
  if (recognised !== undefined) return recognised;
  if (pipeline !== undefined) {
    const { model = "none", preTokenizer = "none" } = pipeline;
    const found = `model.type ${model.slice(0, 80)} with pre_tokenizer.type ${preTokenizer.slice(0, 80)}`;
    throw new DataError(`${where}${pipelineFile}: ${found}: not supported`, { hint });
  }
  // Damaged, or of another kind whose files have the same names: the kind that is known says what it misses.
  return tokenizerKinds.find((kind) => isComplete([...files.keys()], kind.layouts))!;
}

/** The kinds that can be learned from texts, by name. */
export const learnableKinds: readonly string[] = tokenizerKinds
  .filter(({ learn }) => learn !== undefined)
  .map(({ name }) => name);

/**
 * A tokenizer of a kind learned from texts, with at most `vocabSize` tokens; the same texts give the same tokenizer.
 * @throws ConfigError for a kind that cannot be learned, or a vocabulary that cannot hold every character; DataError where
 * there is no text.
 */
export async function trainTokenizer(
  texts: Texts,
  { kind, vocabSize }: { readonly kind: string; readonly vocabSize: number },
): Promise<Tokenizer> {
  const learn = tokenizerKinds.find(({ name }) => name === kind)?.learn;
  if (learn === undefined) {
    throw new ConfigError(`trainTokenizer: kind: expected one of ${learnableKinds.join(", ")}, got "${kind}"`);
  }
  let some = false;
  const seen = async function* (): AsyncGenerator<string> {
    for await (const text of texts) {
      some ||= text.trim() !== "";
      yield text;
    }
  };
  const tokenizer = await learn(seen(), { vocabSize });
  if (!some) throw new DataError("training texts: expected at least one that is not blank, got none");
  return tokenizer;
}

/**
 * A tokenizer with `tokens` more, learned on from where its vocabulary ended: texts without new tokens keep their ids.
 * @throws ConfigError for a tokenizer that cannot be learned on; DataError where the texts are too few.
 */
export async function extendTokenizer(
  base: Tokenizer,
  texts: Texts,
  { tokens }: { readonly tokens: number },
): Promise<Extended> {
  if (!Number.isSafeInteger(tokens) || tokens < 1) {
    throw new ConfigError(`extendTokenizer: tokens: expected a whole number from 1, got ${tokens}`);
  }
  const kind = tokenizerKinds.find(({ name }) => name === base.family);
  if (kind?.extend === undefined) {
    const known = tokenizerKinds.filter(({ extend }) => extend !== undefined).map(({ name }) => name);
    throw new ConfigError(`extendTokenizer: expected a tokenizer of ${known.join(", ")}, got ${base.family}`);
  }
  return kind.extend(base.files(), texts, { tokens });
}

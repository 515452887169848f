/**
 * Named-entity files in IOB2, `token<TAB>tag` a line, sentences separated by blank lines (BC5CDR-chem, BC5CDR-disease,
 * NCBI-disease, BC2GM, JNLPBA as BLURB's predecessors hand them round). `-DOCSTART- id` lines begin a document.
 * Sentences as JSON lines, `{"tokens", "tags"}`, are read beside them.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readText } from "../io/files.ts";
import { streamJsonLines } from "../io/json.ts";
import { readLines } from "../io/lines.ts";
import type { Split } from "./benchmark.ts";

export interface NerSentence {
  readonly id: string;
  /** Document of the sentence, where the file marks documents. */
  readonly document?: string;
  readonly tokens: readonly string[];
  /** "O", "B" or "I", with "-TYPE" where the file has types. */
  readonly tags: readonly string[];
}

const iobTag = /^(?:O|[BI](?:-.+)?)$/;

/** Takes lines one by one; gives the sentence that a line ends. */
function createParser(where: string): (line: string) => NerSentence | undefined {
  let number = 0;
  let count = 0;
  let document: string | undefined;
  let tokens: string[] = [];
  let tags: string[] = [];
  const close = (): NerSentence | undefined => {
    if (tokens.length === 0) return undefined;
    const sentence = { id: `${++count}`, ...(document === undefined ? {} : { document }), tokens, tags };
    [tokens, tags] = [[], []];
    return sentence;
  };
  return (line) => {
    number += 1;
    if (line.startsWith("-DOCSTART-")) {
      const sentence = close();
      document = line.slice("-DOCSTART-".length).split("\t")[0]?.trim();
      return sentence;
    }
    if (line.trim() === "") return close();
    const [token = "", tag = ""] = [line.split("\t")[0], line.split("\t").at(-1)];
    if (!iobTag.test(tag) || token === "") {
      throw new DataError(`${where}:${number}: expected token, tab, O, B or I, got "${line.slice(0, 60)}"`, {
        hint: "columns are separated by tabs; tags are O, B-TYPE and I-TYPE (IOB2)",
      });
    }
    tokens.push(token);
    tags.push(tag);
    return undefined;
  };
}

/** Sentences in the file's order. @throws DataError that names a line whose tag is not IOB. */
export function parseIob(text: string, where = "IOB"): NerSentence[] {
  const parse = createParser(where);
  return [...text.split(/\r?\n/), ""].flatMap((line) => parse(line) ?? []);
}

/** The same one by one from a file. */
async function* streamIob(path: string): AsyncGenerator<NerSentence> {
  const parse = createParser(path);
  for await (const { text } of readLines(path)) {
    const sentence = parse(text);
    if (sentence !== undefined) yield sentence;
  }
  const last = parse("");
  if (last !== undefined) yield last;
}

const sentenceLine = z
  .object({ tokens: z.array(z.string()).min(1), tags: z.array(z.string().regex(iobTag)) })
  .refine(({ tokens, tags }) => tokens.length === tags.length, { path: ["tags"], error: "expected one a token" });

export type Tagged = Pick<NerSentence, "tokens" | "tags">;

/** Whether the first line that is not blank begins an object; a token may be a brace, but a tab follows it. */
async function isJsonLines(path: string): Promise<boolean> {
  for await (const { text } of readLines(path)) if (text.trim() !== "") return /^\s*\{[^\t]*$/.test(text);
  return false;
}

/** Sentences of an IOB2 file or of JSON lines. @throws DataError that names a line that does not fit. */
export async function* streamTagged(path: string): AsyncGenerator<Tagged> {
  yield* (await isJsonLines(path)) ? streamJsonLines(path, sentenceLine) : streamIob(path);
}

/** All of `streamTagged`. */
export async function readTagged(path: string): Promise<Tagged[]> {
  const sentences: Tagged[] = [];
  for await (const sentence of streamTagged(path)) sentences.push(sentence);
  return sentences;
}

/** One split of a folder of train.tsv, dev.tsv and test.tsv; the typed devel.tsv of JNLPBA is left out. */
export async function readNer(folder: string, split: Split): Promise<NerSentence[]> {
  const path = `${folder}/${split === "valid" ? "dev" : split}.tsv`;
  return parseIob(await readText(path), path);
}

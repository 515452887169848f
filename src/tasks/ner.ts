/**
 * Named-entity files in IOB2, `token<TAB>tag` a line, sentences parted by blank lines (BC5CDR-chem, BC5CDR-disease,
 * NCBI-disease, BC2GM, JNLPBA as BLURB's predecessors hand them round). `-DOCSTART- id` lines begin a document.
 */
import { DataError } from "../errors.ts";
import { readText, streamLines } from "./files.ts";
import type { Split } from "./task.ts";

export interface NerSentence {
  readonly id: string;
  /** Document of the sentence, where the file marks documents. */
  readonly document?: string;
  readonly tokens: readonly string[];
  /** "O", "B" or "I", with "-TYPE" where the file has types. */
  readonly tags: readonly string[];
}

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
    if (!/^(?:O|[BI](?:-.+)?)$/.test(tag) || token === "") {
      throw new DataError(`${where}:${number}: expected token, tab, O, B or I, got "${line.slice(0, 60)}"`);
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
export async function* streamIob(path: string): AsyncGenerator<NerSentence> {
  const parse = createParser(path);
  for await (const line of streamLines(path)) {
    const sentence = parse(line);
    if (sentence !== undefined) yield sentence;
  }
  const last = parse("");
  if (last !== undefined) yield last;
}

/** One split of a folder of train.tsv, dev.tsv and test.tsv; the typed devel.tsv of JNLPBA is left out. */
export async function readNer(folder: string, split: Split): Promise<NerSentence[]> {
  const path = `${folder}/${split === "valid" ? "dev" : split}.tsv`;
  return parseIob(await readText(path), path);
}

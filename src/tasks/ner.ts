/**
 * Named-entity files in IOB2, `token<TAB>tag` a line, sentences parted by blank lines (BC5CDR-chem, BC5CDR-disease,
 * NCBI-disease, BC2GM, JNLPBA as BLURB's predecessors hand them round). `-DOCSTART- id` lines begin a document.
 */
import { DataError } from "../errors.ts";
import { readText } from "./files.ts";
import type { Split } from "./task.ts";

export interface NerSentence {
  readonly id: string;
  /** Document of the sentence, where the file marks documents. */
  readonly document?: string;
  readonly tokens: readonly string[];
  /** "O", "B" or "I", with "-TYPE" where the file has types. */
  readonly tags: readonly string[];
}

/** Sentences in the file's order. @throws DataError that names a line whose tag is not IOB. */
export function parseIob(text: string, where = "IOB"): NerSentence[] {
  const sentences: NerSentence[] = [];
  let document: string | undefined;
  let tokens: string[] = [];
  let tags: string[] = [];
  const close = (): void => {
    if (tokens.length === 0) return;
    const id = `${sentences.length + 1}`;
    sentences.push(document === undefined ? { id, tokens, tags } : { id, document, tokens, tags });
    [tokens, tags] = [[], []];
  };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith("-DOCSTART-")) {
      close();
      document = line.slice("-DOCSTART-".length).split("\t")[0]?.trim();
    } else if (line.trim() === "") {
      close();
    } else {
      const [token = "", tag = ""] = [line.split("\t")[0], line.split("\t").at(-1)];
      if (!/^(?:O|[BI](?:-.+)?)$/.test(tag) || token === "") {
        throw new DataError(`${where}:${i + 1}: expected token, tab, O, B or I, got "${line.slice(0, 60)}"`);
      }
      tokens.push(token);
      tags.push(tag);
    }
  }
  close();
  return sentences;
}

/** One split of a folder of train.tsv, dev.tsv and test.tsv; the typed devel.tsv of JNLPBA is left out. */
export async function readNer(folder: string, split: Split): Promise<NerSentence[]> {
  const path = `${folder}/${split === "valid" ? "dev" : split}.tsv`;
  return parseIob(await readText(path), path);
}

/** A tokenizer learned on from documents on disk, in a folder of its own, with what that changes. */
import { openOutput } from "../io/outputs.ts";
import { loadTokenizer, saveExtended } from "../tokenizers/files.ts";
import { extendTokenizer, tokenizerFileNames } from "../tokenizers/registry.ts";
import { readDocuments, type ReadDocumentsOptions, refuseBareNotes } from "./documents.ts";
import { type ExtensionReport, reportExtension } from "./extension-report.ts";
import { titleAndText } from "./text.ts";
import { isHeldOut } from "./tokenize.ts";

export interface ExtendFromDocumentsOptions extends Pick<ReadDocumentsOptions, "signal" | "onFailure" | "columns"> {
  /** Folder to make. */
  readonly output: string;
  /** How many tokens to learn. */
  readonly tokens: number;
  /** Share of documents, chosen by a hash of their id and the seed, that figures are of and nothing is learned from. */
  readonly heldOut: number;
  readonly seed: number;
  /** Documents of other texts, which should change little. */
  readonly general?: readonly string[] | undefined;
  /** Replace a tokenizer that is there. */
  readonly overwrite?: boolean | undefined;
  /** Documents so far; `read`: that was all, and learning begins. */
  readonly onProgress?: ((progress: { readonly documents: number; readonly read: boolean }) => void) | undefined;
}

export interface ExtendedFromDocuments extends ExtensionReport {
  /** Names of the files that were written. */
  readonly files: readonly string[];
  readonly documents: { readonly learned: number; readonly heldOut: number };
}

/** Most characters of texts that are kept for figures; of more, the first. */
const mostKept = 32 << 20;

/**
 * Learns `tokens` more from titles and texts behind the vocabulary of `source`, and writes the tokenizer in the files that
 * it has. What is there stays until the new one is learned.
 * @throws ConfigError where the folder holds something else; DataError where documents cannot be read, or are too few.
 */
export async function extendFromDocuments(
  source: string,
  inputs: readonly string[],
  { output, tokens, heldOut, seed, general = [], overwrite, onProgress, ...reading }: ExtendFromDocumentsOptions,
): Promise<ExtendedFromDocuments> {
  const names = [...tokenizerFileNames, "tokenizer.model"];
  const rules = { kind: "a tokenizer", names, inputs: [source, ...inputs, ...general], overwrite };
  await using claimed = await openOutput(output, rules);
  await refuseBareNotes(inputs);
  const base = await loadTokenizer(source);
  const kept = keeper();
  const documents = { learned: 0, heldOut: 0 };
  async function* texts(): AsyncGenerator<string> {
    for await (const document of readDocuments(inputs, reading)) {
      onProgress?.({ documents: documents.learned + documents.heldOut, read: false });
      if (isHeldOut(document.id, heldOut, seed) && kept.add(titleAndText(document))) {
        documents.heldOut += 1;
        continue;
      }
      documents.learned += 1;
      if (document.title !== "") yield document.title;
      yield document.text;
    }
    onProgress?.({ documents: documents.learned + documents.heldOut, read: true });
  }
  const extended = await extendTokenizer(base, texts(), { tokens });
  const other = await readGeneral(general, reading);
  const report = reportExtension(base, extended, { domain: kept.texts, general: other });
  await claimed.clear();
  const files = await saveExtended(extended, source, output);
  return { ...report, files, documents };
}

async function readGeneral(paths: readonly string[], reading: ReadDocumentsOptions): Promise<readonly string[]> {
  const kept = keeper();
  if (paths.length === 0) return kept.texts;
  for await (const document of readDocuments(paths, reading)) if (!kept.add(titleAndText(document))) break;
  return kept.texts;
}

/** Texts as long as there is room; `add` says whether one was taken. */
function keeper(): { readonly texts: readonly string[]; add(text: string): boolean } {
  const texts: string[] = [];
  let length = 0;
  return {
    texts,
    add(text) {
      if (text.trim() === "" || length + text.length > mostKept) return false;
      length += text.length;
      texts.push(text);
      return true;
    },
  };
}

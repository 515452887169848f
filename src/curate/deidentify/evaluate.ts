/** Labelled notes, the identifiers that rules and a tagger find in them, and the scores of that. */
import * as z from "zod";
import { DataError } from "../../errors.ts";
import { streamJsonLines } from "../../io/json.ts";
import { identifierClasses } from "./classes.ts";
import { type FindOptions, findIdentifiers } from "./find.ts";
import { type DeidentificationScore, scoreDeidentification, type ScoredNote } from "./score.ts";
import type { Tagger } from "../../labellers.ts";

const labelled = z.object({
  id: z.union([z.string(), z.number()]).transform(String).optional(),
  text: z.string(),
  /** UTF-16 code units, the end exclusive. */
  identifiers: z.array(
    z.object({ class: z.enum(identifierClasses), start: z.int().nonnegative(), end: z.int().positive() }),
  ),
});

export interface EvaluateDeidentificationOptions extends Omit<FindOptions, "more"> {
  /** Beside the rules. */
  readonly tagger?: Tagger | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((notes: number) => void) | undefined;
}

/**
 * Scores of the notes in a file of JSON lines: `{"text", "identifiers": [{"class", "start", "end"}]}`.
 * @throws DataError that names the line.
 */
export async function evaluateDeidentification(
  path: string,
  { tagger, signal, onProgress, ...options }: EvaluateDeidentificationOptions = {},
): Promise<DeidentificationScore> {
  const { checkLabels, findByTagger } = await import("./tagger.ts");
  if (tagger !== undefined) checkLabels(tagger, "evaluateDeidentification: tagger");
  const notes: ScoredNote[] = [];
  for await (const note of streamJsonLines(path, labelled)) {
    signal?.throwIfAborted();
    const { id = String(notes.length + 1), text, identifiers } = note;
    const bad = identifiers.find(({ start, end }) => start >= end || end > text.length);
    if (bad !== undefined) {
      throw new DataError(
        `${path}: note ${id}: expected identifiers within its ${text.length} characters, got ${bad.start} to ${bad.end}`,
      );
    }
    const more = tagger === undefined ? undefined : (await findByTagger(tagger, [text]))[0];
    notes.push({ id, text, gold: identifiers, found: findIdentifiers(text, { ...options, more }) });
    onProgress?.(notes.length);
  }
  if (notes.length === 0) throw new DataError(`${path}: expected labelled notes, got none`);
  return scoreDeidentification(notes);
}

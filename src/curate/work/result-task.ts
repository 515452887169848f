/** The last step on a shard: documents as often as the mixture wants them. */
import { join } from "node:path";
import { type CorpusDocument, wholeText } from "../../corpus/corpus-document.ts";
import { charactersOf } from "../../corpus/document-shards.ts";
import * as z from "zod";
import { fileSha256 } from "../../io/fingerprint.ts";
import { wordsOf } from "./count-words.ts";
import { type Amount, noAmount, plus, stageMarker } from "./marker.ts";
import { createProfile, noProfile, profile } from "./profile.ts";
import { newShard } from "./shard-file.ts";
import { readAlive, type ShardState } from "./shard-state.ts";
import { addTerms, biasGroups, countTerms, type TermCounts } from "../report/terms.ts";
import { random } from "../../tensor/random.ts";
import { hash128 } from "./hash.ts";

export const resultMarker = z.object({
  /** Copies counted. */
  out: stageMarker.shape.out,
  file: stageMarker.shape.file,
  profile,
  /** How often terms stand in what is left, by group. */
  terms: z.record(z.enum(biasGroups), z.record(z.string(), z.int())),
  /** Notes, and those of them that were de-identified. */
  notes: z.int(),
  deidentified: z.int(),
});
export type ResultMarker = z.output<typeof resultMarker>;

/** How often a document comes: a pure function of seed and id, `repeat` on the mean. */
export function copiesOf(id: string, repeat: number, seed: number): number {
  const whole = Math.floor(repeat);
  if (repeat === whole) return whole;
  return whole + Number(random(seed, ...hash128(id)).next() < repeat - whole);
}

function* copies(document: CorpusDocument, count: number): Generator<CorpusDocument> {
  for (let i = 1; i <= count; i++) yield i === 1 ? document : { ...document, id: `${document.id}#${i}` };
}

interface ResultArguments {
  readonly path: string;
  readonly repeat: number;
  /** Whether a report will show what is in the result. */
  readonly reported: boolean;
}

/** Writes a shard of the result. */
export async function writeResult(
  state: ShardState,
  { path, repeat, seed, reported }: ResultArguments & { readonly seed: number },
  { output, createdBy }: { readonly output: string; readonly createdBy: string },
): Promise<ResultMarker> {
  // What is all there, once, need not be written again.
  const isWhole = repeat === 1 && state.verdicts.length === 0;
  if (isWhole && !reported && !state.kinds.includes("clinical-notes")) {
    const there = { path: state.file, ...(await fileSha256(join(output, state.file))) };
    return { out: state.amount, file: there, profile: noProfile, terms: addTerms([]), notes: 0, deidentified: 0 };
  }
  const file = isWhole ? undefined : await newShard(output, path, createdBy);
  let out: Amount = noAmount;
  const counted = createProfile();
  let terms: TermCounts[] = [];
  let [notes, deidentified] = [0, 0];
  try {
    for await (const { documents } of readAlive(output, state)) {
      for (const document of documents) {
        const count = copiesOf(document.id, repeat, seed);
        const words = wordsOf(document);
        await file?.add([...copies(document, count)]);
        out = plus(out, { documents: count, words: words * count, characters: charactersOf(document) * count });
        if (count === 0) continue;
        counted.add(document, count);
        if (reported) {
          const own = countTerms(wholeText(document));
          for (let i = 0; i < count; i++) terms.push(own);
          if (terms.length > 1000) terms = [addTerms(terms)];
        }
        if (document.kind !== "clinical-notes") continue;
        notes += count;
        if (document.metadata["deidentified"] !== undefined) deidentified += count;
      }
    }
    const { file: whole } = state;
    const made = (await file?.finish()) ?? { path: whole, ...(await fileSha256(join(output, whole))) };
    return { out, file: made, profile: counted.done(), terms: addTerms(terms), notes, deidentified };
  } catch (error) {
    await file?.abandon();
    throw error;
  }
}

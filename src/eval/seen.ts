/**
 * What a model's training texts hold of benchmarks' examples, looked for once and kept: a file of a hash an example, so
 * that other runs, and other models that read the same texts, need not read them again. It holds no text.
 */
import * as z from "zod";
import { leastWords } from "../corpus/ngram-index.ts";
import { describeFailure, readDocuments } from "../corpus/documents.ts";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "../io/files.ts";
import { fingerprintOf } from "../io/fingerprint.ts";
import { readJson } from "../io/json.ts";
import { contaminationText } from "../tasks/benchmark.ts";
import {
  findOverlaps,
  type Overlap,
  overlapOf,
  type OverlapOptions,
  overlapRule,
  type OverlapSet,
  type Seen,
} from "./contamination.ts";

/** Its name in a suite's output. */
export const seenFileName = "seen.json";

export interface SeenTexts extends Seen {
  /** Records of the texts that could not be read, and the first of these. */
  readonly unread: number;
  readonly failures: readonly string[];
}

const mostFailures = 20;
const count = z.int().min(0);
const seenSchema = z.object({
  format: z.literal("galen-seen-1"),
  rule: z.object({ inARow: z.int(), share: z.number(), run: z.int() }),
  texts: z.object({ documents: z.int().min(1), characters: count, digest: z.string() }),
  unread: count,
  failures: z.array(z.string()).max(mostFailures),
  /** By the hash of an example's text: its words, the most of them in a row, and the runs of eight that were found. */
  examples: z.record(z.string(), z.tuple([count, count, count])),
});

const keyOf = ({ benchmark }: OverlapSet, example: OverlapSet["examples"][number]): string =>
  fingerprintOf(contaminationText(benchmark, example));

/**
 * Looks for the examples in files and folders of texts, or in what was kept of that in one file, NAME.json. What cannot
 * be read is counted, and does not stop the rest.
 * @throws ConfigError where the file was made for other examples, DataError where there is nothing to read.
 */
export async function seenIn(
  sets: readonly OverlapSet[],
  paths: readonly string[],
  options: OverlapOptions = {},
): Promise<SeenTexts> {
  const [path] = paths;
  if (paths.length === 1 && path!.endsWith(".json")) return readSeen(path!, sets);
  const failures: string[] = [];
  let unread = 0;
  const documents = readDocuments(paths, {
    signal: options.signal,
    onFailure(failure) {
      unread += 1;
      if (failures.length < mostFailures) failures.push(describeFailure(failure));
    },
  });
  return { ...(await findOverlaps(sets, documents, options)), unread, failures };
}

async function readSeen(path: string, sets: readonly OverlapSet[]): Promise<SeenTexts> {
  const hint = `galen evaluate suite --seen TEXTS --output DIR writes it as DIR/${seenFileName}`;
  const { rule, examples, texts, unread, failures } = await readJson(path, seenSchema, hint);
  if (JSON.stringify(rule) !== JSON.stringify(overlapRule)) {
    throw new ConfigError(`${path}: expected what ${JSON.stringify(overlapRule)} found, got ${JSON.stringify(rule)}`, {
      hint: "look through the texts again: --seen TEXTS",
    });
  }
  const overlaps = sets.map((set) =>
    set.examples.map((example): Overlap => {
      const found = examples[keyOf(set, example)];
      if (found !== undefined) return overlapOf(...found);
      throw new ConfigError(`${path}: expected what the texts hold of "${example.id}", got nothing of it`, {
        hint: "the file is of other benchmarks, or of fewer examples: look through the texts again, --seen TEXTS",
      });
    }),
  );
  return { texts, unread, failures, overlaps };
}

/** Keeps what was found. */
export async function writeSeen(path: string, sets: readonly OverlapSet[], seen: SeenTexts): Promise<void> {
  const { overlaps, ...about } = seen;
  const examples = Object.fromEntries(
    sets.flatMap((set, i) =>
      set.examples.map((example, k) => {
        const { words, longest, share } = overlaps[i]![k]!;
        return [keyOf(set, example), [words, longest, Math.round(share * Math.max(0, words - leastWords + 1))]];
      }),
    ),
  );
  await writeFileAtomically(
    path,
    `${JSON.stringify({ format: "galen-seen-1", rule: overlapRule, ...about, examples })}\n`,
  );
}

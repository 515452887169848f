/**
 * Log-probabilities of completions by the model that a training starts from: computed once, before the first update, and
 * kept in the run's folder, so that a run that is gone on with compares with the same numbers.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { DataError } from "../../errors.ts";
import { Graph } from "../../graph/graph.ts";
import { fingerprintOf } from "../../io/fingerprint.ts";
import { readText, writeFileAtomically } from "../../io/files.ts";
import { byTokens, sliceRows } from "../../runtime/batching.ts";
import { openNetwork } from "../../runtime/network.ts";
import type { Session } from "../../runtime/session.ts";
import { checked, parsedJson } from "../../schema.ts";
import { type Branching, completionFeeds, completionScores, tokensOf } from "./completions.ts";
import type { Context } from "./objective.ts";
import type { Source } from "./source.ts";

export const referenceFile = "reference.json";

const schema = z.object({ fingerprint: z.string(), scores: z.array(z.array(z.array(z.number()))) });

/** Rows at most that are computed together. */
const rowsAtOnce = 32;

type Reference = Pick<Source, "folder" | "family" | "config" | "entries">;

/**
 * Scores of each branch of every row, list by list.
 * @throws DataError where the run's folder has those of other completions or weights.
 */
export async function referenceScores(
  source: Reference,
  lists: readonly (readonly Branching[])[],
  context: Pick<Context, "output" | "device" | "resume" | "provenance" | "signal" | "reading">,
): Promise<number[][][]> {
  const path = join(context.output, referenceFile);
  const fingerprint = fingerprintOf(JSON.stringify(context.provenance["base"] ?? null), JSON.stringify(lists));
  if (context.resume && existsSync(path)) {
    const kept = checked(schema, parsedJson(await readText(path), path), path, DataError);
    if (kept.fingerprint === fingerprint) return kept.scores;
    throw new DataError(`${path}: expected scores of this run's completions, got those of others`, {
      hint: "start a run of its own, with another --output",
    });
  }
  const session = await openReference(source, context);
  try {
    const scores: number[][][] = [];
    const done = { documents: 0, tokens: 0 };
    for (const rows of lists) scores.push(await scoresOf(session, rows, source, { ...context, done }));
    await writeFileAtomically(path, `${JSON.stringify({ fingerprint, scores })}\n`);
    return scores;
  } finally {
    await session.dispose();
  }
}

function openReference(source: Reference, { device }: Pick<Context, "device">): Promise<Session> {
  const g = new Graph();
  g.output("scores", completionScores(g, source, "C").scores_C);
  return openNetwork(g, source.entries, source.folder, { device }, () => {
    throw new DataError("reference: expected weights as they are stored"); // no format that would ask for a sample
  });
}

async function scoresOf(
  session: Session,
  rows: readonly Branching[],
  { config }: Reference,
  { signal, reading, done }: Pick<Context, "signal" | "reading"> & { done: { documents: number; tokens: number } },
): Promise<number[][]> {
  const found: number[][] = rows.map(() => []);
  const sized = rows.map((row) => ({ row, length: tokensOf(row) }));
  for (const places of byTokens(sized, rowsAtOnce)) {
    signal?.throwIfAborted();
    const some = sliceRows(rows, places);
    const { scores } = await session.run(completionFeeds(some, config.pad_token_id ?? 0));
    let next = 0;
    for (const [i, place] of places.entries()) {
      found[place] = some[i]!.branches.map(() => Number(scores!.data[next++]));
      done.tokens += tokensOf(some[i]!);
    }
    done.documents += places.length;
    reading(done);
  }
  return found;
}

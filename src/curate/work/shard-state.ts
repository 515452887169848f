/** Where a shard of documents stands between stages: the file that holds it, and who was dropped since that was written. */
import { join } from "node:path";
import * as z from "zod";
import { readDocumentGroups } from "../../corpus/document-shards.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { readJson } from "../../io/json.ts";
import { type Amount, type StageMarker, stageMarker } from "./marker.ts";

/** Paths are relative to the output folder. */
export interface ShardState {
  readonly name: string;
  readonly source: string;
  readonly kinds: readonly string[];
  readonly file: string;
  /** Markers of the stages since, which dropped rows of the file. */
  readonly verdicts: readonly string[];
  readonly amount: Amount;
  readonly bytes: number;
}

/** The state behind a stage whose marker is at `path`. */
export function advance(state: ShardState, path: string, marker: StageMarker): ShardState {
  if (marker.file !== undefined) {
    const { path: file, bytes } = marker.file;
    return { ...state, file, bytes, verdicts: [], amount: marker.out };
  }
  const verdicts = marker.dropped.length === 0 ? state.verdicts : [...state.verdicts, path];
  return { ...state, verdicts, amount: marker.out };
}

export interface AliveGroup {
  readonly documents: readonly CorpusDocument[];
  /** Of each document its row in the file. */
  readonly rows: readonly number[];
}

const droppedRows = z.object({ dropped: stageMarker.shape.dropped });

/** Rows of a shard's file that are no longer there. */
export async function droppedOf(output: string, { verdicts }: Pick<ShardState, "verdicts">): Promise<Set<number>> {
  const dropped = new Set<number>();
  for (const path of verdicts) {
    for (const row of (await readJson(join(output, path), droppedRows)).dropped) dropped.add(row);
  }
  return dropped;
}

/** The documents that are still there, a row group at a time; with `only`, those fields of them. */
export async function* readAlive(
  output: string,
  state: ShardState,
  only?: readonly (keyof CorpusDocument)[],
): AsyncGenerator<AliveGroup> {
  const dropped = await droppedOf(output, state);
  let row = 0;
  for await (const group of readDocumentGroups(join(output, state.file), only)) {
    const rows = group.map((_, i) => row + i);
    row += group.length;
    if (dropped.size === 0) yield { documents: group, rows };
    else {
      const alive = rows.filter((one) => !dropped.has(one));
      yield { documents: alive.map((one) => group[one - rows[0]!]!), rows: alive };
    }
  }
}

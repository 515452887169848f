/**
 * What stands in several documents, on disk: each shard's keys are sorted (`collectKeys`); a range of all keys is gone through at
 * a time, and says who loses against whom, or which documents belong together (`compareKeys`); then each shard is told
 * (`applyLosses`). As in FineWeb's MinHash: signatures, buckets, clusters, filter; but a range is as small as memory wants.
 */
import { join } from "node:path";
import * as z from "zod";
import { readDocumentGroups } from "../../corpus/document-shards.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { readJson } from "../../io/json.ts";
import { fullRange } from "./ranges.ts";
import type { Shard, StageMarker } from "./marker.ts";
import { createTally, excerpt, isShowable } from "./tally.ts";
import { isForDocument, markerPath } from "./map-task.ts";
import type { PlannedStage } from "../pipeline.ts";
import { agree, readRange, Records, writeRecords } from "./records.ts";
import { newShard } from "./shard-file.ts";
import { readAlive, type ShardState } from "./shard-state.ts";
import type { KeyedStage, Member, OpenKeyedStage, Outcome } from "../stage.ts";

export const keyWidth = 6; // four words of key, row, part
export const lossWidth = 5; // shard, row, part, shard and row of the winner; all ones where there is none
const none = 0xffff_ffff;

export const counted = z.object({ records: z.int().nonnegative() });
export type Counted = z.output<typeof counted>;

/** The shards of a step, in the corpus's order, as a file of its folder lists them. */
export const shardList = z.array(
  z.object({
    name: z.string(),
    source: z.string(),
    kinds: z.array(z.string()),
    file: z.string(),
    verdicts: z.array(z.string()),
    amount: z.object({ documents: z.int(), words: z.int(), characters: z.int() }),
    bytes: z.int(),
  }),
);

export interface KeyedSettings {
  readonly output: string;
  readonly createdBy: string;
  readonly planned: PlannedStage;
  /** Of its markers. */
  readonly folder: string;
  readonly stage: KeyedStage<unknown>;
  readonly open: OpenKeyedStage;
}

/** Writes a shard's keys. `deletions`: keys of documents that were withdrawn, behind so many rows. */
export async function collectKeys(
  state: ShardState,
  path: string,
  settings: KeyedSettings,
  deletions: Shard["deletions"] = [],
): Promise<Counted> {
  const { output, open, planned, stage } = settings;
  const records = new Records(keyWidth);
  const emit = (key: ArrayLike<number>, row: number, part: number): void => {
    const at = records.grow();
    for (let i = 0; i < 4; i++) records.words[at + i] = key[i]!;
    records.words[at + 4] = row;
    records.words[at + 5] = part;
  };
  for await (const { documents, rows } of readAlive(output, state, stage.reads)) {
    for (const [i, document] of documents.entries()) {
      if (isForDocument(planned, document)) open.keys(document, (key, part) => emit(key, rows[i]!, part));
    }
  }
  for (const { id, before } of deletions) open.withdrawn?.(id, (key, part) => emit(key, before, part));
  const sorted = records.sorted();
  await writeRecords(join(output, path), sorted);
  return { records: sorted.length };
}

/** Goes through one of `parts` ranges of all keys; writes losses, or edges where documents are linked. */
export async function compareKeys(
  keyFiles: readonly string[],
  range: { readonly index: number; readonly parts: number },
  path: string,
  { output, stage }: Pick<KeyedSettings, "output" | "stage">,
): Promise<Counted> {
  const [from, to] = fullRange(range);
  const all = new Records(keyWidth + 1); // key, shard, row, part
  for (const [shard, file] of keyFiles.entries()) {
    const own = await readRange(join(output, file), keyWidth, from, to);
    for (let i = 0; i < own.length; i++) {
      const at = all.grow();
      for (let word = 0; word < 4; word++) all.words[at + word] = own.word(i, word);
      all.words[at + 4] = shard;
      all.words[at + 5] = own.word(i, 4);
      all.words[at + 6] = own.word(i, 5);
    }
  }
  const sorted = all.sorted();
  const isLinked = stage.join === "linked";
  const found = new Records(isLinked ? edgeWidth : lossWidth);
  for (let start = 0, end = 1; start < sorted.length; start = end, end = start + 1) {
    while (end < sorted.length && agree(sorted, start, end, 4)) end += 1;
    if (end - start < 2 && isLinked) continue;
    const group = Array.from({ length: end - start }, (_, i): Member => {
      return { shard: sorted.word(start + i, 4), row: sorted.word(start + i, 5), part: sorted.word(start + i, 6) };
    });
    if (stage.join === "linked") linkAll(group, found);
    else {
      for (const [loser, winner] of stage.join(group)) {
        const { shard, row, part } = group[loser]!;
        const other = winner === undefined ? undefined : group[winner]!;
        found.push(shard, row, part, other?.shard ?? none, other?.row ?? none);
      }
    }
  }
  const result = found.sorted();
  await writeRecords(join(output, path), result);
  return { records: result.length };
}

export const edgeWidth = 4; // two documents, each by shard and row

/** Each document of a group with the one before it: enough for all to be one cluster. */
function linkAll(group: readonly Member[], edges: Records): void {
  for (let i = 1; i < group.length; i++) {
    const [a, b] = [group[i - 1]!, group[i]!];
    if (a.shard !== b.shard || a.row !== b.row) edges.push(a.shard, a.row, b.shard, b.row);
  }
}

/** Tells a shard what it lost. */
export async function applyLosses(
  index: number,
  states: readonly ShardState[],
  lossFiles: readonly string[],
  settings: KeyedSettings,
): Promise<StageMarker> {
  const { output, createdBy, folder, stage, open } = settings;
  const state = states[index]!;
  const parts = new Map<number, number[]>();
  const winners = new Map<number, readonly [shard: number, row: number]>();
  for (const path of lossFiles) {
    const losses = await readRange(join(output, path), lossWidth, index, index + 1);
    for (let i = 0; i < losses.length; i++) {
      const row = losses.word(i, 1);
      parts.set(row, [...(parts.get(row) ?? []), losses.word(i, 2)]);
      if (losses.word(i, 3) !== none) winners.set(row, [losses.word(i, 3), losses.word(i, 4)]);
    }
  }
  if (parts.size === 0) return untouched(state);
  const tally = createTally();
  const dropped: number[] = [];
  const rowOf = new Map<string, number>();
  const path = markerPath(folder, state.name);
  const file = stage.rewrites ? await newShard(output, path.replace(/json$/, "parquet"), createdBy) : undefined;
  try {
    for await (const { documents, rows } of readAlive(output, state)) {
      const left: CorpusDocument[] = [];
      for (const [i, document] of documents.entries()) {
        const row = rows[i]!;
        const own = parts.get(row)?.toSorted((a, b) => a - b);
        const lost = (parts: readonly number[]): Outcome =>
          open.apply?.(document, parts, winners.has(row)) ?? { keep: false, rule: stage.rule };
        const outcome: Outcome = own === undefined ? { keep: true } : lost(own);
        tally.add(document, outcome);
        if (outcome.keep) left.push(outcome.document ?? document);
        else {
          dropped.push(row);
          rowOf.set(document.id, row);
        }
      }
      await file?.add(left);
    }
    const marker = tally.marker(file === undefined ? dropped : [], await file?.finish());
    return await besideWinners(marker, states, output, (id) => winners.get(rowOf.get(id) ?? -1));
  } catch (error) {
    await file?.abandon();
    throw error;
  }
}

/** Of a shard that lost nothing, which need not be read for that. */
function untouched({ amount }: ShardState): StageMarker {
  return { in: amount, out: amount, drops: {}, changes: {}, kept: [], dropped: [] };
}

/** Shows examples of dropped documents beside those that they lost against. */
async function besideWinners(
  marker: StageMarker,
  states: readonly ShardState[],
  output: string,
  winnerOf: (id: string) => readonly [shard: number, row: number] | undefined,
): Promise<StageMarker> {
  const drops: Record<string, StageMarker["drops"][string]> = {};
  for (const [rule, drop] of Object.entries(marker.drops)) {
    const examples = [];
    for (const example of drop.examples) {
      const place = winnerOf(example.id);
      const winner = place === undefined ? undefined : await documentAt(join(output, states[place[0]]!.file), place[1]);
      if (winner === undefined) examples.push(example);
      else {
        const after = isShowable(winner) && example.text !== undefined ? excerpt(winner) : undefined;
        examples.push({ ...example, detail: `of ${winner.id}`, ...(after === undefined ? {} : { after }) });
      }
    }
    drops[rule] = { ...drop, examples };
  }
  return { ...marker, drops };
}

async function documentAt(path: string, row: number): Promise<CorpusDocument | undefined> {
  let first = 0;
  for await (const group of readDocumentGroups(path)) {
    if (row < first + group.length) return group[row - first];
    first += group.length;
  }
  return undefined;
}

/** The list of a step's shards. */
export function readShardList(output: string, path: string): Promise<ShardState[]> {
  return readJson(join(output, path), shardList);
}

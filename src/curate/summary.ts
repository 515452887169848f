/** What a pipeline did, as `report.json` holds it: the sum of all markers, which is what the page of the report shows. */
import { basename, join } from "node:path";
import * as z from "zod";
import { readJson } from "../io/json.ts";
import { type Amount, type ImportMarker, noAmount, plus, type StageMarker, stageMarker } from "./work/marker.ts";
import type { CorpusPipeline } from "./pipeline.ts";
import { merge, noProfile, profile } from "./work/profile.ts";
import { addTerms } from "./report/terms.ts";
import { type ResultMarker, resultMarker } from "./work/result-task.ts";
import type { ShardState } from "./work/shard-state.ts";
import { stageAt, updatesIndex } from "./work/tasks.ts";

/** Examples of a rule that a report shows. */
const examplesEach = 6;

const amount = stageMarker.shape.out;
const flow = z.object({ in: amount, out: amount });
const stage = z.object({
  name: z.string(),
  about: z.string(),
  settings: z.unknown(),
  for: z.array(z.string()).optional(),
  in: amount,
  out: amount,
  bySource: z.record(z.string(), flow),
  drops: stageMarker.shape.drops,
  /** Documents that a rule dropped, by source. */
  dropsBySource: z.record(z.string(), z.record(z.string(), z.int())),
  changes: stageMarker.shape.changes,
  kept: stageMarker.shape.kept,
});

export const summarySchema = z.object({
  format: z.literal("galen-corpus-report"),
  version: z.literal(1),
  pipeline: z.object({ file: z.string(), seed: z.int(), mixture: z.unknown() }),
  sources: z.array(
    z.object({
      name: z.string(),
      kinds: z.array(z.string()),
      files: z.int(),
      bytes: z.int(),
      read: amount,
      failures: z.int(),
      firstFailures: z.array(z.string()),
      /** Parts of documents that were not asked for, by type. */
      leftOut: z.record(z.string(), z.int()).default({}),
      deletions: z.int(),
      out: amount,
      repeat: z.number(),
    }),
  ),
  stages: z.array(stage),
  datasheet: z.record(z.string(), z.string()),
  before: profile,
  after: profile,
  /** How often terms stand in what is left of each source. */
  terms: z.record(z.string(), resultMarker.shape.terms),
  /** Of the stage that de-identifies: scores on labelled notes, as "galen evaluate deidentification --output" wrote them. */
  deidentification: z.unknown().optional(),
  result: z.object({ amount, notes: z.int(), deidentified: z.int() }),
});
export type CorpusSummary = z.output<typeof summarySchema>;
type StageSummary = z.output<typeof stage>;

/** What a run left in its folder. @throws DataError where there is none. */
export function readSummary(output: string): Promise<CorpusSummary> {
  return readJson(join(output, "report.json"), summarySchema, 'name a folder that "galen corpus run" finished');
}

export interface SummaryBuilder {
  add(index: number, state: Pick<ShardState, "source">, marker: StageMarker): void;
  finish(
    states: readonly ShardState[],
    markers: readonly ResultMarker[],
    repeats: ReadonlyMap<string, number>,
  ): CorpusSummary;
}

/** Adds up markers, which come in the corpus's order. */
export function createSummary(pipeline: CorpusPipeline, imports: readonly ImportMarker[]): SummaryBuilder {
  const stages = new Map<number, StageSummary>();
  for (let i = updatesIndex; i < pipeline.stages.length; i++) {
    const { stage: kind, settings, for: only } = stageAt(pipeline, i);
    stages.set(i, {
      name: kind.name,
      about: kind.about,
      settings,
      ...(only === undefined ? {} : { for: [...only] }),
      in: noAmount,
      out: noAmount,
      bySource: {},
      drops: {},
      dropsBySource: {},
      changes: {},
      kept: [],
    });
  }
  return {
    add(index, { source }, marker) {
      const found = stages.get(index)!;
      found.in = plus(found.in, marker.in);
      found.out = plus(found.out, marker.out);
      const flowed = found.bySource[source] ?? { in: noAmount, out: noAmount };
      found.bySource[source] = { in: plus(flowed.in, marker.in), out: plus(flowed.out, marker.out) };
      for (const [rule, { documents, words, examples }] of Object.entries(marker.drops)) {
        const sum = (found.drops[rule] ??= { documents: 0, words: 0, examples: [] });
        sum.documents += documents;
        sum.words += words;
        addExamples(sum.examples, examples);
        const bySource = (found.dropsBySource[rule] ??= {});
        bySource[source] = (bySource[source] ?? 0) + documents;
      }
      for (const [rule, { documents, times, examples }] of Object.entries(marker.changes)) {
        const sum = (found.changes[rule] ??= { documents: 0, times: 0, examples: [] });
        sum.documents += documents;
        sum.times += times;
        addExamples(sum.examples, examples);
      }
      addExamples(found.kept, marker.kept);
    },
    finish(states, markers, repeats) {
      const shards = imports.flatMap((one) => one.shards);
      const outBy = new Map<string, Amount>();
      for (const [i, { source }] of states.entries()) {
        outBy.set(source, plus(outBy.get(source) ?? noAmount, markers[i]!.out));
      }
      const { file, seed, mixture, sources } = pipeline;
      return {
        format: "galen-corpus-report",
        version: 1,
        pipeline: { file: basename(file), seed, mixture: mixture ?? null },
        sources: Object.keys(sources).map((name) => {
          const own = imports.filter((one) => one.source === name);
          const ownShards = shards.filter(({ source }) => source === name);
          const counted = own.flatMap(({ files }) => files);
          return {
            name,
            kinds: [...new Set(ownShards.flatMap(({ kinds }) => kinds))].sort(),
            files: counted.length,
            bytes: counted.reduce((sum, { bytes }) => sum + bytes, 0),
            read: ownShards.reduce((sum, shard) => plus(sum, shard.amount), noAmount),
            failures: own.reduce((sum, { failures }) => sum + failures, 0),
            firstFailures: own.flatMap(({ firstFailures }) => firstFailures).slice(0, examplesEach),
            leftOut: sumOf(own.map(({ leftOut }) => leftOut)),
            deletions: ownShards.reduce((sum, { deletions }) => sum + deletions.length, 0),
            out: outBy.get(name) ?? noAmount,
            repeat: repeats.get(name) ?? 0,
          };
        }),
        stages: [...stages.values()],
        datasheet: pipeline.datasheet as Record<string, string>,
        before: merge(noProfile, ...imports.map((one) => one.profile)),
        after: merge(noProfile, ...markers.map((one) => one.profile)),
        terms: Object.fromEntries(
          Object.keys(sources).map((name) => {
            return [name, addTerms(markers.filter((_, i) => states[i]!.source === name).map((one) => one.terms))];
          }),
        ),
        result: {
          amount: markers.reduce((sum, { out }) => plus(sum, out), noAmount),
          notes: markers.reduce((sum, { notes }) => sum + notes, 0),
          deidentified: markers.reduce((sum, { deidentified }) => sum + deidentified, 0),
        },
      };
    },
  };
}

function sumOf(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum = new Map<string, number>();
  for (const [key, value] of counts.flatMap((one) => Object.entries(one))) sum.set(key, (sum.get(key) ?? 0) + value);
  return Object.fromEntries([...sum].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function addExamples<T>(to: T[], from: readonly T[]): void {
  to.push(...from.slice(0, examplesEach - to.length));
}

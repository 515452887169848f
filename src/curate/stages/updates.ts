/**
 * Updates and withdrawals: of documents with the same id the newest version stays, and of the same version what came last; what
 * a publisher withdrew goes, unless it came again. Every pipeline begins with it.
 */
import * as z from "zod";
import { hash128 } from "../work/hash.ts";
import type { KeyedStage, Losses, Member } from "../stage.ts";

/** Withdrawals come before a document with the same id in the same place: they were read before it. */
const withdrawn = 1;
const mostVersions = 0x7fff_fffe;

/** PubMed's versions count from 1; other sources have none. */
function versionOf(version: string | readonly string[] | undefined): number {
  const number = Number(version);
  return Number.isInteger(number) && number > 0 ? Math.min(number, mostVersions) : 1;
}

function* newestStays(group: readonly Member[]): Losses {
  let best: number | undefined;
  for (const [i, { part }] of group.entries()) {
    if (part === withdrawn) {
      if (best !== undefined) yield [best, undefined];
      best = undefined;
    } else if (best === undefined) best = i;
    else if (part < group[best]!.part) yield [i, best];
    else {
      yield [best, i];
      best = i;
    }
  }
}

export const updates: KeyedStage<Record<string, never>> = {
  name: "updates",
  about: "of the same document the newest version stays; what was withdrawn goes",
  version: 1,
  settings: z.strictObject({}) as z.ZodType<Record<string, never>>,
  rewrites: false,
  rule: "superseded",
  reads: ["id", "source", "kind", "metadata"],
  join: newestStays,
  open: () => ({
    keys: ({ id, metadata }, emit) => emit(hash128(id), 2 * versionOf(metadata["version"])),
    withdrawn: (id, emit) => emit(hash128(id), withdrawn),
    apply: (_document, _parts, beaten) => ({ keep: false, rule: beaten ? "superseded" : "withdrawn" }),
  }),
};

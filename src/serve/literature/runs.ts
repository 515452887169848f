/** Training runs as the page lists them: how far each is, by the end of its metrics. */
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { readSettings } from "../../io/json.ts";
import type { RunEntry } from "./replies.ts";

/** The file that makes a folder a run's. */
export const runMark = "metrics.jsonl";

/** Without a change for so long, a run is no longer going. */
const quietMs = 120_000;
/** Bytes at the end of the metrics that are looked at: hundreds of updates. */
const tailBytes = 1 << 18;

interface Lines {
  readonly step?: number;
  readonly steps?: number;
  readonly loss?: number | null;
  readonly secondsLeft?: number | null;
  readonly type?: string;
}

/** Lines at the end of a file that are whole. */
async function tail(path: string): Promise<Lines[]> {
  await using file = await open(path, "r");
  const { size } = await file.stat();
  const start = Math.max(0, size - tailBytes);
  const bytes = Buffer.alloc(size - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes
    .toString("utf8")
    .split("\n")
    .slice(start === 0 ? 0 : 1, -1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Lines];
      } catch {
        return []; // the curves name it; a list of runs is not the place
      }
    });
}

export async function runEntry(name: string, folder: string): Promise<RunEntry> {
  const path = join(folder, runMark);
  const [lines, { mtimeMs }, record] = await Promise.all([
    tail(path),
    stat(path),
    readSettings(join(folder, "run.json")).catch(() => undefined),
  ]);
  const last = lines.findLast(({ type }) => type === "step");
  const heldOut = lines.findLast(({ type }) => type === "evaluated");
  const recipe = record?.["recipe"];
  const planned = last?.steps ?? record?.["steps"];
  const [step, steps] = [last?.step ?? 0, typeof planned === "number" ? planned : null];
  return {
    name,
    recipe: typeof recipe === "string" ? recipe : null,
    step,
    steps,
    loss: last?.loss ?? null,
    heldOut: heldOut?.loss ?? null,
    secondsLeft: last?.secondsLeft ?? null,
    changed: new Date(mtimeMs).toISOString(),
    going: Date.now() - mtimeMs < quietMs && (steps === null || step < steps),
  };
}

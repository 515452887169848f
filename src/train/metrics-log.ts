/** Metrics of a run as JSON lines, flushed line by line; a resumed run continues the file where its checkpoint was. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readText, writeFileAtomically, writing } from "../io/files.ts";
import { checked } from "../schema.ts";

/** Opens `path` for records to come, dropping the lines of steps after `step` (and a half-written last one). */
export async function openMetricsLog(path: string, step: number): Promise<(record: { step: number }) => Promise<void>> {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) {
    const kept = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => stepOf(line) <= step);
    await writeFileAtomically(path, kept.map((line) => `${line}\n`).join(""));
  }
  return (record) => writing(path, () => appendFile(path, `${JSON.stringify(record)}\n`));
}

function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === "number" ? step : Infinity;
  } catch {
    return Infinity;
  }
}

export interface MetricPoint {
  /** Updates done. */
  readonly step: number;
  readonly value: number;
}

/** The figures of a run, each in the order of its updates. */
export interface Metrics {
  readonly loss: readonly MetricPoint[];
  readonly heldOut: readonly MetricPoint[];
  readonly rate: readonly MetricPoint[];
  /** Tokens or examples a second. */
  readonly speed: readonly MetricPoint[];
}

const number = z.number().nullable();
const line = z.discriminatedUnion("type", [
  z.object({ type: z.literal("step"), step: z.int(), loss: number, learningRate: number, speed: number }),
  z.object({ type: z.literal("evaluated"), step: z.int(), loss: number }),
  z.object({ type: z.literal("sampled"), step: z.int() }),
]);

/**
 * The metrics of a run's folder; a last line that is still being written is left out.
 * @throws DataError where there is no such file, or a line is not of its form.
 */
export async function readMetrics(run: string): Promise<Metrics> {
  const path = join(run, "metrics.jsonl");
  const lines = (await readText(path, "name the folder of a training, which has this file")).split("\n");
  const metrics = { loss: [], heldOut: [], rate: [], speed: [] } as { [K in keyof Metrics]: MetricPoint[] };
  for (const [i, text] of lines.slice(0, -1).entries()) {
    const record = checked(line, parseJson(text), `${path}:${i + 1}`, DataError);
    const { step } = record;
    // JSON has no infinity: what a run could not say is a gap.
    const add = (to: MetricPoint[], value: number | null): void => void to.push({ step, value: value ?? Number.NaN });
    if (record.type === "evaluated") add(metrics.heldOut, record.loss);
    if (record.type !== "step") continue;
    add(metrics.loss, record.loss);
    add(metrics.rate, record.learningRate);
    add(metrics.speed, record.speed);
  }
  return metrics;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Metrics of a run as JSON lines, flushed line by line; a resumed run continues the file where its checkpoint was. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { appendFile, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
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
  /** What the objective measures beside the loss, by name; and the same of held-out data. */
  readonly figures: Readonly<Record<string, readonly MetricPoint[]>>;
  readonly heldOutFigures: Readonly<Record<string, readonly MetricPoint[]>>;
}

const number = z.number().nullable();
const figures = z.record(z.string(), number).optional();
const line = z.discriminatedUnion("type", [
  z.object({ type: z.literal("step"), step: z.int(), loss: number, learningRate: number, speed: number, figures }),
  z.object({ type: z.literal("evaluated"), step: z.int(), loss: number, figures }),
  z.object({ type: z.literal("sampled"), step: z.int(), texts: z.array(z.string()) }),
]);

/**
 * The metrics of a run's folder; a last line that is still being written is left out.
 * @throws DataError where there is no such file, or a line is not of its form.
 */
export async function readMetrics(run: string): Promise<Metrics> {
  const path = join(run, "metrics.jsonl");
  const text = await readText(path, "name the folder of a training, which has this file");
  const { samples: _, ...metrics } = metricsOf(text.split("\n").slice(0, -1), path, 0);
  return metrics;
}

/** Figures that came, and texts that the model wrote on the way. */
export interface MetricsPart extends Metrics {
  readonly samples: readonly { readonly step: number; readonly texts: readonly string[] }[];
  /** The run went back to a checkpoint: what came before no longer holds. */
  readonly restarted: boolean;
}

/**
 * The metrics of a run as they are, then what is added, looked for every `every` milliseconds until the signal is
 * aborted; without `every` the first part alone.
 * @throws as `readMetrics`.
 */
export async function* followMetrics(
  run: string,
  { every, signal }: { readonly every?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): AsyncGenerator<MetricsPart> {
  const path = join(run, "metrics.jsonl");
  const first = await readText(path, "name the folder of a training, which has this file");
  const whole = first.slice(0, first.lastIndexOf("\n") + 1);
  const lines = whole.split("\n").slice(0, -1);
  yield { ...metricsOf(lines, path, 0), restarted: false };
  let [bytes, number] = [Buffer.byteLength(whole), lines.length];
  if (every === undefined) return;
  const stopped = (): boolean => signal?.aborted === true;
  while (!stopped()) {
    await wait(every, undefined, { signal }).catch(() => undefined);
    const size = (await stat(path).catch(() => undefined))?.size ?? bytes;
    const restarted = size < bytes;
    if (restarted) bytes = number = 0;
    const added = await wholeLines(path, bytes, size);
    if (added.lines.length === 0 || stopped()) continue;
    yield { ...metricsOf(added.lines, path, number), restarted };
    bytes += added.bytes;
    number += added.lines.length;
  }
}

/** Lines from a byte on that have ended. */
async function wholeLines(path: string, from: number, to: number): Promise<{ lines: string[]; bytes: number }> {
  if (to <= from) return { lines: [], bytes: 0 };
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(to - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  const bytes = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
  return { lines: buffer.subarray(0, bytes).toString("utf8").split("\n").slice(0, -1), bytes };
}

/** @param before lines of the file before these. */
function metricsOf(lines: readonly string[], path: string, before: number): Omit<MetricsPart, "restarted"> {
  const metrics = {
    loss: [] as MetricPoint[],
    heldOut: [] as MetricPoint[],
    rate: [] as MetricPoint[],
    speed: [] as MetricPoint[],
  };
  // A name comes from a file: no prototype to meet it.
  const named = (): Record<string, MetricPoint[]> => Object.create(null) as Record<string, MetricPoint[]>;
  const [figures, heldOutFigures] = [named(), named()];
  const samples: { step: number; texts: readonly string[] }[] = [];
  for (const [i, text] of lines.entries()) {
    const record = checked(line, parseJson(text), `${path}:${before + i + 1}`, DataError);
    const { step } = record;
    // JSON has no infinity: what a run could not say is a gap.
    const add = (to: MetricPoint[], value: number | null): void => void to.push({ step, value: value ?? Number.NaN });
    if (record.type === "sampled") {
      samples.push({ step, texts: record.texts });
      continue;
    }
    const to = record.type === "step" ? figures : heldOutFigures;
    for (const [name, value] of Object.entries(record.figures ?? {})) add((to[name] ??= []), value);
    if (record.type === "evaluated") add(metrics.heldOut, record.loss);
    if (record.type !== "step") continue;
    add(metrics.loss, record.loss);
    add(metrics.rate, record.learningRate);
    add(metrics.speed, record.speed);
  }
  return { ...metrics, figures, heldOutFigures, samples };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

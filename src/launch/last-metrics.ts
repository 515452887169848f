/** What is last in metrics.jsonl, as one who watches wants it: of a long run the file is large, and its end is enough. */
import { join } from "node:path";
import * as z from "zod";
import { tail } from "./tail.ts";

const figures = z.record(z.string(), z.number().nullable()).optional();
const number = z.number().nullable();

/** Lines of metrics.jsonl that are followed; what else they have stays. */
const line = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("step"),
    step: z.int(),
    steps: z.int(),
    loss: number,
    speed: number,
    secondsLeft: number.optional(),
    figures,
  }),
  z.looseObject({ type: z.literal("evaluated"), step: z.int(), loss: number, figures }),
]);
export type MetricLine = z.infer<typeof line>;

/** Undefined where it is another line. */
export function lineOf(text: string): MetricLine | undefined {
  try {
    return line.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export interface LastMetrics {
  readonly step?: Extract<MetricLine, { type: "step" }> | undefined;
  readonly evaluated?: Extract<MetricLine, { type: "evaluated" }> | undefined;
}

const tailBytes = 1 << 20;

/** The last update and the last evaluation of a run. */
export async function lastMetrics(folder: string): Promise<LastMetrics> {
  const found: { step?: LastMetrics["step"]; evaluated?: LastMetrics["evaluated"] } = {};
  const lines = (await tail(join(folder, "metrics.jsonl"), tailBytes)).split("\n").slice(0, -1);
  for (let i = lines.length - 1; i >= 0 && (found.step === undefined || found.evaluated === undefined); i--) {
    const one = lineOf(lines[i]!);
    if (one?.type === "step") found.step ??= one;
    if (one?.type === "evaluated") found.evaluated ??= one;
  }
  return found;
}

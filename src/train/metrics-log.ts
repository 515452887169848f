/** Metrics of a run as JSON lines, flushed line by line; a resumed run continues the file where its checkpoint was. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { writeFileAtomically } from "../io/files.ts";

/** Opens `path` for records to come, dropping the lines of steps after `step` (and a half-written last one). */
export async function openMetricsLog(path: string, step: number): Promise<(record: { step: number }) => void> {
  mkdirSync(dirname(path), { recursive: true });
  if (existsSync(path)) {
    const kept = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => stepOf(line) <= step);
    await writeFileAtomically(path, kept.map((line) => `${line}\n`).join(""));
  }
  return (record) => appendFileSync(path, `${JSON.stringify(record)}\n`);
}

function stepOf(line: string): number {
  try {
    const { step } = JSON.parse(line) as { step?: unknown };
    return typeof step === "number" ? step : Infinity;
  } catch {
    return Infinity;
  }
}

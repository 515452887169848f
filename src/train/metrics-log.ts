/** Metrics of a run as JSON lines, flushed line by line; a resumed run continues the file where its checkpoint was. */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically, writing } from "../io/files.ts";

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

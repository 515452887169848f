/** Ends of files that others write, such as logs: what cannot be read is empty. */
import { open } from "node:fs/promises";
import { shownText } from "../io/job-files.ts";

/** So many lines that are not empty, cut where they are long. */
export function lastLines(text: string, count: number): string[] {
  return text
    .split("\n")
    .map((line) => shownText(line).trimEnd().slice(0, 400))
    .filter((line) => line !== "")
    .slice(-count);
}

/** The end of a file, at most so many bytes. */
export async function tail(path: string, bytes: number): Promise<string> {
  try {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    const buffer = Buffer.alloc(Math.min(size, bytes));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8", 0, bytesRead);
  } catch {
    return "";
  }
}

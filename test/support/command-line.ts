/** A command called as the program calls it, within the test's process. */
import { expect, vi } from "vitest";
import { main } from "../../src/cli/main.ts";

/** What a command that must succeed writes to stdout. */
export function stdoutOf(...args: string[]): Promise<string> {
  return written(args);
}

/** As `stdoutOf`, of a command that runs until Ctrl-C, which it is given once it has written something. */
export function stdoutUntilStopped(...args: string[]): Promise<string> {
  return written(args, () => process.emit("SIGINT"));
}

async function written(args: readonly string[], onFirst?: () => void): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    if (written.push(String(text)) === 1 && onFirst !== undefined) setImmediate(onFirst);
    return true;
  });
  try {
    expect(await main(args)).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return written.join("");
}

/** A command called as the program calls it, within the test's process. */
import { expect, vi } from "vitest";
import { main } from "../../src/cli/main.ts";

/** What a command that must succeed writes to stdout. */
export async function stdoutOf(...args: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  try {
    expect(await main(args)).toBe(0);
  } finally {
    spy.mockRestore();
  }
  return written.join("");
}

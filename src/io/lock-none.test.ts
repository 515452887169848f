/** Locks on a disk that has none. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { lockFolder } from "./lock.ts";

const codes = ["ENOSYS", "ENOSYS", "EACCES"];
vi.mock("fs-native-extensions", () => ({
  tryLock: () => {
    const code = codes.shift()!;
    throw Object.assign(new Error(code === "ENOSYS" ? "function not implemented" : "permission denied"), { code });
  },
}));

const folder = mkdtempSync(join(tmpdir(), "galen-lock-none-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("a disk without locks is worked on, with one warning; one that says so of another's lock is not", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
  for (let run = 0; run < 2; run++) {
    await using _ = await lockFolder(folder);
    expect(existsSync(folder)).toBe(true);
  }
  expect(existsSync(join(folder, ".galen.lock"))).toBe(false);
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/galen.lock: the disk has no locks \(function not implemented\)/), "GalenWarning"],
  ]);
  await expect(lockFolder(folder)).rejects.toThrow(/no other run writes to/);
});

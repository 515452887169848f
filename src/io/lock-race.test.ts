/** The moment between opening a lock's file and locking it, in which whoever had it before may have removed it. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test, vi } from "vitest";
import { lockFolder } from "./lock.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-race-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, ".galen.lock");

const tried = vi.hoisted(() => vi.fn());
vi.mock("fs-native-extensions", () => ({ tryLock: tried }));

test("a lock on a file that is no longer there is none: the one that others find is locked", async () => {
  tried.mockImplementationOnce(() => {
    rmSync(path);
    writeFileSync(path, "");
    return true;
  });
  tried.mockReturnValueOnce(true);
  const lock = await lockFolder(folder);
  expect(tried).toHaveBeenCalledTimes(2);
  expect(statSync(path).size).toBeGreaterThan(0);
  await lock[Symbol.asyncDispose]();
});

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openTemporary } from "./temporary.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-temporary-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("what was appended is read back from anywhere, and what is not there is refused", async () => {
  await using file = await openTemporary(folder);
  await file.append(Uint8Array.of(1, 2, 3));
  await file.append(Uint8Array.of(4, 5));
  const bytes = new Uint8Array(3);
  await file.read(bytes, 1);
  expect([...bytes]).toEqual([2, 3, 4]);
  await file.append(Uint8Array.of(6));
  await file.read(bytes, 3);
  expect([...bytes]).toEqual([4, 5, 6]);
  await expect(file.read(bytes, 4)).rejects.toThrow(/expected 7 bytes, got 6/);
});

test("nothing is left of it when it is disposed of", async () => {
  await (await openTemporary(folder))[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(process.platform === "win32")("nothing is left of it when the process is killed", () => {
  const { signal } = spawnSync(process.execPath, [
    "--input-type=module",
    "--eval",
    `import { openTemporary } from ${JSON.stringify(new URL("temporary.ts", import.meta.url).href)};
    const file = await openTemporary(${JSON.stringify(folder)});
    await file.append(new Uint8Array(1000));
    process.kill(process.pid, "SIGKILL");`,
  ]);
  expect(signal).toBe("SIGKILL");
  expect(readdirSync(folder)).toEqual([]);
});

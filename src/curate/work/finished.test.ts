import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import * as z from "zod";
import { missingOf, readMarkers } from "./finished.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-finished-"));
afterAll(() => rmSync(folder, { recursive: true }));

const schema = z.object({ at: z.int() });
const names = Array.from({ length: 3000 }, (_, i) => `${i % 3 === 0 ? "a" : "b"}/${i}.json`);
for (const name of ["a", "b"]) mkdirSync(join(folder, name));
for (const [at, name] of names.entries()) writeFileSync(join(folder, name), JSON.stringify({ at }));

test("says which of many markers in several folders are missing, of folders that are not there all", async () => {
  expect(await missingOf(folder, names)).toEqual([]);
  expect(await missingOf(folder, ["c/1.json", "a/0.json", "a/1.json", "b/1.json"])).toEqual([0, 2]);
});

test.skipIf(process.platform === "win32")("reads more markers than the system lets it open at once, in order", () => {
  const script = `
    const [{ readMarkers }, z] = await Promise.all([import(${JSON.stringify(new URL("./finished.ts", import.meta.url).href)}), import("zod")]);
    const names = Array.from({ length: 3000 }, (_, i) => \`\${i % 3 === 0 ? "a" : "b"}/\${i}.json\`);
    const found = await readMarkers(${JSON.stringify(folder)}, names, z.object({ at: z.int() }), false);
    console.log(found.every(({ at }, i) => at === i), found.length);`;
  const run = spawnSync(
    "sh",
    ["-c", 'ulimit -n 200; exec "$@"', "sh", process.execPath, "--no-warnings", "--input-type=module", "-e", script],
    { encoding: "utf8", cwd: import.meta.dirname },
  );
  expect(run.stderr).toBe("");
  expect(run.stdout).toBe("true 3000\n");
});

test("waits for a marker that others see already, and not for one of its own", async () => {
  await expect(readMarkers(folder, ["a/late.json"], schema, false)).rejects.toThrow(
    /late.json: expected a readable file/,
  );
  const reading = readMarkers(folder, ["a/late.json", "a/0.json"], schema, true);
  await wait(50);
  writeFileSync(join(folder, "a/late.json"), JSON.stringify({ at: -1 }));
  expect(await reading).toEqual([{ at: -1 }, { at: 0 }]);
});

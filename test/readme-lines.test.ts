/** Every line and every program of the README and of the cookbook runs as it stands, one after another, at debug scale. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stdoutOf } from "./support/command-line.ts";
import type { HubWorld } from "./support/hub-env.ts";
import { worldHub } from "./support/world.ts";
import { argumentsOf, openFolder, shownIn } from "./support/documents.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const before = process.cwd();

/** On dist/, made by npm ci. */
function runProgram(folder: string, code: string): void {
  writeFileSync(join(folder, "program.ts"), code);
  const { status, stderr } = spawnSync(process.execPath, ["program.ts"], { cwd: folder, encoding: "utf8" });
  expect(status, `${code}\n${stderr}`).toBe(0);
}

describe.each(["README.md", "docs/cookbook.md"])("%s", (document) => {
  const folder = mkdtempSync(join(tmpdir(), "galen-document-"));
  const shown = shownIn(readFileSync(join(root, document), "utf8"));

  let hub: HubWorld;
  beforeAll(async () => {
    hub = await worldHub();
    openFolder(folder);
    process.chdir(folder);
  });
  afterAll(async () => {
    process.chdir(before);
    await hub[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  test("shows commands and programs", () => {
    expect(shown.filter(({ kind }) => kind === "command").length).toBeGreaterThan(8);
    expect(shown.filter(({ kind }) => kind === "program").length).toBeGreaterThan(2);
  });

  test.each(shown.map(({ kind, text }) => [text.trim(), kind] as const))("%s", async (text, kind) => {
    if (kind === "program") {
      if (existsSync(join(root, "dist/index.js"))) runProgram(folder, text);
      return;
    }
    const args = argumentsOf(text);
    if (args === undefined) return;
    const notes = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const printed = await stdoutOf(...args).finally(() => notes.mockRestore());
    expect(printed.trim()).not.toBe("");
  });
});

/** Every example of every command's help runs as it stands, on small data and tiny models that are made once. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Command } from "../src/cli/command.ts";
import { commandsOf, galen } from "../src/cli/commands/index.ts";
import { stdoutOf, stdoutUntilStopped } from "./support/command-line.ts";
import type { HubWorld } from "./support/hub-env.ts";
import { words, worldHub, writeWorld } from "./support/world.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-help-"));
const before = process.cwd();
let hub: HubWorld;
beforeAll(async () => {
  hub = await worldHub();
  const world = join(folder, "world");
  cpSync(new URL("../samples", import.meta.url), join(world, "samples"), { recursive: true });
  process.chdir(world);
  await writeWorld();
});
afterAll(async () => {
  process.chdir(before);
  await hub[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** What only time asks for: fewer updates, smaller networks; and of benchmarks other files than the original ones. */
const shorter: Readonly<Record<string, readonly string[]>> = {
  quickstart: ["--steps", "2"],
  train: ["--scale", "debug", "steps=2"],
  "evaluate suite": ["--any-version"],
  "launch training": ["--scale", "debug", "steps=2"],
};

const examples = await Promise.all(
  commandsOf(galen).map(async ({ name, entry }) => {
    const { default: command }: { default: Command } = await entry.load();
    return command.examples.map(([line]) => [name, line] as const);
  }),
);

test.each(examples.flat())("galen %s: %s", async (name, line) => {
  const place = join(folder, "one");
  cpSync(join(folder, "world"), place, { recursive: true });
  process.chdir(place);
  const args = words(line);
  // What it makes is there already, for the others to go on from.
  if (args.includes("--output")) rmSync(args[args.indexOf("--output") + 1]!, { recursive: true, force: true });
  const stdin = `{"id": "1", "text": "Aspirin raises Warfarin levels in man."}\n`;
  vi.spyOn(process, "stdin", "get").mockReturnValue(Readable.from([Buffer.from(stdin)]) as never);
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const all = [...args.flatMap(expand), ...(shorter[name] ?? [])];
    // Whatever port it names may be another's here.
    const port = all.indexOf("--port");
    if (port >= 0) all.splice(port, 2);
    const serves = name === "serve" || (name === "feedback" && all.includes("--prompts"));
    const printed = await (serves ? stdoutUntilStopped(...all, "--port", "0") : stdoutOf(...all));
    expect(printed.trim()).not.toBe("");
    if (args.includes("--json")) for (const one of printed.trim().split("\n")) JSON.parse(one);
  } finally {
    vi.restoreAllMocks();
    process.chdir(folder);
    rmSync(place, { recursive: true });
  }
});

/** As a shell does. */
function expand(word: string): string[] {
  const [, under, ending] = /^(\w+\/)\*(\.[\w.]+)$/.exec(word) ?? [];
  if (under === undefined) return [word];
  return readdirSync(under).flatMap((name) => (name.endsWith(ending!) ? [under + name] : []));
}

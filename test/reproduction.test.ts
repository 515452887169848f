/** docs/reproduction.md: its commands are ones that there are, its task file is one that is read, its sizes are counted. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseArguments } from "../src/cli/arguments.ts";
import type { Command } from "../src/cli/command.ts";
import { commandsOf, galen } from "../src/cli/commands/index.ts";
import { benchmarksOf } from "../src/eval/index.ts";
import { families } from "../src/models/index.ts";
import { scoringGraph } from "../src/models/graphs.ts";
import { parameterCount } from "../src/runtime/parameters.ts";
import { formatOf } from "../src/soft-prompts/formats.ts";
import { readTaskFile, taskOf } from "../src/soft-prompts/metadata.ts";
import { shownIn } from "./support/documents.ts";
import { words } from "./support/world.ts";

const document = readFileSync(fileURLToPath(new URL("../docs/reproduction.md", import.meta.url)), "utf8");
const lines = shownIn(document).filter(({ kind, text }) => kind === "command" && text.startsWith("galen "));

test("shows a command for each table", () => expect(lines.length).toBeGreaterThan(10));

test.each(lines.map(({ text }) => text))("%s", async (line) => {
  const args = words(line).slice(1);
  const found = commandsOf(galen).find(({ name }) => args.join(" ").startsWith(`${name} `))!;
  const { default: command }: { default: Command } = await found.entry.load();
  const rest = args.slice(found.name.split(" ").length);
  expect(() => parseArguments(rest, command)).not.toThrow();
  if (found.name === "evaluate suite") expect(benchmarksOf([rest[0]!]).length).toBeGreaterThan(0);
});

test("the task file of BioGPT-Large-PubMedQA is read, and as the recipe would write it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "galen-reproduction-"));
  writeFileSync(join(folder, "task.json"), /^```json\n([^]*?)^```/m.exec(document)![1]!);
  const file = (await readTaskFile(folder))!;
  rmSync(folder, { recursive: true });
  expect(taskOf(file, folder).task.name).toBe("pubmedqa-large");
  const { promptLength, truncation } = formatOf("pubmedqa-large");
  expect(file.truncation).toEqual(truncation);
  // What fairseq appended to the vocabulary of 57,717.
  expect(file.promptIds).toEqual(Array.from({ length: promptLength }, (_, i) => 57_717 + i));
});

test("the sizes are those of the networks", () => {
  const family = families["biogpt"]!;
  const countOf = (size: string, vocabSize: number): string =>
    parameterCount(scoringGraph(family, { ...family.sizes[size]!, vocab_size: vocabSize })).toLocaleString("en-US");
  for (const [size, vocabSize] of [
    ["base", 42_384],
    ["large", 57_717],
    ["large", 57_726],
  ] as const) {
    expect(document).toContain(countOf(size, vocabSize));
  }
});

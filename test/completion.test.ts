/** Completion as bash does it: the script is read, the words of a line are given, and what it offers is compared. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { galen } from "../src/cli/commands/index.ts";
import { completionScript } from "../src/cli/completion.ts";
import { recipeList } from "../src/recipes/list.ts";

const script = await completionScript("bash", galen);

/** What is offered behind these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const line = `COMP_WORDS=(galen ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}`;
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["--norc", "-c", `${script}\n${line}\n_galen; printf '%s\\n' "\${COMPREPLY[@]}"`],
    { encoding: "utf8" },
  );
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout.split("\n").filter((word) => word !== "");
}

test.skipIf(!existsSync("/bin/bash"))("bash completes commands, sub-commands, options, values and recipes", () => {
  expect(offered("")).toEqual(expect.arrayContaining(["train", "corpus", "evaluate", "completion", "help"]));
  expect(offered("ev")).toEqual(["evaluate"]);
  expect(offered("corpus", "")).toEqual(["import"]);
  expect(offered("evaluate", "p")).toEqual(["perplexity"]);
  expect(offered("embed", "--mod")).toEqual(["--model"]);
  expect(offered("evaluate", "ner", "--he")).toEqual(["--help"]);
  expect(offered("train", "biogpt-n")).toEqual(["biogpt-nano"]);
  expect(offered("train", "").filter((word) => !word.startsWith("--"))).toEqual(Object.keys(recipeList));
  expect(offered("train", "ddi", "--scale", "")).toEqual(["full", "debug"]);
  expect(offered("train", "ddi", "--device", "c")).toEqual(["cpu", "cuda"]);
  // A file, which the shell completes by itself.
  expect(offered("embed", "--model", "")).toEqual([]);
});

test("zsh reads the same by its emulation of bash", async () => {
  expect(await completionScript("zsh", galen)).toContain("bashcompinit\n_galen() {");
});

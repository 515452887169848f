/** Completion as bash and zsh do it: the script is read, the words of a line are given, and what it offers is compared. */
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { galen } from "../src/cli/commands/index.ts";
import { completionScript } from "../src/cli/completion.ts";
import { recipeList } from "../src/recipes/list.ts";

const shells = {
  bash: { words: ["--norc", "-c"], arrays: "" },
  zsh: { words: ["-f", "-c"], arrays: "setopt ksharrays\n" },
};
type Shell = keyof typeof shells;

/** What is offered behind these words, the last of which is being typed; zsh lends completions the arrays of ksh. */
async function offers(shell: Shell, ...words: string[]): Promise<string[]> {
  const script = await completionScript(shell, galen);
  const line = `COMP_WORDS=(galen ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}`;
  const run = `${script}\n${shells[shell].arrays}${line}\n_galen; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync(shell, [...shells[shell].words, run], { encoding: "utf8" });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  // zsh leaves out by itself what does not begin so.
  return stdout.split("\n").filter((word) => word !== "" && word.startsWith(words.at(-1)!));
}

const isThere = (shell: string): boolean => spawnSync(shell, ["-c", ":"]).status === 0;
const title = "completes commands, sub-commands, options, values and recipes";
test.for(Object.keys(shells) as Shell[])(`%s ${title}`, async (shell, { skip }) => {
  skip(!isThere(shell), `${shell} is not installed`);
  const offered = (...words: string[]): Promise<string[]> => offers(shell, ...words);
  expect(await offered("")).toEqual(expect.arrayContaining(["train", "corpus", "evaluate", "completion", "help"]));
  expect(await offered("ev")).toEqual(["evaluate"]);
  expect(await offered("corpus", "")).toEqual(["import", "run", "train-quality", "report"]);
  expect(await offered("jobs", "re")).toEqual(["resume"]);
  expect(await offered("launch", "array", "--on", "s")).toEqual(["slurm"]);
  expect(await offered("evaluate", "p")).toEqual(["perplexity"]);
  expect(await offered("embed", "--mod")).toEqual(["--model"]);
  expect(await offered("evaluate", "ner", "--he")).toEqual(["--help"]);
  expect(await offered("train", "biogpt-n")).toEqual(["biogpt-nano"]);
  expect((await offered("train", "")).filter((word) => !word.startsWith("--"))).toEqual(Object.keys(recipeList));
  expect(await offered("train", "ddi", "--scale", "")).toEqual(["full", "debug"]);
  expect(await offered("train", "ddi", "--device", "c")).toEqual(["cpu", "cuda"]);
  // A file, which the shell completes by itself.
  expect(await offered("embed", "--model", "")).toEqual([]);
});

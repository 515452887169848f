/**
 * Command lines of array work, seen to before anything is handed in: that there is such a command, that it takes these words,
 * that it can be called again, and that no two write to the same place.
 */
import { readdir, stat } from "node:fs/promises";
import { ConfigError, UsageError } from "../errors.ts";
import { type ArrayPlan, tasksOf } from "../launch/index.ts";
import { parseArguments } from "./arguments.ts";
import type { Command } from "./command.ts";
import { commandOf } from "./main.ts";

/** They run until somebody ends them, or hand jobs in themselves. */
const unfit = ["serve", "feedback", "launch", "jobs", "completion"];

/** Has shares of its own, and says by code 75 that others come first. */
const sharing = "corpus run";

async function loaded(words: readonly string[]): Promise<{ name: string; command: Command; rest: readonly string[] }> {
  const { name, entry, rest } = commandOf(words);
  const bare = name.replace(/^galen ?/, "");
  if ("commands" in entry || unfit.includes(bare.split(" ")[0]!)) {
    throw new UsageError(`expected a command of Galen's that ends by itself, got "${words.join(" ")}"`, {
      hint: "behind -- comes a command line such as: extract {input} --model M --output mined/{name}",
    });
  }
  return { name: bare, command: (await entry.load()).default, rest };
}

/** Words of a command line, and whether they were given --overwrite. */
export interface CheckedCommand {
  readonly command: readonly string[];
  readonly replaces: boolean;
}

/** The command line, with what lets it be called again. @throws UsageError where there is no such command. */
export async function checkedCommand(words: readonly string[]): Promise<CheckedCommand> {
  const given = words[0] === "galen" ? words.slice(1) : words;
  const { name, command, rest } = await loaded(given);
  const has = (option: string): boolean => rest.some((word) => word === option || word.startsWith(`${option}=`));
  const more: string[] = [];
  if (name === sharing && !has("--rank")) more.push("--rank", "{task}", "--world", "{tasks}");
  if (name === sharing && !has("--no-wait")) more.push("--no-wait");
  for (const option of ["resume", "overwrite"]) {
    const isThere = command.options[option]?.type === "flag" && has("--output");
    if (isThere && !has(`--${option}`)) more.push(`--${option}`);
  }
  const end = given.indexOf("--");
  const all = end < 0 ? [...given, ...more] : [...given.slice(0, end), ...more, ...given.slice(end)];
  return { command: all, replaces: has("--overwrite") };
}

/** @throws UsageError or ConfigError for a command line that would not do, or two that write to one place. */
export async function checkLines(plan: ArrayPlan, { replaces }: CheckedCommand): Promise<void> {
  const outputs = new Set<string>();
  for (const words of tasksOf(plan).flat()) {
    const { name, command, rest } = await loaded(words);
    const { output } = parseArguments(rest, command);
    if (typeof output !== "string" || name === sharing) continue;
    if (outputs.has(output)) {
      throw new UsageError(`--output: expected another place for each task, got ${output} twice`, {
        hint: `put {name} or {task} in it; the second is of: ${words.join(" ").slice(0, 200)}`,
      });
    }
    outputs.add(output);
    // A task that was killed behind its last word writes again what it had written: that, and nothing else.
    if ("overwrite" in command.options && !replaces) await requireNew(output);
  }
}

/** @throws ConfigError where something is there. */
async function requireNew(output: string): Promise<void> {
  const there = await stat(output).catch(() => undefined);
  const isEmpty = there?.isDirectory() === true ? (await readdir(output)).length === 0 : there?.size === 0;
  if (there === undefined || isEmpty) return;
  throw new ConfigError(`${output}: expected a place where nothing is, got something`, {
    hint: "name another --output behind --, or replace what is there with --overwrite",
  });
}

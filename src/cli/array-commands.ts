/**
 * Command lines of array work, seen to before anything is handed in: that there is such a command, that it takes these words,
 * that it can be called again, and that no two write to the same place.
 */
import { tasksOf, type ArrayPlan } from "../launch/index.ts";
import { checkNewFile } from "../io/outputs.ts";
import { UsageError } from "../errors.ts";
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

/** The command line, with what lets it be called again. @throws UsageError where there is no such command. */
export async function checkedCommand(words: readonly string[]): Promise<string[]> {
  const given = words[0] === "galen" ? words.slice(1) : words;
  const { name, command, rest } = await loaded(given);
  const has = (option: string): boolean => rest.some((word) => word === option || word.startsWith(`${option}=`));
  const more: string[] = [];
  if (name === sharing && !has("--rank")) more.push("--rank", "{task}", "--world", "{tasks}");
  if (name === sharing && !has("--no-wait")) more.push("--no-wait");
  for (const option of ["resume", "overwrite"]) {
    if (command.options[option]?.type === "flag" && !has(`--${option}`)) more.push(`--${option}`);
  }
  const end = given.indexOf("--");
  return end < 0 ? [...given, ...more] : [...given.slice(0, end), ...more, ...given.slice(end)];
}

/** @throws UsageError or ConfigError for a command line that would not do, or two that write to one place. */
export async function checkLines(plan: ArrayPlan): Promise<void> {
  const outputs = new Map<string, string>();
  for (const words of tasksOf(plan).flat()) {
    const { name, command, rest } = await loaded(words);
    const { output } = parseArguments(rest, command);
    if (typeof output !== "string" || name === sharing) continue;
    const other = outputs.get(output);
    if (other !== undefined) {
      throw new UsageError(`--output: expected another place for each task, got ${output} twice`, {
        hint: `put {name} or {task} in it; the second is of: ${words.join(" ").slice(0, 200)}`,
      });
    }
    outputs.set(output, name);
    // A task may have been killed behind its last word: then it writes again what it had written, and nothing else.
    if ("overwrite" in command.options) await checkNewFile(output, false);
  }
}

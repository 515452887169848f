/**
 * The `galen` command: finds the sub-command, checks its arguments, runs it. Exit codes: 0 done, 1 failed, 2 called the
 * wrong way. Loads neither ONNX Runtime nor any other dependency before a command runs.
 */
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { GalenError, UsageError } from "../errors.ts";
import { parseArguments } from "./arguments.ts";
import type { Command, Option } from "./command.ts";
import { type Entry, galen, type Group, loadable } from "./commands/index.ts";
import type { HubProgress } from "../hub/index.ts";
import { didYouMean, nearest, nearestFolder } from "../suggest.ts";
import { commandHelp, groupHelp } from "./help.ts";
import { createOutput, endWithReader, quoted } from "./output.ts";
import { createProgress, noProgress, type Progress } from "./progress.ts";

interface Found {
  readonly name: string;
  readonly entry: Entry | Group;
  readonly rest: readonly string[];
}

/** Commands of earlier versions, and what does their work. */
const renamed: Readonly<Record<string, string>> = {
  finetune: "tasks are recipes now: galen train TASK --model MODEL --data DIR --output DIR",
};

/** Follows the leading words to a command, or to the group where they end. @throws UsageError where there is none. */
export function commandOf(argv: readonly string[]): Found {
  let entry: Entry | Group = galen;
  let depth = 0;
  while ("commands" in entry) {
    const word = argv[depth];
    if (word === undefined || word.startsWith("-")) break;
    if (!Object.hasOwn(entry.commands, word)) {
      const known = Object.keys(entry.commands);
      // A task's name or file, unless it is nearly a command's.
      if (entry.otherwise !== undefined && nearest(word, known) === undefined) {
        entry = entry.otherwise;
        break;
      }
      if (loadable(entry) && nearest(word, known) === undefined) break;
      const name = ["galen", ...argv.slice(0, depth)].join(" ");
      const hint = Object.hasOwn(renamed, word) ? { hint: renamed[word] } : didYouMean(word, known);
      throw new UsageError(`${name}: expected one of ${known.join(", ")}, got "${word}"`, hint);
    }
    entry = entry.commands[word]!;
    depth += 1;
  }
  return { name: ["galen", ...argv.slice(0, depth)].join(" "), entry, rest: argv.slice(depth) };
}

function asksHelp(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).some((word) => word === "--help" || word === "-h");
}

/** Runs the command that `argv` (without node and script) names; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  endWithReader();
  printWarnings();
  let name = "galen";
  try {
    // "galen help train" is "galen train --help".
    const found = commandOf(argv[0] === "help" ? [...argv.slice(1), "--help"] : argv);
    ({ name } = found);
    if (!loadable(found.entry)) return await runGroup(name, found.entry, found.rest);
    const { default: command } = await found.entry.load();
    if (asksHelp(found.rest)) {
      process.stdout.write((await command.topicHelp?.(found.rest)) ?? commandHelp(name, command));
    } else await runCommand(command, found.rest);
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    return report(error, name);
  }
}

/** Galen's own warnings as one line; Node's form with a process number is for programs. */
function printWarnings(): void {
  const others = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name === "GalenWarning") process.stderr.write(`warning: ${warning.message}\n`);
    else for (const listener of others) listener.call(process, warning);
  });
}

async function runGroup(name: string, group: Group, rest: readonly string[]): Promise<number> {
  if (name === "galen" && rest[0] === "--version") {
    const text = await readFile(new URL("../../package.json", import.meta.url), "utf8");
    process.stdout.write(`${(JSON.parse(text) as { version: string }).version}\n`);
    return 0;
  }
  const known = rest.length === 0 || asksHelp(rest);
  if (!known) throw new UsageError(`${rest[0]}: unknown option`, { hint: "the options are --help, --version" });
  (rest.length === 0 ? process.stderr : process.stdout).write(groupHelp(name, group));
  return rest.length === 0 ? 2 : 0;
}

async function runCommand(command: Command, rest: readonly string[]): Promise<void> {
  const args = parseArguments(rest, command);
  await checkOutput(command, args);
  const json = args["json"] === true;
  const controller = new AbortController();
  const ignore = command.stoppable === true ? stopOnSignals(controller) : undefined;
  const lines: Progress[] = [];
  const progress = (label: string): Progress => {
    const line = json ? noProgress : createProgress(label, process.stderr);
    lines.push(line);
    return line;
  };
  try {
    const output = createOutput({ quiet: json });
    const { signal } = controller;
    await command.run({
      args: (await fetched(command, args, progress, signal)) as never,
      json,
      output,
      progress,
      signal,
    });
  } catch (error) {
    for (const line of lines) line.end();
    if (error instanceof GalenError) throw withFolders(error, args);
    throw error;
  } finally {
    ignore?.();
  }
}

type Arguments = ReturnType<typeof parseArguments>;

/** The arguments with a folder where a name of Hugging Face's hub was given. */
async function fetched(
  { options, positionals }: Command,
  args: Arguments,
  progress: (label: string) => Progress,
  signal: AbortSignal,
): Promise<Arguments> {
  const found = { ...args };
  for (const [key, one] of Object.entries<Option>({ ...options, ...positionals } as never)) {
    const { part, servers } = one;
    const given = args[key];
    if (servers === true && (await import("../eval/openai-server.ts")).isServer(String(given))) continue;
    if (part === undefined || given === undefined || typeof given === "number" || typeof given === "boolean") continue;
    const { resolveModel } = await import("../hub/index.ts");
    const resolved = async (source: string): Promise<string> => {
      let line: Progress | undefined;
      const onProgress = ({ file, ...state }: HubProgress): void => {
        line ??= progress(source);
        line.update({ ...state, unit: "bytes", text: file });
      };
      return resolveModel(source, { part, signal, onProgress }).finally(() => line?.end());
    };
    if (typeof given === "string") found[key] = await resolved(given);
    else {
      const folders: string[] = [];
      for (const one of given) {
        const [, name = "", source] = existsSync(one) ? [one, "", one] : /^([\w.:-]+=)?(.*)$/s.exec(one)!;
        folders.push(name + (await resolved(source!)));
      }
      found[key] = folders;
    }
  }
  return found;
}

/** Options that name a file, or what one is made of, to write. */
const fileOutputs = ["output", "svg", "predictions", "markdown", "html", "save-rates"];

/** No command writes to what it reads, whatever its options are called, or replaces a file that it was not told to. */
async function checkOutput({ options }: Command, args: Arguments): Promise<void> {
  const { checkNewFile, checkSeparate } = await import("../io/outputs.ts");
  const { output, ...others } = args;
  const words = Object.values(others)
    .flat()
    .filter((value) => typeof value === "string");
  if (typeof output === "string") await checkSeparate(output, words);
  for (const name of "overwrite" in options ? fileOutputs : []) {
    const path = args[name];
    // A run that is gone on with writes its answers again.
    const replaces = args["overwrite"] === true || args["resume"] === true;
    if (typeof path === "string") await checkNewFile(path, replaces);
  }
}

/** Options that name a model's directory; in a run's folder it is model/. */
const folderOptions = ["model", "tokenizer", "teacher", "reward"];

/** An error of a command that was given a folder which is not there, or is not quite it, with the one that may be meant. */
function withFolders(error: GalenError, args: Readonly<Record<string, unknown>>): GalenError {
  for (const name of folderOptions) {
    const folder = args[name];
    if (typeof folder !== "string" || existsSync(join(folder, "config.json"))) continue;
    const near = nearestFolder(folder);
    const inside = near === undefined ? undefined : join(near, "model");
    const meant = inside !== undefined && existsSync(join(inside, "config.json")) ? inside : near;
    if (meant === undefined || meant === folder) continue;
    const message = error.message.split("\nHint: ")[0]!;
    return new GalenError(error.code, message, { hint: `did you mean --${name} ${quoted(meant)}?`, cause: error });
  }
  return error;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP (a closed terminal) aborts; the second ends the process. Two within a quarter of a second count as one: a
 * terminal sends Ctrl-C to npm, which sends it again. Returns what ends this.
 */
function stopOnSignals(controller: AbortController): () => void {
  let first = 0;
  const onSignal = (): void => {
    const time = performance.now();
    if (!controller.signal.aborted) {
      first = time;
      process.stderr.write("\nstopping in order; once more to stop at once\n");
      controller.abort();
    } else if (time - first > 250) process.exit(130);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

function report(error: unknown, name: string): number {
  if (error instanceof GalenError) {
    process.stderr.write(`error: ${error.message}\n`);
    if (error.code === "USAGE") process.stderr.write(`"${name} --help" shows how it is called\n`);
    return error.code === "USAGE" ? 2 : 1;
  }
  if (error instanceof Error && error.name === "AbortError") {
    process.stderr.write("stopped\n");
    return 1;
  }
  if (isSystemError(error)) {
    process.stderr.write(`error: ${error.message}\n`);
    return 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.stderr.write("error: this is a fault in Galen: please report it with the lines above and the command\n");
  return 1;
}

/** No space, no permission, no such folder: the system's own words say it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "errno" in error;
}

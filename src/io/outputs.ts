/**
 * Folders that runs write to: what is read is never written, what others made is never replaced, and one run at a time.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import { writeFileAtomically, writing } from "./files.ts";
import { isLock, lockBeside, lockFolder } from "./lock.ts";

/**
 * Inputs and output are different places.
 * @throws ConfigError where an input is the output, or lies inside it; links are followed.
 */
export async function checkSeparate(output: string, inputs: readonly (string | undefined)[]): Promise<void> {
  required("checkSeparate: output", output, "text");
  required("checkSeparate: inputs", inputs, "list");
  const target = await realPath(output);
  for (const input of inputs) {
    if (input === undefined || input === "-" || !existsSync(input)) continue;
    const way = relative(target, await realPath(input));
    if (way === ".." || way.startsWith(`..${sep}`) || resolve(way) === way) continue;
    throw new ConfigError(`${output}: expected another place than the input's, got that of ${input}`, {
      hint: "what is read would be written over: name another --output",
    });
  }
}

/**
 * A file is written where there is none, or an empty one. Pipes and devices are nobody's work.
 * @throws ConfigError where it would replace one, unless that was asked for.
 */
export async function checkNewFile(path: string, overwrite: boolean): Promise<void> {
  required("checkNewFile: path", path, "text");
  if (overwrite) return;
  const there = await stat(path).catch(() => undefined);
  if (there === undefined || !there.isFile() || there.size === 0) return;
  throw new ConfigError(`${path}: expected a file that does not exist, got one`, {
    hint: "replace it with --overwrite, or name another file",
  });
}

/**
 * Makes a file or folder that appears whole by one rename, beside which a lock is held; what a killed run left there is
 * swept. `make` is given a path of the same name in a temporary folder.
 * @throws ConfigError where it is one of the inputs, or where something is already.
 */
export async function makeWhole<T>(
  output: string,
  inputs: readonly (string | undefined)[],
  make: (path: string) => Promise<T>,
): Promise<T> {
  const path = resolve(output);
  await checkSeparate(path, inputs);
  await using _ = await lockBeside(path);
  await requireNothing(path);
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await writing(path, () => mkdir(temporary));
    const made = join(temporary, basename(path));
    const result = await writing(path, () => make(made));
    await rm(path, { recursive: true, force: true }); // an empty folder, as was seen above
    await rename(made, path);
    return result;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Writes a file that appears whole, while no other run writes it. @throws ConfigError where another does. */
export async function writeLocked(path: string, contents: string | Uint8Array): Promise<void> {
  await using _ = await lockBeside(path);
  await writeFileAtomically(path, contents);
}

async function requireNothing(path: string): Promise<void> {
  const isLeft = /^\.[0-9a-f]{8}\.tmp$/;
  for (const name of await readdir(dirname(path))) {
    const isOurs = name.startsWith(basename(path)) && isLeft.test(name.slice(basename(path).length));
    if (isOurs) await rm(join(dirname(path), name), { recursive: true, force: true });
  }
  const there = await stat(path).catch(() => undefined);
  const [first] = there?.isDirectory() === true ? await readdir(path) : [];
  if (there === undefined || (there.isDirectory() && first === undefined)) return;
  const [expected, got] = first === undefined ? ["file", "one"] : ["folder", `one with ${first}`];
  throw new ConfigError(`${path}: expected a ${expected} that does not exist, got ${got}`, {
    hint: "nothing there was touched: name another --output",
  });
}

/** The real path, also of something that does not exist yet in a folder that does. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const whole = resolve(path);
    const above = dirname(whole);
    return above === whole ? whole : join(await realPath(above), basename(whole));
  }
}

export interface OutputRules {
  /** What the folder is made for, as a message says it: "a run", "a tokenizer". */
  readonly kind: string;
  /** Names that a run of this kind gives to what it writes there. */
  readonly names: readonly string[];
  /** Paths that are read. */
  readonly inputs?: readonly (string | undefined)[];
  /** Go on with what is there, or replace it. */
  readonly resume?: boolean | undefined;
  readonly overwrite?: boolean | undefined;
}

/** A folder that is this run's until it is disposed of. */
export interface Output extends AsyncDisposable {
  /** Removes what an earlier run made, just before it is replaced. */
  clear(): Promise<void>;
}

/**
 * Claims a folder: made where it is not there, else empty, or of the same kind and to be gone on with or replaced. What
 * killed runs left half-written is removed.
 * @throws ConfigError where it holds something else, an input lies in it, or another run is under way there.
 */
export async function openOutput(folder: string, rules: OutputRules): Promise<Output> {
  const { kind, names, inputs = [], resume = false, overwrite = false } = rules;
  await checkSeparate(folder, inputs);
  const lock = await lockFolder(folder);
  try {
    const present = await readdir(folder);
    const left = present.filter((name) => name.endsWith(".tmp"));
    for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
    const entries = present.filter((name) => !isLock(name) && !left.includes(name));
    const alien = entries.find((name) => !names.includes(name));
    const isOwn = entries.some((name) => names.includes(name));
    if (alien !== undefined && !(isOwn && resume)) {
      throw new ConfigError(`${folder}: expected an empty folder for ${kind}, got one with ${alien}`, {
        hint: "nothing there was touched: name another --output",
      });
    }
    if (isOwn && !resume && !overwrite) {
      throw new ConfigError(`${folder}: expected a folder without ${kind}, got one with ${entries[0]}`, {
        hint: "replace it with --overwrite, or name another --output",
      });
    }
    return {
      async clear() {
        for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
      },
      [Symbol.asyncDispose]: () => lock[Symbol.asyncDispose](),
    };
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

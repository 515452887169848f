/**
 * What a file of results was made of, in a file beside it, `NAME.json`: fingerprints of the model and of the texts. A
 * file that was changed since has none: what stands beside it is of another.
 */
import { existsSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import * as z from "zod";
import { ConfigError } from "../errors.ts";
import { writeFileAtomically } from "./files.ts";
import { inputFingerprints, pathFingerprint } from "./fingerprint.ts";
import { readSettings } from "./json.ts";
import { lockBeside } from "./lock.ts";

const source = z.strictObject({
  /** From the folder of the file; or a name that is no path's, such as "bm25". */
  path: z.string(),
  fingerprint: z.string().optional(),
});
const schema = z.strictObject({
  /** Of the file that was made. */
  file: z.string(),
  model: source.optional(),
  texts: source.optional(),
});
type Source = z.infer<typeof source>;
export type Origin = z.infer<typeof schema>;

/** What a file is made of, by path. */
export interface Sources {
  readonly model?: string | undefined;
  readonly texts?: string | undefined;
}

/** Where the origin of `path` stands. */
const beside = (path: string): string => `${path}.json`;

async function sourceOf(path: string | undefined, folder: string): Promise<Source | undefined> {
  if (path === undefined) return undefined;
  if (!existsSync(path)) return { path };
  const fingerprint = (await inputFingerprints([path]))[path]!;
  return { path: relative(folder, path).split(sep).join("/") || ".", fingerprint };
}

/**
 * Does `write`, which makes the file `path` and which no other run does meanwhile, and then says beside it what that was made of.
 * @throws ConfigError, before anything is written, where another file has the name of what stands beside, or another
 * run writes to `path`.
 */
export async function withOrigin<T>(path: string, { model, texts }: Sources, write: () => Promise<T>): Promise<T> {
  await using _ = await lockBeside(path);
  await stored(path).catch((cause: unknown) => {
    throw new ConfigError(`${beside(path)}: expected no file, or one that says what ${path} is made of, got another`, {
      hint: "nothing was touched: move it away, or name another --output",
      cause,
    });
  });
  const folder = dirname(path);
  // Before, so that sources which change meanwhile do not pass for what was read.
  const made = { model: await sourceOf(model, folder), texts: await sourceOf(texts, folder) };
  const result = await write();
  if (model === undefined && texts === undefined) return result;
  const origin: Origin = { file: await pathFingerprint(path), ...made };
  await writeFileAtomically(beside(path), `${JSON.stringify(origin, null, 2)}\n`);
  return result;
}

const stored = (path: string): Promise<Origin | undefined> => readSettings(beside(path), schema);

/** What a file was made of; undefined where nothing beside it says so, or it was changed since. */
export async function readOrigin(path: string): Promise<Origin | undefined> {
  const found = await stored(path).catch(() => undefined);
  if (found === undefined || !existsSync(path)) return undefined;
  return found.file === (await pathFingerprint(path)) ? found : undefined;
}

/** Paths of what a file was made of that are still there and have changed since. */
export async function changedSources(path: string): Promise<string[]> {
  const { model, texts } = (await readOrigin(path)) ?? {};
  const changed: string[] = [];
  for (const one of [model, texts]) {
    if (one?.fingerprint === undefined) continue;
    const there = join(dirname(path), one.path);
    if (existsSync(there) && (await pathFingerprint(there)) !== one.fingerprint) changed.push(there);
  }
  return changed;
}

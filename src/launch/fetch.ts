/** A training's result out of its folder: every file is compared with what done.json says of it before any is taken. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, lstat, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError, DataError } from "../errors.ts";
import { makeWhole } from "../io/outputs.ts";
import { writeJobCard } from "./card.ts";
import { readDone } from "../io/job-files.ts";
import { requireJob } from "./folder.ts";

export interface FetchedModel {
  readonly output: string;
  readonly files: number;
  readonly bytes: number;
  readonly step: number;
}

/**
 * Copies DIR/model to a folder that appears whole.
 * @throws ConfigError where the training is not done; DataError where a file is not what done.json says.
 */
export async function fetchModel(
  folder: string,
  output: string,
  { onBytes }: { readonly onBytes?: ((bytes: number, total: number) => void) | undefined } = {},
): Promise<FetchedModel> {
  requireJob(folder);
  const done = await readDone(folder);
  if (done === undefined || done.stopped || done.files === undefined || Object.keys(done.files).length === 0) {
    const got = done === undefined ? "no done.json" : done.stopped ? "one that was stopped" : "one without a model";
    throw new ConfigError(`${folder}: expected a training that is done, got ${got}`, {
      hint: `galen jobs watch ${folder} says where it is; where the cluster's disk is not this machine's, copy the folder here first (rsync, ray job logs, kubectl cp)`,
    });
  }
  const names = Object.keys(done.files).map((name) => relativeName(name, folder));
  const total = Object.values(done.files).reduce((sum, { bytes }) => sum + bytes, 0);
  let bytes = 0;
  return makeWhole(output, [folder], async (target) => {
    for (const [name, { bytes: size, sha256 }] of Object.entries(done.files!)) {
      const source = join(folder, "model", relativeName(name, folder));
      await checkFile(source, size, sha256, (read) => onBytes?.(bytes + read, total));
      const copy = join(target, relativeName(name, folder));
      await mkdir(dirname(copy), { recursive: true });
      await copyFile(source, copy);
      bytes += size;
    }
    await writeJobCard(folder, target, done.step);
    return { output, files: names.length, bytes, step: done.step };
  });
}

/** Within model/, whichever of both folders it is named from. @throws DataError where it leads out. */
function relativeName(name: string, folder: string): string {
  const inside = name.replace(/^model\//, "");
  const parts = inside.split(/[/\\]/);
  if (inside !== "" && !parts.some((part) => part === ".." || part === "." || part === "")) return inside;
  throw new DataError(`${join(folder, "done.json")}: expected names of files in model/, got "${name}"`);
}

/** @throws DataError */
async function checkFile(path: string, bytes: number, sha256: string, onRead: (bytes: number) => void): Promise<void> {
  const hint = "the folder was changed, or copied in part: copy it again, or train on from its last checkpoint";
  const there = await lstat(path).catch(() => undefined);
  if (there?.isFile() !== true || there.size !== bytes) {
    const got = there === undefined ? "none" : there.isFile() ? `${there.size}` : "something else";
    throw new DataError(`${path}: expected a file of ${bytes} bytes, as done.json says, got ${got}`, { hint });
  }
  const hash = createHash("sha256");
  let read = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    onRead((read += (chunk as Buffer).length));
  }
  const got = hash.digest("hex");
  if (got !== sha256)
    throw new DataError(`${path}: expected sha256 ${sha256}, as done.json says, got ${got}`, { hint });
}

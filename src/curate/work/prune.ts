/** Removes the work of earlier pipelines from an output folder: what no step of this one has read or written. */
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { finalName, isLeft } from "../../io/files.ts";
import { filesFolder } from "./import-plan.ts";
import type { Task } from "./work.ts";

/** Which parts of the folder tasks belong to: a stage's folder, or the files of an import. */
export function ownerOf({ kind, marker }: Pick<Task, "kind" | "marker">): string {
  return kind === "import" ? marker.replace(/\.json$/, "") : marker.split("/").slice(0, 2).join("/");
}

/** Returns how many folders and files were removed. */
export async function prune(output: string, owners: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  const remove = async (path: string): Promise<void> => {
    await rm(path, { recursive: true, force: true });
    removed += 1;
  };
  for (const entry of await readdir(join(output, "stages"), { withFileTypes: true })) {
    const path = `stages/${entry.name}`;
    const isOwn = ["stages/import", filesFolder].includes(path) || owners.has(path);
    if (entry.isDirectory() && !isOwn) await remove(join(output, path));
  }
  const imports = join(output, "stages", "import");
  for (const name of await readdir(imports)) {
    // NAME.json, NAME.failures.jsonl and NAME-000.parquet belong to the import NAME.
    const owner = `stages/import/${name.replace(/(?:-\d{3,})?\.(?:parquet|json|failures\.jsonl)$/, "")}`;
    if (!owners.has(owner)) await remove(join(imports, name));
  }
  return removed;
}

/** Removes what runs on this machine left that were killed, or had no room: before others begin, who need the room. */
export async function removeLeft(output: string): Promise<void> {
  const stages = join(output, "stages");
  const folders = await readdir(stages, { withFileTypes: true }).catch(() => []);
  for (const folder of folders) {
    if (!folder.isDirectory()) continue;
    const path = join(stages, folder.name);
    for (const name of await readdir(path)) if (isLeft(name)) await rm(join(path, name), { force: true });
  }
}

/**
 * Removes unfinished files of tasks that were killed, or done twice at once: those beside the finished one. A task that is still at
 * it fails, and nobody needs it.
 */
export async function removeSpare(output: string, owners: Iterable<string>): Promise<void> {
  const folders = new Set([...owners].map((owner) => (owner.split("/").length > 2 ? dirname(owner) : owner)));
  for (const folder of folders) {
    const names = new Set(await readdir(join(output, folder)));
    for (const name of names) {
      if (names.has(finalName(name) ?? "")) await rm(join(output, folder, name), { force: true });
    }
  }
}

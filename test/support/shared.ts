/** Where the optional real data lie (`../shared` beside the checkout), for tests and benchmarks that skip without it. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const sharedFolder: string = fileURLToPath(new URL("../../../shared", import.meta.url));

/** Absolute path of a file under `../shared`. */
export function shared(path: string): string {
  return `${sharedFolder}/${path}`;
}

/** `describe.skipIf(!hasShared("fixtures"))`: true where the data folder holds `path`. */
export function hasShared(path: string): boolean {
  const present = existsSync(shared(path));
  if (!present) console.warn(`skipped: ../shared/${path} is absent`);
  return present;
}

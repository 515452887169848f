/** The Python environment of the reference implementations, for tests and benchmarks that skip without it. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A virtual environment with what `scripts/goldens` needs: GALEN_PEERS, or where the development machine has it. */
export const peersFolder: string = process.env["GALEN_PEERS"] ?? "/opt/peers/venv";

/** A package's folder in that environment; undefined where it is not installed. */
export function peerPackage(name: string): string | undefined {
  const library = join(peersFolder, "lib");
  const pythons = existsSync(library) ? readdirSync(library) : [];
  const found = pythons.map((python) => join(library, python, "site-packages", name)).find((path) => existsSync(path));
  if (found === undefined) console.warn(`skipped: the Python package ${name} is absent`);
  return found;
}

/** "Did you mean": the name that a mistyped one is nearest to, by edit distance. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Loaded with the first mistake: what is called rightly, help too, has no need of it. */
function distances(): typeof import("fastest-levenshtein") {
  return createRequire(import.meta.url)("fastest-levenshtein") as typeof import("fastest-levenshtein");
}

/** The nearest of the known names, where it is near enough to be meant: two letters wrong, or a third of a long one. */
export function nearest(got: string, known: Iterable<string>): string | undefined {
  const { distance } = distances();
  const near = [...known]
    .map((name) => ({ name, wrong: distance(got.toLowerCase(), name.toLowerCase()) }))
    .filter(
      ({ name, wrong }) => wrong > 0 && wrong <= (name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3))),
    );
  return near.sort((a, b) => a.wrong - b.wrong)[0]?.name;
}

/** As a hint; none where nothing is near. */
export function didYouMean(got: string, known: Iterable<string>): { hint?: string } {
  const name = nearest(got, known);
  return name === undefined ? {} : { hint: `did you mean "${name}"?` };
}

/** The folder's path with its parts as they are on disk, where each is nearly so. */
export function nearestFolder(path: string): string | undefined {
  let found = path.startsWith("/") ? "/" : "";
  for (const part of path.split("/").filter((one) => one !== "")) {
    const exact = join(found, part);
    const name = existsSync(exact) ? part : nearest(part, readdirSync(found === "" ? "." : found));
    if (name === undefined || !statSync(join(found, name)).isDirectory()) return undefined;
    found = join(found, name);
  }
  return found;
}

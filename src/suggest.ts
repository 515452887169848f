/** "Did you mean": the name that a mistyped one is nearest to, by edit distance. */
import { createRequire } from "node:module";

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

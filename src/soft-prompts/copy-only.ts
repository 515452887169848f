/**
 * Copy-constrained decoding, as a processor of scores: the tokens of the source, the words of the task's sentences and
 * the end are allowed, as microsoft/BioGPT's constrained_generator.py does.
 */
import type { Processor } from "../generate/index.ts";

/** Only ids in `allowed` keep a score. */
export function allowOnly(allowed: ReadonlySet<number>): Processor {
  return (_ids, scores) => {
    for (let id = 0; id < scores.length; id++) if (!allowed.has(id)) scores[id] = -Infinity;
  };
}

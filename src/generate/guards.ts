/**
 * Ends of sequences that would not end by themselves. The repeat guard ends one that goes in circles, which beam search
 * on BioGPT is known for; transformers has nothing like it.
 */
import type { Processor } from "./processors.ts";

const longestPeriod = 64; // tokens: several sentences of a relation template

/**
 * Whether `ids` after `start` end with a block that stands there several times without a gap: twice from eight tokens
 * on, three times from four, else five times. One name may have to be written twice; a circle never stops by itself.
 */
export function endsInCircle(ids: readonly number[], start: number): boolean {
  const length = ids.length - start;
  for (let period = 1; period <= longestPeriod; period++) {
    const times = period >= 8 ? 2 : period >= 4 ? 3 : 5;
    if (period * times > length) continue;
    let equal = 0;
    const wanted = period * (times - 1);
    while (equal < wanted && ids[ids.length - 1 - equal] === ids[ids.length - 1 - equal - period]) equal++;
    if (equal === wanted) return true;
  }
  return false;
}

/**
 * Allows nothing but `endId` once the new tokens go in circles. `prompt`: tokens before the new ones; `least`: tokens
 * in all, before which a sequence must not end.
 */
export function repeatGuard(prompt: number, endId: number, least: number = 0): Processor {
  return (ids, scores) => {
    if (ids.length >= least && endsInCircle(ids, prompt)) onlyEnd(scores, endId);
  };
}

/** Allows nothing but `endId` after `most` new tokens, whatever the other rows of a batch may still write. */
export function lengthGuard(prompt: number, most: number, endId: number): Processor {
  return (ids, scores) => {
    if (ids.length - prompt >= most) onlyEnd(scores, endId);
  };
}

function onlyEnd(scores: Float32Array, endId: number): void {
  const end = Number.isFinite(scores[endId]!) ? scores[endId]! : 0;
  scores.fill(-Infinity);
  scores[endId] = end;
}

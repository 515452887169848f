/**
 * What changes scores before a token is chosen: transformers' logits processors, in its order (generation/utils.py,
 * `_get_logits_processor`; generation/logits_process.py). Plain functions over one row of scores, in place. Left out:
 * guidance, forced tokens, typical, epsilon, eta and top-h sampling, watermarks.
 */

/** Changes `scores` [V] in place, given all tokens of the row so far, its prompt's included. */
export type Processor = (ids: readonly number[], scores: Float32Array) => void;

/**
 * Nothing that has no token: rows behind a tokenizer's last one fill a table up to a round number, and their scores mean
 * nothing. No processor where there are none.
 */
export function namedTokens(
  rows: number,
  { vocabSize = rows }: { readonly vocabSize?: number | undefined },
): Processor[] {
  return vocabSize < rows ? [(_ids, scores) => void scores.fill(-Infinity, vocabSize)] : [];
}

/** CTRL's penalty (Keskar et al. 2019, arXiv:1909.05858): tokens that occurred get score / p, or score · p below 0. */
export function repetitionPenalty(penalty: number): Processor {
  return (ids, scores) => {
    for (const id of new Set(ids)) scores[id] = scores[id]! < 0 ? scores[id]! * penalty : scores[id]! / penalty;
  };
}

/** OpenAI's penalties: a token that is among the new ones loses `presence`, and `frequency` for each time that it is. */
export function occurrencePenalties(prompt: number, presence: number, frequency: number): Processor {
  return (ids, scores) => {
    const counts = new Map<number, number>();
    for (let i = prompt; i < ids.length; i++) counts.set(ids[i]!, (counts.get(ids[i]!) ?? 0) + 1);
    for (const [id, count] of counts) scores[id] = scores[id]! - presence - frequency * count;
  };
}

/** Adds to the scores of single tokens. */
export function tokenBias(bias: ReadonlyMap<number, number>): Processor {
  return (_ids, scores) => {
    for (const [id, value] of bias) scores[id] = scores[id]! + value;
  };
}

/** No n-gram of the sequence occurs twice. */
export function noRepeatNgrams(size: number): Processor {
  return (ids, scores) => {
    const start = ids.length + 1 - size;
    if (start < 0) return;
    for (let i = 0; i < start; i++) {
      let j = 0;
      while (j < size - 1 && ids[i + j] === ids[start + j]) j++;
      if (j === size - 1) scores[ids[i + j]!] = -Infinity;
    }
  };
}

/** The last token of each word is forbidden where the others precede it. An end token alone is not a bad word. */
export function badWords(words: readonly (readonly number[])[], endIds: readonly number[]): Processor {
  const kept = words.filter((word) => word.length > 1 || !endIds.includes(word[0]!));
  return (ids, scores) => {
    for (const word of kept) {
      const start = ids.length - word.length + 1;
      if (word.length > 1 && start < 1) continue; // as the reference: the word must be shorter than the context
      if (word.slice(0, -1).every((id, i) => ids[start + i] === id)) scores[word.at(-1)!] = -Infinity;
    }
  };
}

/** No end before a sequence has `least` tokens, its prompt's included. */
export function minimumLength(least: number, endIds: readonly number[]): Processor {
  return (ids, scores) => {
    if (ids.length < least) for (const id of endIds) scores[id] = -Infinity;
  };
}

/** Divides scores by the temperature. One so small that they overflow leaves the most likely token alone. */
export function temperature(value: number): Processor {
  return (_ids, scores) => {
    const largest = scores.reduce((most, score) => Math.max(most, score), -Infinity);
    const overflows = Number.isFinite(largest) && !Number.isFinite(Math.fround(largest / value));
    // A difference in the scores' common part changes no probability.
    const common = overflows ? largest : 0;
    for (let i = 0; i < scores.length; i++) scores[i] = (scores[i]! - common) / value;
  };
}

/** Keeps the `k` highest scores, and those equal to the lowest of them. */
export function topK(k: number): Processor {
  return (_ids, scores) => {
    const threshold = kthLargest(scores, Math.min(k, scores.length));
    for (let i = 0; i < scores.length; i++) if (scores[i]! < threshold) scores[i] = -Infinity;
  };
}

/** Nucleus sampling (Holtzman et al. 2019, arXiv:1904.09751): drops the tail of least likely tokens of mass 1 - p. */
export function topP(p: number, keep: number = 1): Processor {
  return (_ids, scores) => {
    const order = possible(scores).sort((a, b) => scores[a]! - scores[b]! || a - b);
    const largest = scores[order.at(-1)!]!;
    let sum = 0;
    for (const id of order) sum += Math.exp(scores[id]! - largest);
    let cumulative = 0;
    for (let i = 0; i < order.length - keep; i++) {
      const id = order[i]!;
      cumulative += Math.exp(scores[id]! - largest) / sum;
      if (cumulative > 1 - p) return;
      scores[id] = -Infinity;
    }
  };
}

/** Drops tokens less likely than `p` times the most likely. */
export function minP(p: number, keep: number = 1): Processor {
  return (_ids, scores) => {
    const kept = Math.min(kthLargest(scores, Math.min(keep, scores.length)), kthLargest(scores, 1) + Math.log(p));
    for (let i = 0; i < scores.length; i++) if (scores[i]! < kept) scores[i] = -Infinity;
  };
}

function possible(scores: Float32Array): number[] {
  const ids: number[] = [];
  for (let i = 0; i < scores.length; i++) if (Number.isFinite(scores[i])) ids.push(i);
  return ids;
}

/** The k-th largest value: a heap of the k largest so far, its least at the root. */
export function kthLargest(values: Float32Array, k: number): number {
  const heap = values.slice(0, k).sort();
  for (let i = k; i < values.length; i++) {
    const value = values[i]!;
    if (value <= heap[0]!) continue;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= k) break;
      if (child + 1 < k && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= value) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = value;
  }
  return heap[0]!;
}

/**
 * Text under way through a tokenizer's pipeline, with the place in the original that each of its UTF-16 units came from:
 * alignment as Hugging Face tokenizers 0.22 keeps it (NormalizedString), so that offsets are the same. Places are kept
 * only where somebody asks for offsets, and only from the first change on.
 */

export interface Aligned {
  readonly text: string;
  /** Where `text` begins in the original; its units follow one by one unless `places` says otherwise. */
  readonly base: number;
  readonly places: Places | undefined;
}

/** Unit i came from the units starts[i] to ends[i] of the original. */
interface Places {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Where the character that holds unit `at` begins in the original. */
export function placeStart({ text, base, places }: Aligned, at: number): number {
  if (places !== undefined) return places.starts[at]!;
  return base + (isLow(text, at) && at > 0 ? at - 1 : at);
}

/** Where the character that holds unit `at` ends in the original. */
export function placeEnd({ text, base, places }: Aligned, at: number): number {
  if (places !== undefined) return places.ends[at]!;
  const isPair = at + 1 < text.length && isLow(text, at + 1) && (text.charCodeAt(at) & 0xfc00) === 0xd800;
  return base + at + (isPair ? 2 : 1);
}

function isLow(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}

/** Units `start` to `end`. */
export function sliceAligned(aligned: Aligned, start: number, end: number): Aligned {
  const { text, base, places } = aligned;
  if (start === 0 && end === text.length) return aligned;
  const part = text.slice(start, end);
  if (places === undefined) return { text: part, base: base + start, places: undefined };
  return { text: part, base, places: { starts: places.starts.slice(start, end), ends: places.ends.slice(start, end) } };
}

/** `prefix` put before a text that is not empty; it has the place of the text's first character. */
export function prepend(aligned: Aligned, prefix: string, tracked: boolean): Aligned {
  const text = prefix + aligned.text;
  if (!tracked) return { ...aligned, text };
  const { starts, ends } = placesOf(aligned);
  const filled = (value: number, rest: readonly number[]): number[] =>
    Array.from({ length: prefix.length }, () => value).concat(rest);
  const places = { starts: filled(starts[0]!, starts), ends: filled(ends[0]!, ends) };
  return { text, base: aligned.base, places };
}

/** Every `old` replaced; what takes its place has the place of its last character. */
export function replaceAll(aligned: Aligned, old: string, content: string, tracked: boolean): Aligned {
  if (!aligned.text.includes(old)) return aligned;
  const text = aligned.text.replaceAll(old, () => content);
  if (!tracked) return { ...aligned, text };
  // One unit for one keeps its place by itself.
  if (old.length === 1 && content.length === 1) return { ...aligned, text };
  const from = placesOf(aligned);
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < aligned.text.length;) {
    const found = aligned.text.indexOf(old, at);
    for (const stop = found < 0 ? aligned.text.length : found; at < stop; at++) {
      starts.push(from.starts[at]!);
      ends.push(from.ends[at]!);
    }
    if (found < 0) break;
    at += old.length;
    for (let unit = 0; unit < content.length; unit++) {
      starts.push(from.starts[at - 1]!);
      ends.push(from.ends[at - 1]!);
    }
  }
  return { text, base: aligned.base, places: { starts, ends } };
}

/** Below U+0300 no character is changed. */
const couldCompose = /[\u{300}-\u{10ffff}]/u;
/** A character that begins anew under composition, and those behind it that may join it. */
const clusters = /[^\p{M}\u1160-\u11ff\uff9e\uff9f][\p{M}\u1160-\u11ff\uff9e\uff9f]*|[\p{M}\u1160-\u11ff]+/gu;

/** Canonical composition; a composed character has the place of the first that it is made of. */
export function composed(aligned: Aligned, tracked: boolean): Aligned {
  if (!couldCompose.test(aligned.text)) return aligned;
  const text = aligned.text.normalize("NFC");
  if (text === aligned.text) return aligned;
  if (!tracked) return { ...aligned, text };
  const from = placesOf(aligned);
  const starts: number[] = [];
  const ends: number[] = [];
  const parts: string[] = [];
  for (const { 0: cluster, index } of aligned.text.matchAll(clusters)) {
    const normal = cluster.normalize("NFC");
    parts.push(normal);
    const old = Array.from(cluster);
    const lost = Math.max(0, old.length - Array.from(normal).length);
    const places: number[] = [];
    old.reduce((at, character) => (places.push(at), at + character.length), index);
    Array.from(normal).forEach((character, i) => {
      const place = places[i === 0 ? 0 : Math.min(i + lost, places.length - 1)]!;
      for (let unit = 0; unit < character.length; unit++) {
        starts.push(from.starts[place]!);
        ends.push(from.ends[place]!);
      }
    });
  }
  // What the engine composes across these clusters has no place of its own: the ids are what counts.
  if (parts.join("") !== text) return { text, base: aligned.base, places: stretched(from, text.length) };
  return { text, base: aligned.base, places: { starts, ends } };
}

/** Places for a text of another length: those in proportion, in order. */
function stretched({ starts, ends }: Places, length: number): Places {
  const at = (unit: number): number => Math.min(Math.floor((unit * starts.length) / length), starts.length - 1);
  return {
    starts: Array.from({ length }, (_, unit) => starts[at(unit)]!),
    ends: Array.from({ length }, (_, unit) => ends[at(unit)]!),
  };
}

function placesOf(aligned: Aligned): Places {
  if (aligned.places !== undefined) return aligned.places;
  const starts = Array.from({ length: aligned.text.length }, (_, at) => placeStart(aligned, at));
  return { starts, ends: starts.map((_, at) => placeEnd(aligned, at)) };
}

/** Streams and numbers in parts: windows of items, ranges of numbers, and streams that are read more than once. */

export type Items<T> = AsyncIterable<T> | Iterable<T>;

/** Consecutive items, `size` together; the last may be fewer. */
export async function* inWindows<T>(items: Items<T>, size: number): AsyncGenerator<T[]> {
  let window: T[] = [];
  for await (const item of items) {
    window.push(item);
    if (window.length < size) continue;
    yield window;
    window = [];
  }
  if (window.length > 0) yield window;
}

/** As `inWindows`, of what is at hand. */
export function* inParts<T>(items: Iterable<T>, most: number): Generator<T[]> {
  let part: T[] = [];
  for (const item of items) {
    part.push(item);
    if (part.length < most) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

export interface StreamOptions {
  /** Items computed together. */
  readonly window?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** After every window: how many items are done. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/** `compute` over windows of a stream, its results one by one. @throws the signal's reason, between two windows. */
export async function* mapWindows<T, R>(
  items: Items<T>,
  compute: (window: readonly T[]) => Promise<readonly R[]>,
  { window, signal, onProgress }: StreamOptions & { readonly window: number },
): AsyncGenerator<R> {
  let done = 0;
  for await (const some of inWindows(items, window)) {
    signal?.throwIfAborted();
    const results = await compute(some);
    onProgress?.((done += some.length));
    yield* results;
  }
}

/** The first `count` items. */
export async function* take<T>(items: Items<T>, count: number): AsyncGenerator<T> {
  let left = count;
  if (left <= 0) return;
  for await (const item of items) {
    yield item;
    if (--left <= 0) return;
  }
}

/** A stream passed on, and its first items as they come: so many that their sizes (default 1 each) reach `count`. */
export function keepFirst<T>(
  items: Items<T>,
  count: number,
  sizeOf: (item: T) => number = () => 1,
): { readonly items: AsyncGenerator<T>; readonly first: readonly T[] } {
  const first: T[] = [];
  async function* passed(): AsyncGenerator<T> {
    let size = 0;
    for await (const item of items) {
      if (size < count) first.push(item);
      size += sizeOf(item);
      yield item;
    }
  }
  return { items: passed(), first };
}

/** What opens a stream each time it is read. */
export function reopened<T>(open: () => AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => open()[Symbol.asyncIterator]() };
}

/** Consecutive ranges of `count` numbers, `size` together; the last may be fewer. */
export function* ranges(count: number, size: number): Generator<[first: number, end: number]> {
  for (let first = 0; first < count; first += size) yield [first, Math.min(first + size, count)];
}

/** first, first + 1, … up to `end`, which is left out. */
export const numbersOf = (first: number, end: number): number[] =>
  Array.from({ length: end - first }, (_, i) => first + i);

/**
 * Many requests' items in one run of a network: while it runs, what comes waits, and then goes together. Requests take turns,
 * so that a long one does not keep a short one waiting.
 */

export interface Batcher<In, Out> {
  /** Items that wait or are computed. */
  readonly waiting: number;
  /** A result for every item. @throws the signal's reason; what the work throws for these items. */
  run(items: readonly In[], signal?: AbortSignal): Promise<Out[]>;
}

interface Entry<In, Out> {
  readonly items: readonly In[];
  readonly results: Out[];
  resolve(): void;
  reject(error: unknown): void;
  gone: boolean;
}

/** @param most items of a run. @param turn of them one request's, where others wait. */
export function createBatcher<In, Out>(
  work: (items: readonly In[]) => Promise<readonly Out[]>,
  { most, turn }: { readonly most: number; readonly turn: number },
): Batcher<In, Out> {
  const queue: Entry<In, Out>[] = [];
  let waiting = 0;
  let running = false;

  /** Takes items by turns, until there are enough. */
  const gather = (): { entry: Entry<In, Out>; items: readonly In[] }[] => {
    const parts: { entry: Entry<In, Out>; items: readonly In[] }[] = [];
    const behind: Entry<In, Out>[] = [];
    let room = most;
    while (room > 0 && queue.length > 0) {
      const entry = queue.shift()!;
      if (entry.gone) continue;
      const done = entry.results.length;
      const items = entry.items.slice(done, done + Math.min(room, queue.length > 0 ? turn : room));
      parts.push({ entry, items });
      room -= items.length;
      if (done + items.length < entry.items.length) behind.push(entry);
    }
    queue.push(...behind);
    return parts;
  };

  const settle = ({ entry, items }: { entry: Entry<In, Out>; items: readonly In[] }, results: readonly Out[]): void => {
    entry.results.push(...results.slice(0, items.length));
    if (entry.results.length === entry.items.length) entry.resolve();
  };

  const work1 = async (parts: readonly { entry: Entry<In, Out>; items: readonly In[] }[]): Promise<void> => {
    try {
      const results = await work(parts.flatMap(({ items }) => items));
      let at = 0;
      for (const part of parts) settle(part, results.slice(at, (at += part.items.length)));
    } catch (error) {
      // One request's item may be what is refused: each by itself shows whose.
      if (parts.length === 1) parts[0]!.entry.reject(error);
      else for (const part of parts) await work1([part]);
    }
  };

  const loop = async (): Promise<void> => {
    running = true;
    for (let parts = gather(); parts.length > 0; parts = gather()) await work1(parts);
    running = false;
  };

  return {
    get waiting(): number {
      return waiting;
    },
    async run(items, signal): Promise<Out[]> {
      signal?.throwIfAborted();
      if (items.length === 0) return [];
      waiting += items.length;
      const results: Out[] = [];
      let onAbort: (() => void) | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          const entry: Entry<In, Out> = {
            items,
            results,
            gone: false,
            resolve,
            reject(error): void {
              entry.gone = true;
              reject(error);
            },
          };
          onAbort = () => entry.reject(signal!.reason);
          signal?.addEventListener("abort", onAbort, { once: true });
          queue.push(entry);
          if (!running) void loop();
        });
        return results;
      } finally {
        waiting -= items.length;
        if (onAbort !== undefined) signal?.removeEventListener("abort", onAbort);
      }
    },
  };
}

/**
 * A binary heap, from which the trainers of vocabularies take the pair that they merge next. Items of which neither
 * precedes the other come in an order that the calls alone decide, so that training repeats.
 */

export interface Heap<Item> {
  push(item: Item): void;
  /** Takes out the item that no other precedes; undefined when there is none. */
  pop(): Item | undefined;
}

/** An empty heap; `precedes(a, b)` says whether `a` comes out before `b`. */
export function createHeap<Item extends object | number>(precedes: (a: Item, b: Item) => boolean): Heap<Item> {
  const items: Item[] = [];
  return {
    push(item) {
      let at = items.push(item) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!precedes(item, items[parent]!)) break;
        items[at] = items[parent]!;
        at = parent;
      }
      items[at] = item;
    },
    pop() {
      const top = items[0];
      const last = items.pop();
      if (last === undefined || items.length === 0) return top;
      // The last item sinks from the top to its place.
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child + 1 < items.length && precedes(items[child + 1]!, items[child]!)) child += 1;
        if (child >= items.length || !precedes(items[child]!, last)) break;
        items[at] = items[child]!;
        at = child;
      }
      items[at] = last;
      return top;
    },
  };
}

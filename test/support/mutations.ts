/** Files changed as damage and malice change them: bytes flipped, cut, repeated; JSON with other values in its places. */
import * as fc from "fast-check";

/** Values that readers trip over. */
const hostileValues: readonly unknown[] = [
  null,
  true,
  "",
  "x",
  "\ud800",
  "__proto__",
  0,
  -1,
  -0,
  0.5,
  7,
  1e9,
  2 ** 31,
  2 ** 53,
  1e300,
  [],
  {},
  [[]],
  [0],
  ["x"],
  { a: 1 },
  "x".repeat(5000),
];

export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(fc.constantFrom(...hostileValues), fc.jsonValue());

/** One to three changes: a value replaced, a field or an item taken out, put in or doubled. */
export function mutatedJson(original: unknown): fc.Arbitrary<unknown> {
  const change = fc.record({ at: fc.nat(), kind: fc.nat(3), value: hostileValue, key: fc.string() });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let root: unknown = structuredClone(original);
    for (const { at, kind, value, key } of changes) {
      const places = placesIn(root);
      const place = places[at % (places.length + 1)];
      if (place === undefined) root = kind === 0 ? structuredClone(value) : root;
      else changePlace(place, kind, structuredClone(value), key);
    }
    return root;
  });
}

type Place = readonly [parent: Record<string, unknown> | unknown[], key: string];

/** Every place in a value, deepest last. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const parent = value as Record<string, unknown>;
  return Object.keys(parent).flatMap((key) => [[parent, key] as const, ...placesIn(parent[key])]);
}

function changePlace([parent, key]: Place, kind: number, value: unknown, name: string): void {
  if (Array.isArray(parent)) {
    const at = Number(key);
    if (kind === 0) parent[at] = value;
    else if (kind === 1) parent.splice(at, 1);
    else parent.splice(at, 0, kind === 2 ? value : structuredClone(parent[at]));
    return;
  }
  const put = (field: string, one: unknown): unknown =>
    Object.defineProperty(parent, field, { value: one, enumerable: true, configurable: true, writable: true });
  if (kind === 0) put(key, value);
  else if (kind === 1) delete parent[key];
  else put(kind === 2 ? name : `${key}${name}`, kind === 2 ? value : structuredClone(parent[key]));
}

/** One to four flips, cuts, insertions, repeats or telling numbers; more of them near the beginning and the end. */
export function mutatedBytes(original: Uint8Array, near = 600): fc.Arbitrary<Buffer> {
  const change = fc.record({
    at: fc.oneof(
      fc.nat(original.length),
      fc.nat(Math.min(near, original.length)),
      fc.nat(Math.min(near, original.length)).map((back) => original.length - back),
    ),
    kind: fc.nat(4),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    number: fc.constantFrom(0, 1, 0x7fffffff, 0xffffffff, 0x80000000),
    length: fc.nat(200),
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    let bytes = Buffer.from(original);
    for (const { at, kind, bytes: given, number, length } of changes) {
      const place = Math.min(at, bytes.length);
      if (kind === 0) bytes.set(given.subarray(0, Math.max(0, bytes.length - place)), place);
      else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + length)]);
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, place), given, bytes.subarray(place)]);
      else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, place + length), bytes.subarray(place)]);
      else if (place + 4 <= bytes.length) bytes.writeUInt32LE(number, place);
    }
    return bytes;
  });
}

/** A text whose characters are changed so. */
export function mutatedText(original: string): fc.Arbitrary<string> {
  const inserted = fc.string({ unit: "binary", maxLength: 5 });
  return fc
    .tuple(fc.nat(original.length), fc.nat(20), inserted)
    .map(([at, removed, text]) => original.slice(0, at) + text + original.slice(at + removed));
}

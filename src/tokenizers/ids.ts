/** Ids as a program in JavaScript gives them to be decoded, and how far two lists of them, or two texts, agree. */
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";

/** @throws ConfigError where `ids` are no list of numbers. */
export function* idsOf(ids: Iterable<number>): Generator<number> {
  required("decode: ids", ids, "stream");
  let i = 0;
  for (const id of ids) {
    if (typeof id !== "number") {
      throw new ConfigError(
        `decode: ids[${i}]: expected a number, got ${typeof id === "bigint" ? `${id}n` : typeof id}`,
      );
    }
    yield id;
    i++;
  }
}

/** Characters, or ids, that two texts begin with alike. */
export function commonLength(a: ArrayLike<unknown>, b: ArrayLike<unknown>): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Ids as a program in JavaScript gives them to be decoded. */
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

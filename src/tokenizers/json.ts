/**
 * JSON files of tokenizers, read field by field: every field with its type, and none that nobody asked for, because a
 * tokenizer that is nearly right gives wrong ids without a word. Errors name file, field, what was expected and what
 * came.
 */
import { DataError } from "../errors.ts";
import { isTooDeep, shown } from "../schema.ts";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const again = "the file may be damaged, or of another tokenizer: get it again from where the model came from";

/** An error that names file, field, what was expected and what came. */
export function fieldError(
  file: string,
  field: string,
  expected: string,
  got: unknown,
  hint: string = again,
): DataError {
  const place = field.length > 200 ? `${field.slice(0, 200)}…` : field;
  return new DataError(`${file}: ${place}: expected ${expected}, got ${shown(got)}`, { hint });
}

/** @throws DataError where `text` is not a JSON object. */
export function parseJsonObject(file: string, text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${file}: expected JSON, got ${(error as Error).message}`, { hint: again, cause: error });
  }
  if (isTooDeep(value)) throw new DataError(`${file}: expected at most 100 levels of nesting`, { hint: again });
  return asObject(file, "the file", value);
}

/** @throws DataError where `value` is not an object. */
export function asObject(file: string, field: string, value: unknown): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fieldError(file, field, "an object", value);
  }
  return value as JsonObject;
}

/** Fields of one object of a file, each read with its type; `close` refuses those that nobody asked for. */
export interface Fields {
  string(name: string, absent?: string): string;
  boolean(name: string, absent?: boolean): boolean;
  /** A whole number from 0 to 2^31 - 1. */
  count(name: string, absent?: number): number;
  raw(name: string): Json | undefined;
  close(): void;
}

/** Reads the fields of `value`, which is at `path` of `file`. */
export function fieldsOf(file: string, path: string, value: unknown): Fields {
  const object = asObject(file, path, value);
  const asked = new Set<string>();
  const raw = (name: string): Json | undefined => {
    asked.add(name);
    return Object.hasOwn(object, name) ? object[name] : undefined;
  };
  const at = (name: string): string => (path === "the file" ? name : `${path}.${name}`);
  return {
    raw,
    string(name, absent) {
      const field = raw(name) ?? absent;
      if (typeof field !== "string" || !field.isWellFormed()) throw fieldError(file, at(name), "a string", field);
      return field;
    },
    boolean(name, absent) {
      const field = raw(name) ?? absent;
      if (typeof field !== "boolean") throw fieldError(file, at(name), "true or false", field);
      return field;
    },
    count(name, absent) {
      const field = raw(name) ?? absent;
      if (!isCount(field)) throw fieldError(file, at(name), "a whole number from 0", field);
      return field;
    },
    close() {
      for (const name of Object.keys(object)) {
        if (asked.has(name)) continue;
        const hint = `this file uses something that this reader does not know; it knows ${[...asked].join(", ")} here`;
        throw fieldError(file, at(name), "no such field", object[name], hint);
      }
    },
  };
}

export function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31;
}

/** The fields of a component that must be of one of `types`; its "type" is read already. */
export function component(
  file: string,
  path: string,
  value: unknown,
  types: readonly string[],
): [type: string, Fields] {
  const fields = fieldsOf(file, path, value);
  const type = fields.raw("type");
  if (typeof type !== "string" || !types.includes(type)) {
    const expected = types.map((name) => JSON.stringify(name)).join(" or ");
    throw fieldError(file, `${path}.type`, expected, type, "this tokenizer has a component that is not understood");
  }
  return [type, fields];
}

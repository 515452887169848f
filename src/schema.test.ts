import { describe, expect, test } from "vitest";
import * as z from "zod";
import { ConfigError, DataError } from "./errors.ts";
import { checked } from "./schema.ts";

const schema = z.strictObject({
  size: z.int().positive(),
  kind: z.enum(["a", "b"]).default("a"),
  parts: z.array(z.object({ name: z.string() })).optional(),
});

describe("checked", () => {
  test("gives what the schema makes of the value", () => {
    expect(checked(schema, { size: 2 }, "x")).toEqual({ size: 2, kind: "a" });
  });

  test.each([
    [{}, "x.json: size: expected number, got nothing"],
    [{ size: "2" }, 'x.json: size: expected number, got "2"'],
    [{ size: -1 }, "x.json: size: expected number to be >0, got -1"],
    [{ size: 1, kind: "c" }, 'x.json: kind: expected one of "a"|"b", got "c"'],
    [{ size: 1, parts: [{ name: "n" }, { name: null }] }, "x.json: parts.1.name: expected string, got null"],
    [{ size: 1, sise: 2 }, 'x.json: expected the known fields only, got "sise"'],
    [[], "x.json: expected object, got []"],
  ])("of %j says %s", (value, message) => {
    expect(() => checked(schema, value, "x.json")).toThrow(new ConfigError(message));
    expect(() => checked(schema, value, "x.json", DataError)).toThrow(DataError);
  });

  test("shows at most eighty characters of what came", () => {
    const long = { size: "x".repeat(500) };
    expect(() => checked(schema, long, "x.json")).toThrow(/^x\.json: size: expected number, got "x{79}$/);
  });
});

import { describe, expect, test } from "vitest";
import * as z from "zod";
import { checked } from "./schema.ts";

const said = (schema: z.ZodType, value: unknown): string => {
  try {
    checked(schema, value, "a.json");
  } catch (error) {
    return (error as Error).message;
  }
  return expect.unreachable("the value fits");
};

describe("what does not fit a schema", () => {
  test.each([
    [z.string(), 5, "a.json: expected string, got 5"],
    [z.object({ n: z.number() }), {}, "a.json: n: expected number, got nothing"],
    [z.union([z.array(z.string()), z.string()]), 7, "a.json: expected array or string, got 7"],
    [z.string().regex(/^a+$/), "b", 'a.json: expected text like /^a+$/, got "b"'],
    [z.string().refine(() => false), "b", 'a.json: expected another value, got "b"'],
    [z.number().multipleOf(4), 6, "a.json: expected a value that must be a multiple of 4, got 6"],
    [z.array(z.number()).min(2), [1], "a.json: expected array to have >=2 items, got [1]"],
  ])("is said in one way, without the library's own words: %#", (schema, value, message) => {
    expect(said(schema, value)).toBe(message);
  });

  test("is shown in part where it is long", () => {
    expect(said(z.number(), "x".repeat(1e6)).length).toBeLessThan(200);
  });
});

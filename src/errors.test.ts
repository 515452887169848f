import { describe, expect, test } from "vitest";
import { DataError } from "./errors.ts";

describe("a message", () => {
  test("keeps values of up to 200 characters", () => {
    const message = `a.txt:1: expected "x", got "${"y".repeat(200)}"`;
    expect(new DataError(message).message).toBe(message);
  });

  test.each([
    ["in quotes", (value: string) => `"${value}": expected one label, got 2`],
    ["that came, with quotes of its own", (value: string) => `expected a number, got "a"${value}"b" c"`],
    ["that is a list", (value: string) => `expected a number, got [${value}]`],
    ["that is JSON", (value: string) => `expected a number, got ${JSON.stringify({ value })}`],
  ])("shows the first 200 characters of a value %s", (_, made) => {
    const { message, hint } = new DataError(made("y".repeat(1e6)), { hint: "do this" });
    expect(message.length).toBeLessThan(300);
    expect(message).toMatch(/…/);
    expect([message.endsWith("Hint: do this"), hint]).toEqual([true, "do this"]);
  });
});

/** The published formats, and those of a user's task. */
import { expect, test } from "vitest";
import { ConfigError } from "../errors.ts";
import { tasks } from "../tasks/index.ts";
import { formatOf, maxTargetTokens, ownFormat } from "./formats.ts";

test("each task leaves the published room for its target", () => {
  expect(Object.keys(tasks).map((name) => [name, maxTargetTokens(formatOf(name))])).toEqual([
    ["bc5cdr", 375],
    ["kd-dti", 375],
    ["ddi", 375],
    ["pubmedqa", 115],
    ["pubmedqa-large", 139],
    ["hoc", 123],
    ["ner-chemical", 375],
    ["ner-disease", 375],
    ["ner-gene", 375],
    ["ner-jnlpba", 375],
  ]);
});

test("a user's task has what its file says, in proportion to its positions, or is refused", () => {
  const relation = { kind: "relation", name: "plants" } as const;
  expect(maxTargetTokens(ownFormat({ ...relation, maxSourceTokens: 600 }))).toBe(1024 - 600 - 9);
  expect(ownFormat({ ...relation, maxPositions: 512, promptLength: 1 })).toMatchObject({
    promptLength: 1,
    truncation: { maxPositions: 512, maxSourceTokens: 320 },
    decoding: { maxLength: 512 },
  });
  expect(ownFormat({ kind: "classification", name: "x" }).truncation.maxSourceTokens).toBe(900);
  expect(() => ownFormat({ ...relation, maxSourceTokens: 1020 })).toThrow(ConfigError);
  expect(() => ownFormat({ ...relation, maxSourceTokens: 1020 })).toThrow(/plants: expected .* below 1024 in sum/);
});

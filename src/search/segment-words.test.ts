/** Words that lie beside a segment are the words that its documents are cut into, or the file is refused. */
import { describe, expect, test } from "vitest";
import { indexedDocument } from "../../test/support/memory-index.ts";
import { DataError } from "../errors.ts";
import { wordFields } from "./conditions.ts";
import type { Change } from "./exact.ts";
import { cut, emptyMemory } from "./exact-memory.ts";
import { readWords, wordsFile } from "./segment-words.ts";

const documents = [
  indexedDocument({ id: "1", title: "Aspirin and stroke", abstract: "Naïve β-cells; aspirin again." }),
  indexedDocument({ id: "2", abstract: "" }),
  indexedDocument({ id: "3", abstract: "Strokes of the heart" }),
];
const memory = emptyMemory();
/** Words that these documents do not have come before theirs, as in a large index. */
cut(memory, indexedDocument({ id: "0", abstract: "kidneys and hearts" }));
const changes: Change[] = documents.map((document) => ({
  kind: "put",
  stored: { document, passages: [] },
  words: cut(memory, document),
}));
const file = wordsFile([{ kind: "delete", id: "9" }, ...changes])!;

test("each document has its title's words, a border, and the others", () => {
  const found = readWords(file, 3, "a.words")!;
  const shown = found.map(({ list, numbers }) => Array.from(numbers, (number) => (number === 0 ? "|" : list[number])));
  const expected = documents.map((document) => {
    const { title, rest } = wordFields(document);
    return [...title, "|", ...rest];
  });
  expect(shown).toEqual(expected);
  expect(found[0]!.list).not.toContain("kidney");
});

test("documents without their words make no file, and another version's file is not read", () => {
  expect(wordsFile([...changes, { kind: "put", stored: { document: documents[1]!, passages: [] } }])).toBeUndefined();
  const other = file.slice();
  other[0] = 99;
  expect(readWords(other, 3, "a.words")).toBeUndefined();
});

describe("is refused by name", () => {
  test.each([
    ["a file that is cut short", (): Uint8Array => file.subarray(0, -1), 3],
    ["an empty one", (): Uint8Array => file.subarray(0, 0), 3],
    ["one of other documents", (): Uint8Array => file, 4],
    [
      "a number that no word has",
      (): Uint8Array => {
        const wrong = file.slice();
        wrong[4 * (4 + 3)] = 250;
        return wrong;
      },
      3,
    ],
    [
      "a document longer than the file",
      (): Uint8Array => {
        const wrong = file.slice();
        wrong[4 * 4 + 1] = 1;
        return wrong;
      },
      3,
    ],
  ])("%s", (_, damaged, count) => {
    expect(() => readWords(damaged(), count, "a.words")).toThrow(/a\.words: expected the words of \d documents/);
    expect(() => readWords(damaged(), count, "a.words")).toThrow(DataError);
  });
});

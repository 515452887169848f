import { expect, test } from "vitest";
import { type AddedToken, addedTokenFinder } from "./added-tokens.ts";

const flags = { special: false, normalized: false, lstrip: false, rstrip: false, singleWord: false };
const tokens: AddedToken[] = [
  { ...flags, id: 1, content: "<l>", lstrip: true },
  { ...flags, id: 2, content: "<r>", rstrip: true },
  { ...flags, id: 3, content: "<n>" },
];

// Offsets of Hugging Face's tokenizers 0.22 (AddedToken with these flags).
test.each<[string, [content: string, start: number, end: number][]]>([
  ["a  <l>  b", [["<l>", 1, 6]]],
  ["a  <r>  b", [["<r>", 3, 8]]],
  ["a <n> b", [["<n>", 2, 5]]],
  [
    "<l> <r> <l>",
    [
      ["<l>", 0, 3],
      ["<r>", 4, 8],
      ["<l>", 8, 11],
    ],
  ],
])("of %j the tokens take the white space that is theirs", (text, expected) => {
  const parts = addedTokenFinder(tokens, ({ content }) => content)!.find(text)!;
  const found = parts.flatMap(({ token, start, end }) => (token === undefined ? [] : [[token.content, start, end]]));
  expect(found).toEqual(expected);
  expect(parts.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
});

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isSpace } from "./characters.ts";
import { punctuationMarks, simplifyText } from "./simplify.ts";

/** The rule step by step, with other means. */
function simplifiedSlowly(text: string): string {
  const numbers = text.toLowerCase().replace(/\p{Nd}+(?:[.,،٫⎖⎗⎘]\p{Nd}+)?/gu, "0");
  const isBlank = (unit: string): boolean => punctuationMarks.has(unit) || isSpace(unit.charCodeAt(0));
  const words = numbers
    .split("")
    .map((unit) => (isBlank(unit) ? " " : unit))
    .join("");
  const single = words
    .split(" ")
    .filter((word) => word !== "")
    .join(" ");
  const plain = single.normalize("NFD").replace(/\p{Mn}/gu, "");
  return plain.replace(/^ +| +$/g, "");
}

test.each([
  ["The Patients’ (N = 1,234) mean—age: 61.5 years!", "the patients n 0 mean age 0 years"],
  ["  Naïve\tÉtude\n\n1.2.3 ", "naive etude 0 0"],
  ["٣٫٥ mg and ½", "0 mg and ½"],
  ["don't", "don t"],
  ["...", ""],
])("%j becomes %j", (text, simple) => {
  expect(simplifyText(text)).toBe(simple);
});

test("one pass gives what the steps give one after the other", () => {
  const characters = fc.constantFrom(
    ..."aAéÉ\u0301ßİΣ0123.,'’-–—()%μα≠½² \t\n\u00A0\u2009\u0085٣،٫⎖中。ｱ😀𝟘\u0345\u3000",
  );
  const texts = fc.oneof(
    fc.array(characters, { maxLength: 40 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect(simplifyText(text)).toBe(simplifiedSlowly(text));
    }),
    { numRuns: 5000, seed: 3 },
  );
});

/** A few cuts to look at; `datatrove.test.ts` has those of thousands of texts. */
import { describe, expect, test } from "vitest";
import { specials } from "./special-words.ts";
import { splitBySentencizer, splitWords, tokensOf } from "./words.ts";

describe("words", () => {
  test.each([
    ["Don't stop; he's here.", "Do n't stop ; he 's here ."],
    ["(and/or) 5mg of IL-1β/TNF-α, e.g. p<0.05", "( and/or ) 5 mg of IL-1β / TNF - α , e.g. p<0.05"],
    ["See http://a.example.org/x?y=1, or me@example.org.", "See http://a.example.org/x?y=1 , or me@example.org ."],
    ["a\u00A0b\u3000c\u200Bd", "a b c\u200Bd"],
  ])("of %j are %j", (text, words) => {
    expect(splitWords(text).join(" ")).toBe(words);
  });

  test("special ones are spaCy's 1,347", () => {
    expect(specials.size).toBe(1347);
    for (const [word, tokens] of specials) expect(tokens.join("")).toBe(word);
  });

  test("and white space are all of a text, each where it says", () => {
    const text = "  I'm-ok,  (don't)\n\n<space> and/or,x\t8-) :)";
    const { tokens, starts } = tokensOf(text);
    for (const [i, token] of tokens.entries()) expect(text.startsWith(token, starts[i])).toBe(true);
    expect(tokens.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
  });

  test("cut across white space are not special", () => {
    expect(splitWords("< space > and <space>")).toEqual(["<", "space", ">", "and", "<space>"]);
  });
});

test("sentences are all of a text, one after the other", () => {
  const text = "One. Two (2.5 mg)? Three!  \nFour";
  expect(splitBySentencizer(text)).toEqual(["One.", " Two (2.5 mg)?", " Three!", "  \nFour"]);
  expect(splitBySentencizer("")).toEqual([""]);
});

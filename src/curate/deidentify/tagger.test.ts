/** A tagger's words as identifiers: labels, long notes, what it does not read. */
import { expect, test } from "vitest";
import { ConfigError } from "../../errors.ts";
import type { Tagger } from "../../labellers.ts";
import { checkLabels, findByTagger } from "./tagger.ts";

/** Tags words that `named` holds, and reads `most` words of a sentence. */
const taggerOf = (named: Readonly<Record<string, string>>, most = 1000): Tagger => ({
  labels: ["O", ...Object.values(named).map((name) => `B-${name}`)],
  reads: (words) => Math.min(words.length, most),
  tag: (sentences) =>
    Promise.resolve(
      sentences.map((words) =>
        words.map((word, i) => (i < most && named[word] !== undefined ? `B-${named[word]}` : "O")),
      ),
    ),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

test("labels of i2b2 and of others are classes, and those that are none are left", async () => {
  const text = "Zanthor saw Quill at Norcraft, aged 91 and 45, in 2012, for a drug.";
  const tagger = taggerOf({
    Zanthor: "DOCTOR",
    Quill: "patient",
    Norcraft: "HOSPITAL",
    drug: "DRUG",
    91: "AGE",
    45: "AGE",
    2012: "DATE",
  });
  const [found] = await findByTagger(tagger, [text]);
  expect(found!.map((one) => `${one.class} ${text.slice(one.start, one.end)}`)).toEqual([
    "NAME Zanthor",
    "NAME Quill",
    "LOCATION Norcraft",
    "AGE 91",
  ]);
});

test("a long note is tagged to its end, in parts and with a model that reads few words", async () => {
  const text = Array.from({ length: 700 }, (_, i) => (i % 50 === 49 ? `word${i} Quill.` : `word${i}`)).join(" ");
  for (const most of [7, 50, 1000]) {
    const [found, other] = await findByTagger(taggerOf({ Quill: "NAME" }, most), [text, "Quill"]);
    expect(found!.map((one) => text.slice(one.start, one.end))).toEqual(Array.from({ length: 14 }, () => "Quill"));
    expect(other).toMatchObject([{ start: 0, end: 5 }]);
  }
});

test("a tagger of other things is refused by its labels", () => {
  expect(() => checkLabels({ labels: ["O", "B-Chemical", "I-Chemical"] }, "model")).toThrow(ConfigError);
  expect(() => checkLabels({ labels: ["O", "B-PATIENT"] }, "model")).not.toThrow();
});

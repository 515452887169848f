/** Terms of the bias report: what is counted as what, and what is no harmful speech. */
import { expect, test } from "vitest";
import { addTerms, biasGroups, countTerms } from "./terms.ts";

const none = Object.fromEntries(biasGroups.map((group) => [group, {}]));

test("words are counted as their terms, by group, whatever their case", () => {
  expect(countTerms("Women and a MAN; she saw her cardiologist in Kenya. Older adults in the US.")).toEqual({
    ...none,
    sex: { female: 1, male: 1 },
    pronoun: { she: 2 },
    age: { older: 1, adult: 1 },
    region: { "sub-saharan africa": 1, "north america": 1 },
    specialty: { cardiology: 1 },
  });
});

test("pairs of words count where a space alone parts them, and a word may be of two groups", () => {
  const counts = countTerms("African American and Asian patients; New Zealand, new. Zealand; Māori; public health");
  expect(counts.ethnicity).toEqual({ black: 1, asian: 1, indigenous: 1 });
  expect(counts.region).toEqual({ "sub-saharan africa": 1, "north america": 1, oceania: 2 });
  expect(counts.specialty).toEqual({ "public health": 1 });
});

test("parts of words and other meanings do not count", () => {
  expect(countTerms("womanly, sheet, mankind, unmanned, let us go, Turkeys")).toEqual(none);
  expect(countTerms("the His bundle").pronoun).toEqual({});
});

test("sexual health, anatomy and drugs are no harmful speech; insults and stigma are", () => {
  const clinical =
    "Vaginal discharge after unprotected anal intercourse; penis and breast examined; rape kit; heroin use disorder; oral sex; gay men; HIV.";
  expect(countTerms(clinical).harmful).toEqual({});
  expect(countTerms("The idiot called him a junkie.").harmful).toEqual({ insult: 1, stigma: 1 });
});

test("counts of texts add up to those of their sum", () => {
  const texts = ["She has cancer.", "He and she live in Peru.", ""];
  expect(addTerms(texts.map(countTerms))).toEqual(countTerms(texts.join("\n")));
});

test("a text of 2 Mi characters without white space gets an answer", () => {
  for (const unit of ["a", "a-", "é", ".", "1"]) expect(countTerms(unit.repeat((2 << 20) / unit.length))).toEqual(none);
});

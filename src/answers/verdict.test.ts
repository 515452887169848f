import { expect, test } from "vitest";
import type { AnswerSentence } from "./types.ts";
import { verdictOf } from "./verdict.ts";

const question = "Does aspirin prevent stroke in women?";
const sentence = (quote: string, covers: number): AnswerSentence => {
  const citation = { id: "1", start: 0, end: quote.length, quote, title: "", year: null, retracted: false };
  return { text: quote, citations: [citation], support: 0.8, covers };
};
const effective = sentence("Aspirin was effective and significantly reduced stroke in women.", 1);
const denied = sentence("Aspirin did not prevent stroke in women; there was no significant difference.", 1);

// No shares: the model's constant says nothing of this evidence.
const nothing = { answer: "unclear", shares: null, yes: [], no: [] };

test("sentences that speak of what is asked make a verdict, each on its side", async () => {
  const found = await verdictOf(question, [effective]);
  expect(found.answer).toBe("yes");
  expect(found.yes).toEqual([effective]);
  const other = await verdictOf(question, [denied]);
  expect(other.answer).toBe("no");
  expect(other.no).toEqual([denied]);
});

test("what speaks of something else stands on no side, and alone makes no verdict", async () => {
  const aside = sentence("Heparin was effective and significantly reduced thrombosis.", 0.3);
  expect(await verdictOf(question, [aside])).toEqual(nothing);
  const both = await verdictOf(question, [denied, denied, aside]);
  expect(both).toMatchObject({ answer: "no", yes: [], no: [denied, denied] });
});

test("one sentence of several makes no verdict, and is shown all the same", async () => {
  const aside = sentence("Heparin was effective and significantly reduced thrombosis.", 0.3);
  const found = await verdictOf(question, [denied, aside]);
  expect(found).toMatchObject({ answer: "unclear", yes: [], no: [denied] });
});

test("a sentence that lacks what the question's verb is about stands on no side", async () => {
  const other = sentence("Aspirin did not change blood pressure in women; there was no significant difference.", 0.9);
  expect(await verdictOf(question, [other])).toEqual(nothing);
});

test("counted words do not judge whether something is safe: no harm is no denial", async () => {
  const harmless = sentence("In pregnancy aspirin was not associated with an increase in bleeding.", 1);
  const found = await verdictOf("Is aspirin safe in pregnancy?", [harmless]);
  expect(found).toEqual(nothing);
});

test("'not only' denies nothing", async () => {
  const both = sentence("Aspirin is not only associated with fewer infarctions, but also prevents stroke in women.", 1);
  expect(await verdictOf(question, [both])).toMatchObject({ answer: "yes", yes: [both] });
});

test("a side is not named without a sentence that stands on it", async () => {
  const bare = sentence("Women took aspirin, and stroke was counted.", 1);
  const { answer, shares, yes } = await verdictOf(question, [bare, bare]);
  expect([answer, yes]).toEqual(["unclear", []]);
  expect(shares!.yes).toBeGreaterThan(0.5);
});

test("evidence that favours no side is called unclear", async () => {
  const { answer, shares } = await verdictOf(question, [effective, denied]);
  expect(Math.max(...Object.values(shares!))).toBeLessThan(0.6);
  expect(answer).toBe("unclear");
});

test("a judge is asked about the sentences that count, and held to the same share", async () => {
  const asked: (readonly string[])[] = [];
  const judge = (yes: number) => ({
    judge: async (_: string, evidence: readonly string[]) => {
      asked.push(evidence);
      return { yes, no: 1 - yes, maybe: 0 };
    },
  });
  const aside = sentence("Heparin was effective.", 0.1);
  expect((await verdictOf(question, [effective, effective, aside], judge(0.9))).answer).toBe("yes");
  expect((await verdictOf(question, [effective, effective, aside], judge(0.55))).answer).toBe("unclear");
  const both = [effective.text, effective.text];
  expect(asked).toEqual([both, both]);
  expect((await verdictOf(question, [aside], judge(0.9))).answer).toBe("unclear");
  expect(asked).toHaveLength(2);
});

import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { CorpusDocument, CorpusSection } from "../../corpus/corpus-document.ts";
import type { Outcome } from "../stage.ts";
import { profileNames } from "./quality-profiles.ts";
import { qualitySettings, qualityStage } from "./quality.ts";

const section = (text: string, kind: CorpusSection["kind"] = "text"): CorpusSection => ({ title: "", kind, text });

function documentOf(kind: string, ...sections: readonly CorpusSection[]): CorpusDocument {
  return {
    id: "test:1",
    source: "test",
    kind,
    title: "A title",
    sections,
    date: null,
    language: null,
    licence: null,
    metadata: {},
  };
}

async function outcomeOf(document: CorpusDocument, settings: z.input<typeof qualitySettings> = {}): Promise<Outcome> {
  const stage = await qualityStage.open(qualitySettings.parse(settings), { folder: "." });
  return (await stage.run([document]))[0]!;
}

const papers = { kinds: { test: { profile: "papers" } } } as const;
const ruleOf = (outcome: Outcome): string => (outcome.keep ? "kept" : outcome.rule);

const abstract =
  "We gave 42 patients 5-HT3 antagonists (0.5 mg/kg, i.v.) or placebo; nausea fell from 61% to 23% (P<0.01). The effect " +
  "lasted for 24 h and did not depend on age. No patient had to be withdrawn";
const note =
  "CHIEF COMPLAINT: Cough.\nROS: Negative for fever, chills, weight loss, chest pain, nausea.\nMEDICATIONS:\n- Lisinopril 10 mg " +
  "daily\n- Metformin 500 mg b.i.d.\n- Aspirin 81 mg daily\nPLAN: Recheck in 2 weeks, sooner if worse";
const criteria = `- Age 18 or older\n- Type 2 diabetes, HbA1c > 6.5%\n- Able to consent\n- No insulin\n- No renal disease\n- BMI < 40\n
- No cancer within 5 years\n- No pregnancy`;

describe("rules on quality", () => {
  test.each([
    ["pubmed", abstract],
    ["clinical-notes", note],
    ["clinicaltrials", criteria],
    ["rows", abstract],
  ])("keep what %s has, which the papers' thresholds drop", async (kind, text) => {
    expect(await outcomeOf(documentOf(kind, section(text)))).toEqual({ keep: true });
    expect(ruleOf(await outcomeOf(documentOf("test", section(text)), papers))).toMatch(/^gopher/);
  });

  test.each(profileNames)("of profile %s drop what is no prose", async (profile) => {
    const settings = { kinds: { test: { profile } } };
    const bad = {
      numbers: Array.from({ length: 80 }, (_, i) => `${i} ${i * 1.7} ±${i % 7}`).join("\n"),
      one: "Home | About | Contact | Sign in",
      again: "Please turn on cookies to read this page of ours today. ".repeat(40),
      twice: `${abstract}. `.repeat(3),
      letters: "a b c d e f g h i j k l m n o p q r s t u v w x y z ".repeat(4),
    };
    for (const [name, text] of Object.entries(bad)) {
      const outcome = await outcomeOf(documentOf("test", section(text)), settings);
      expect(outcome.keep, `${name} of ${profile}`).toBe(false);
    }
  });

  test("say what was measured, and the limit", async () => {
    expect(await outcomeOf(documentOf("pubmed", section("Too short to be a text.")))).toEqual({
      keep: false,
      rule: "gopher-few-words",
      detail: "6 words, at least 20",
    });
  });

  test("judge prose alone: neither table nor references help or harm", async () => {
    const table = section("1\t2\t3\n".repeat(500), "table");
    const references = section("Smith J. 2010.\n".repeat(300), "reference");
    expect(await outcomeOf(documentOf("jats", section(`${abstract}.`), table, references))).toEqual({ keep: true });
    expect(ruleOf(await outcomeOf(documentOf("jats", table, references)))).not.toBe("kept");
  });

  test("on lines leave the other sections as they are, and are counted", async () => {
    const line =
      "The patients of the first group were seen again in the clinic after a year, and that was the end of it.";
    const page = `Sign in\n${line}\n${line.replace("first", "second")} [12]\nRead our cookie policy to see what we have to say.\n${line.replace("year", "month").replaceAll(".", ". So it was.")}`;
    const table = section("n\t1\nSign in", "table");
    const outcome = await outcomeOf(documentOf("html", section(page), table), {
      rules: { repetition: false, c4: { leastSentences: 2 }, fineweb: false },
    });
    expect(outcome).toMatchObject({ keep: true, changes: { "c4-few-words": 1, "c4-policy": 1, "c4-citation": 1 } });
    const [prose, other] = outcome.keep ? outcome.document!.sections : [];
    expect(prose!.text).not.toMatch(/Sign in|cookie|\[12\]/);
    expect(other).toEqual(table);
  });

  test("a section of which C4's rules leave nothing goes", async () => {
    const line =
      "The patients of the first group were seen again in the clinic after a year, and that was the end of it.";
    const lines = [1, 2, 3, 4, 5].map((i) => line.replace("first", `${i}th`)).join("\n");
    const outcome = await outcomeOf(documentOf("html", section("Menu"), section(lines)), {
      rules: { repetition: false, fineweb: false },
    });
    expect(outcome).toMatchObject({ keep: true, document: { sections: [{ text: lines }] } });
  });

  test("thresholds of a kind go before those for all, and these before a profile's", async () => {
    const document = documentOf("pubmed", section(abstract));
    expect(ruleOf(await outcomeOf(document, { rules: { gopher: { leastWords: 100 } } }))).toBe("gopher-few-words");
    const kinds = { pubmed: { gopher: { leastWords: 10 } } };
    expect(ruleOf(await outcomeOf(document, { rules: { gopher: { leastWords: 100 } }, kinds }))).toBe("kept");
    expect(ruleOf(await outcomeOf(document, { rules: { fineweb: true } }))).toBe("fineweb-punctuated-lines");
    const off = { gopher: false, repetition: false };
    expect(ruleOf(await outcomeOf(documentOf("pubmed", section("Short.")), { rules: off }))).toBe("kept");
  });

  test("settings with a name that no rule has are refused", () => {
    expect(qualitySettings.safeParse({ rules: { gopher: { fewestWords: 3 } } }).success).toBe(false);
    expect(qualitySettings.safeParse({ kinds: { jats: { profile: "best" } } }).success).toBe(false);
  });
});

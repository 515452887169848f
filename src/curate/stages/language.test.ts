import { describe, expect, test } from "vitest";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { readLines } from "../../io/lines.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import type { Outcome } from "../stage.ts";
import { languageStage, type LanguageSettings } from "./language.ts";

const documentOf = (text: string, language: string | null = null): CorpusDocument => ({
  id: "test:1",
  source: "test",
  kind: "pubmed",
  title: "",
  sections: [{ title: "", kind: "abstract", text }],
  date: null,
  language,
  licence: null,
  metadata: {},
});

async function outcomes(
  texts: readonly string[],
  settings: Partial<LanguageSettings> = {},
): Promise<readonly Outcome[]> {
  const stage = await languageStage.open(languageStage.settings.parse(settings), { folder: "." });
  return stage.run(texts.map((text) => documentOf(text)));
}

const sentences: Readonly<Record<string, string>> = {
  en: "The patients were given the new drug twice a day for six weeks, and their blood pressure fell in both groups.",
  de: "Die Kranken bekamen das neue Mittel sechs Wochen lang zweimal am Tag, und ihr Blutdruck sank in beiden Gruppen.",
  fr: "Les malades ont reçu le nouveau médicament deux fois par jour pendant six semaines, et leur tension a baissé.",
  es: "Los enfermos recibieron el nuevo medicamento dos veces al día durante seis semanas y su tensión arterial bajó.",
  it: "I malati hanno ricevuto il nuovo farmaco due volte al giorno per sei settimane e la loro pressione è scesa.",
  pt: "Os doentes receberam o novo medicamento duas vezes por dia durante seis semanas e a sua tensão arterial baixou.",
  nl: "De zieken kregen het nieuwe middel zes weken lang twee keer per dag, en hun bloeddruk daalde in beide groepen.",
  pl: "Chorzy dostawali nowy lek dwa razy dziennie przez sześć tygodni, a ich ciśnienie krwi spadło w obu grupach.",
  ru: "Больные получали новое лекарство два раза в день в течение шести недель, и давление у них снизилось.",
  zh: "病人每天两次服用这种新药，为期六周，两组病人的血压都下降了，没有人出现严重的不良反应。医生认为这种药物是安全的，可以继续使用。",
  ja: "患者は新しい薬を一日二回、六週間にわたって飲み、どちらの群でも血圧が下がった。重い副作用は誰にも見られなかった。",
};

describe("languages", () => {
  test("eleven are told apart, and only those asked for stay", async () => {
    const found = await outcomes(Object.values(sentences));
    for (const [i, code] of Object.keys(sentences).entries()) {
      const outcome = found[i]!;
      if (code === "en")
        expect(outcome).toMatchObject({ keep: true, document: { language: "en" }, changes: { language: 1 } });
      else
        expect(outcome).toMatchObject({ keep: false, rule: "language", detail: expect.stringContaining(`${code} 0.`) });
    }
  });

  test("other languages can be kept, and are written down", async () => {
    const [german] = await outcomes([sentences["de"]!], { keep: ["de", "fr"] });
    expect(german).toMatchObject({ keep: true, document: { language: "de" } });
  });

  test("what is too short to tell stays as it is, and is counted", async () => {
    expect(await outcomes(["Prozac", "12.5 (3.4) 17 %", ""])).toEqual(
      Array.from({ length: 3 }, () => ({ keep: true, changes: { "language-too-short": 1 } })),
    );
  });

  test("a language that is known already is no change", async () => {
    const stage = await languageStage.open(languageStage.settings.parse({}), { folder: "." });
    expect(await stage.run([documentOf(sentences["en"]!, "en")])).toEqual([{ keep: true }]);
  });

  test("an English summary does not hide a text in another language", async () => {
    const [mixed] = await outcomes([sentences["en"]! + ` ${sentences["de"]}`.repeat(80)]);
    expect(mixed).toMatchObject({ keep: false, rule: "language" });
  });

  test("letters without a language are not sure enough", async () => {
    const [sequence] = await outcomes([`${"ACGTTGCAAGGCTTAACCGGATATCGGA".repeat(3)} `.repeat(5)]);
    expect(sequence).toMatchObject({ keep: false, rule: expect.stringMatching(/^language/) });
  });

  test.skipIf(!hasShared("data/corpus"))("a thousand real abstracts are English", async () => {
    const texts: string[] = [];
    for await (const { text } of readLines(shared("data/corpus/abstracts.jsonl.zst"))) {
      texts.push((JSON.parse(text) as { text: string }).text);
      if (texts.length === 1000) break;
    }
    expect((await outcomes(texts)).filter(({ keep }) => !keep)).toEqual([]);
  });
});

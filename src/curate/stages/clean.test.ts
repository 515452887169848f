import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CorpusDocument, SectionKind } from "../../corpus/corpus-document.ts";
import { cleanRules, cleanStage, type CleanSettings } from "./clean.ts";

function documentOf(text: string, kind: SectionKind = "text", title = ""): CorpusDocument {
  return {
    id: "test:1",
    source: "test",
    kind: "jats",
    title,
    sections: [{ title: "", kind, text }],
    date: null,
    language: null,
    licence: null,
    metadata: {},
  };
}

async function cleaned(
  document: CorpusDocument,
  settings: Partial<CleanSettings> = {},
): Promise<{ document: CorpusDocument; changes: Readonly<Record<string, number>> }> {
  const stage = await cleanStage.open(cleanStage.settings.parse(settings), { folder: "." });
  const [outcome] = await stage.run([document]);
  if (outcome?.keep !== true) throw new Error("dropped");
  return { document: outcome.document ?? document, changes: outcome.changes ?? {} };
}

const textOf = async (text: string, settings: Partial<CleanSettings> = {}): Promise<string> =>
  (await cleaned(documentOf(text), settings)).document.sections.map((section) => section.text).join("|");

describe("cleaning up", () => {
  test.each([
    ["mojibake", "the patientâ€™s Î²-cells at 37 Â°C, Ã©tude", "the patient’s β-cells at 37 °C, étude"],
    ["mojibake", "twice: Ã\u0083Â©", "twice: é"],
    ["line-ends", "one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"],
    ["control-characters", "a\u0000b\u0007c\uFEFFd\uD800e", "abcde"],
    ["zero-width", "one\u200Btwo\u200Dthree", "onetwothree"],
    ["soft-hyphens", "haem\u00ADagglu\u00AD\ntinin", "haemagglutinin"],
    ["ligatures", "e\uFB00ect, \uFB01rst, \uFB02ow", "effect, first, flow"],
    ["unicode", "e\u0301tude", "étude"],
    ["entities", "eGFR &lt; 60, &alpha;&#x3B2;&#947; R&amp;D &amp;amp;gt; &bogus;", "eGFR < 60, αβγ R&D > &bogus;"],
    ["markup", "10<sup>-3</sup> Cu<sup>2+</sup> H<sub>2</sub>O <i>E. coli</i><!-- note -->", "10^-3 Cu2+ H2O E. coli"],
    ["markup", "<p>one</p><p class='x'>two</p>", "one\n\ntwo"],
    ["copyright", "It works. © 2006 Elsevier Ltd. All rights reserved.", "It works."],
    ["copyright", "Text.\nCopyright 2011 The Authors\nMore.", "Text.\nMore."],
    ["truncation", "no differences.(ABSTRACT TRUNCATED AT 250 WORDS)", "no differences."],
    ["downloads", "Text.\nDownloaded from www.example.org by a guest\nMore.", "Text.\nMore."],
    ["view-lines", "Text.\nTo view this article online, visit example.org\nMore.", "Text.\nMore."],
    ["page-numbers", "Text.\nPage 3 of 12\n- 4 -\nMore.", "Text.\nMore."],
    ["hyphenation", "inflammation of mice: inflam-\nmation", "inflammation of mice: inflammation"],
    ["hyphenation", "a beta-blocker, a beta-\nblocker", "a beta-blocker, a beta-blocker"],
    ["citations", "as was shown [1,2], and then [3–5].", "as was shown, and then."],
    ["spaces", " one\u00A0 two\u2009three  \n\n\n\nfour", "one two three\n\nfour"],
  ])("%s: %j becomes %j, and is counted", async (rule, before, after) => {
    const { document, changes } = await cleaned(documentOf(before));
    expect(document.sections[0]!.text).toBe(after);
    expect(changes[rule]).toBeGreaterThan(0);
  });

  test("breaks of words are mended where many full lines have one, and first parts keep their hyphen", async () => {
    const line = "Of the patients who were examined in this stu-\ndy none had the non-\n";
    const text = `${line.repeat(1)}specific signs that were described for this kind of inflam-\nmation of the large inte-\nstine and the gall blad-\nder.`;
    const long = text.replaceAll("the non-", "the rather surprisingly frequent non-");
    const wider = long
      .replace("mation of the", "mation, as far as we can tell, of the")
      .replace("stine and the gall", "stine and, in some of them, of the gall");
    expect(await textOf(wider)).toContain("in this study none had the rather surprisingly frequent non-specific signs");
    expect(await textOf(wider)).toContain("inflammation, as far as we can tell, of the large intestine and");
  });

  test("round brackets are citations where a text cites so throughout", async () => {
    const sentences = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `This was described before (${number}).`);
    expect(await textOf(`${sentences.join(" ")} It was confirmed later (2, 4-6).`)).toBe(
      `${"This was described before. ".repeat(8)}It was confirmed later.`,
    );
  });

  test.each([
    "p<0.05 and a<b and c>d, 3 < 5 > 2",
    "[18F]FDG and [3H]thymidine, [14]C, benzo[1,2-b]furan, [1,2]oxazine, [2,3]-shift",
    "the median was 3 (1-3), hazard ratio 1.2 (1-3) and a CI of [1, 3]",
    "F[1,23] = 2.36; t[211] = .5; λ ∈ [650, 800] nm; range [1,5]",
    "from not at all [0] to very much [100], as was said [3].",
    "aims: (1) to ask, (2) to answer, (3) to stop. See equation (2).",
    "Dear Dr. R&D; AT&T; 5 & 6",
    "10(-3) mol, CD4(+) cells, Na(+), H(2)O, x² = 4, ½, µg, ﬃx ﬀ".replace(/ﬃx ﬀ/, "x"),
    "Copyright law is discussed in this paper; © is a sign.",
    "a dash ends this line -\nand the next goes on; post-\ntraumatic",
    "Zürich, Ångström, naïve, Îles, Ïambe, SÃO PAULO, Â",
    "نمی\u200Cخواهم 👩\u200D⚕️ क्\u200Dष",
  ])("%j stays as it is", async (text) => {
    expect(await cleaned(documentOf(text))).toEqual({ document: documentOf(text), changes: {} });
  });

  test("a rule that is off changes nothing", async () => {
    for (const { name } of cleanRules) {
      const off = cleanRules.map((rule) => rule.name).filter((other) => other !== name);
      expect(
        Object.keys((await cleaned(documentOf("  a&amp;b <i>c</i> [1] e\u0301 © 2006 Elsevier"), { off })).changes),
      ).toSatisfy((names: string[]) => names.every((changed) => changed === name));
    }
  });

  test("titles and tables are put right, but lose neither tabs nor lines", async () => {
    const table = "n\t12 [1]\np\t&lt;0.05\nPage 3 of 4";
    const { document } = await cleaned(documentOf(table, "table", "E\uFB00ects &amp; causes [1]"));
    expect(document.title).toBe("Effects & causes [1]");
    expect(document.sections[0]!.text).toBe("n\t12 [1]\np\t<0.05\nPage 3 of 4");
  });

  test("a section of which nothing is left goes", async () => {
    const { document } = await cleaned(documentOf("© 2010 Elsevier Inc. All rights reserved."));
    expect(document.sections).toEqual([]);
  });

  test("cleaning twice is cleaning once", async () => {
    const fragments = fc.constantFrom(
      ..."&amp; amp; lt; & < > b <b> </b> <p> <i> sup <sup> </sup> &lt;b&gt; &#60; &#x26; [1] [2,3] [0] [ ] (1) (2) (3) (4) , . ; - 1 2 12".split(
        " ",
      ),
      ..."â€™ Ã Â © € ™ Î ± e\u0301 \u00AD \uFB01 \u200B \u200D \uD800 \u0000 \u0085 \u2028 \u2029 \u00A0 copyright © (c) 2010 Elsevier Inc.".split(
        " ",
      ),
      ..." ,\n,\n\n,\t,  ,-\n,Page 3 of 4,Page,All rights reserved.,Downloaded from x,study,stu,dy,inflam,mation,non,word".split(
        ",",
      ),
    );
    const texts = fc.array(fragments, { maxLength: 40 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.oneof(texts, fc.string({ unit: "binary", maxLength: 60 })), async (text) => {
        const once = await cleaned(documentOf(text, "text", text));
        const twice = await cleaned(once.document);
        expect(twice).toEqual({ document: once.document, changes: {} });
      }),
      { numRuns: 1500, seed: 20261127 },
    );
  });

  test("letters of words stay", async () => {
    const words = fc.array(fc.stringMatching(/^[A-Za-zäéßβλ]{1,12}$/), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(words, async (some) => {
        expect(await textOf(some.join(" "))).toBe(some.join(" "));
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { mosesDetokenize } from "./detokenizer.ts";
import { packedRanges } from "./tables.ts";
import { type MosesToken, createMosesMapper, mosesTokenize } from "./moses.ts";

const WS = "\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const N = characterClass(packedRanges.number);
const AN = characterClass(packedRanges.alphanumeric);
const A = characterClass(packedRanges.alphabetic);
const L = characterClass(packedRanges.lowercase);

const alphabetic = new RegExp(`[${A}]`, "u");
const lowercase = new RegExp(`^[${L}]`, "u");
const abbreviations = new Set(
  (
    "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Adj Adm Adv Asst Bart Bldg Brig Bros Capt Cmdr Col Comdr " +
    "Con Corp Cpl DR Dr Drs Ens Gen Gov Hon Hr Hosp Insp Lt MM MR MRS MS Maj Messrs Mlle Mme Mr Mrs Ms Msgr Op Ord " +
    "Pfc Ph Prof Pvt Rep Reps Res Rev Rt Sen Sens Sfc Sgt Sr St Supt Surg v vs i.e rev e.g Rs Nos Nr " +
    "Jan Feb Mar Apr Jun Jul Aug Sep Oct Nov Dec"
  ).split(" "),
);
const numeric = new Set(["No", "Art", "pp"]);

function characterClass(packed: string): string {
  let last = 0;
  return packed
    .split(" ")
    .map((item) => {
      const [gap, extra = "0"] = item.split(".");
      const first = last + Number.parseInt(gap!, 36);
      last = first + Number.parseInt(extra, 36);
      return `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`;
    })
    .join("");
}

const rules: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`([^${AN}${WS}.'\`,\\-])`, "gu"), " $1 "],
  [new RegExp(`([${AN}])-(?=[${AN}])`, "gu"), "$1 @-@ "],
];
const marks: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`([^${N}]),`, "gu"), "$1 , "],
  [new RegExp(`,([^${N}])`, "gu"), " , $1"],
  [new RegExp(`([${N}]),$`, "gu"), "$1 , "],
  [new RegExp(`([^${A}])'([^${A}])`, "gu"), "$1 ' $2"],
  [new RegExp(`([^${A}${N}])'([${A}])`, "gu"), "$1 ' $2"],
  [new RegExp(`([${A}])'([^${A}])`, "gu"), "$1 ' $2"],
  [new RegExp(`([${A}])'([${A}])`, "gu"), "$1 '$2"],
  [new RegExp(`([${N}])'(s)`, "gu"), "$1 '$2"],
];
const xml: readonly (readonly [string, string])[] = [
  ["&", "&amp;"],
  ["|", "&#124;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ["'", "&apos;"],
  ['"', "&quot;"],
  ["[", "&#91;"],
  ["]", "&#93;"],
];
const edges = new RegExp(`^[${WS}]+|[${WS}]+$`, "gu");
const spaces = new RegExp(`[${WS}]+`, "gu");

/** The fourteen steps one after the other, as regular expressions over the whole text. */
function reference(original: string): string[] {
  // oxlint-disable-next-line no-control-regex -- step 2
  let text = original.replaceAll(spaces, " ").replaceAll(/[\0-\x1f]/g, "");
  text = text.replaceAll(edges, "");
  for (const [pattern, replacement] of rules) text = text.replaceAll(pattern, replacement);
  text = text.replaceAll(/\.(\.+)/g, " DOTMULTI$1");
  while (text.includes("DOTMULTI.")) {
    text = text.replaceAll(/DOTMULTI\.([^.])/gu, "DOTDOTMULTI $1").replaceAll("DOTMULTI.", "DOTDOTMULTI");
  }
  for (const [pattern, replacement] of marks) text = text.replaceAll(pattern, replacement);
  const words = text.split(spaces).filter((word) => word !== "");
  text = words.map((word, index) => splitPeriod(word, words[index + 1])).join(" ");
  text = text.replaceAll(spaces, " ").replaceAll(edges, "");
  text = text.replaceAll(/\.' ?$/g, " . ' ");
  while (text.includes("DOTDOTMULTI")) text = text.replaceAll("DOTDOTMULTI", "DOTMULTI.");
  text = text.replaceAll("DOTMULTI", ".");
  for (const [character, entity] of xml) text = text.replaceAll(character, entity);
  return text.split(spaces).filter((word) => word !== "");
}

function splitPeriod(word: string, next: string | undefined): string {
  if (!word.endsWith(".") || word.length < 2) return word;
  const stem = word.slice(0, -1);
  if (stem.includes(".") && alphabetic.test(stem)) return word;
  if (abbreviations.has(stem)) return word;
  if (next !== undefined && lowercase.test(next)) return word;
  if (numeric.has(stem) && next !== undefined && /^[0-9]/.test(next)) return word;
  return `${stem} .`;
}

const biomedical = fc
  .array(
    fc.oneof(
      fc.constantFrom(..."'.,-`&|<>[]\" \t\u0000\u001c\u0085\u00a0\u200b\ufeff%/()5As²µα’é中가𝛼ー़"),
      fc.constantFrom(" ", "'", ".", ",", "-", "s", "S"),
      fc.constantFrom("Dr", "No", "pp", "e.g", "al", "TNF", "IL-6", "p<0.05", "5'-AMP", "DOTMULTI", "DOT", ".."),
      fc.constantFrom("cells. The", "et al. 12", "' '", "'\r\n'", "1,000", "DOTMULTI.", "'s ", "\r\n"),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));
const anyText = fc.oneof(biomedical, fc.string({ unit: "binary", maxLength: 40 }), fc.string({ unit: "grapheme" }));

const texts = (tokens: readonly MosesToken[]): string[] => tokens.map((token) => token.text);

describe("mosesTokenize", () => {
  test("does what sacremoses does with dashes, quotes, commas and dots", () => {
    const cases: [string, string][] = [
      ["COVID-19 is", "COVID @-@ 19 is"],
      ["a--b -a a- 5-", "a--b -a a- 5-"],
      ["'quoted'", "&apos;quoted&apos;"],
      ["don't 5's '90s x' y", "don &apos;t 5 &apos;s &apos; 90s x &apos; y"],
      ["5'-AMP ,5 5,000 1,a a,1 1,", "5 &apos; -AMP , 5 5,000 1 , a a , 1 1 ,"],
      [",5", ",5"],
      ["a...b .. c", "a ... b .. c"],
      ["et al. in et al. In Fig. 2 No. 5 No. x", "et al. in et al . In Fig . 2 No. 5 No. x"],
      ["U.S.A. X. e.g. The end.", "U.S.A. X. e.g. The end ."],
      ["end.'", "end . &apos;"],
      ["x\u0000y\u0085z", "xy z"],
      ['[a|b] <i> "q" R&D', "&#91; a &#124; b &#93; &lt; i &gt; &quot; q &quot; R &amp; D"],
      ["TNF-α/IFN-γ", "TNF @-@ α / IFN @-@ γ"],
      ["the DOTMULTI here", "the . here"],
      ["' '\r\n' '5'", "&apos; &apos; &apos; &apos; 5&apos;"],
    ];
    for (const [text, tokens] of cases) expect(texts(mosesTokenize(text)).join(" "), text).toBe(tokens);
  });

  test("splits the period of a text's last word always when asked to do as Perl does", () => {
    expect(texts(mosesTokenize("in St. Paul at the end of St."))).toEqual("in St. Paul at the end of St.".split(" "));
    const perl = texts(mosesTokenize("in St. Paul at the end of St.", { lastWord: "perl" }));
    expect(perl).toEqual("in St. Paul at the end of St .".split(" "));
  });

  test("agrees with the fourteen steps as regular expressions", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(texts(mosesTokenize(text))).toEqual(reference(text));
      }),
      { numRuns: 5000 },
    );
  });

  test("gives the same tokens from its cache, whatever came before", () => {
    const map = createMosesMapper(texts, { cacheSize: 64 });
    fc.assert(
      fc.property(anyText, (text) => {
        const tokens: string[] = [];
        map(text, (segment) => tokens.push(...segment));
        expect(tokens).toEqual(reference(text));
      }),
      { numRuns: 5000 },
    );
  });

  test("knows which part of the text every token came from", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let last = 0;
        for (const token of mosesTokenize(text)) {
          expect(token.start).toBeGreaterThanOrEqual(last);
          expect(token.end).toBeGreaterThan(token.start);
          last = token.start === token.end ? last : token.end;
          if (token.text === "@-@") {
            expect(["-", "@"]).toContain(text.slice(token.start, token.end)[0]);
          } else if (!text.includes("MULTI")) {
            // oxlint-disable-next-line no-control-regex -- what Moses deletes inside a word
            expect(unescapeXml(token.text)).toBe(text.slice(token.start, token.end).replaceAll(/[\0-\x1f]/g, ""));
          }
          if (token.sources) {
            expect(token.sources).toHaveLength(token.text.length);
            expect(token.sources[0]![0]).toBe(token.start);
            expect(token.sources.at(-1)![1]).toBe(token.end);
          }
        }
        expect(last).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 5000 },
    );
  });

  test("loses no character that is not whitespace or a control character", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const covered = new Uint8Array(text.length);
        for (const { start, end } of mosesTokenize(text)) covered.fill(1, start, end);
        const lost = Array.from({ length: text.length }, (_, index) => (covered[index] ? "" : text[index]!)).join("");
        // oxlint-disable-next-line no-control-regex -- what Moses deletes
        expect(lost.replaceAll(spaces, "").replaceAll(/[\0-\x1f]/g, "")).toBe("");
      }),
      { numRuns: 3000 },
    );
  });
});

function unescapeXml(text: string): string {
  let result = text;
  for (const [character, entity] of xml.toReversed()) result = result.replaceAll(entity, character);
  return result;
}

describe("mosesDetokenize", () => {
  test("puts spaces where sacremoses puts them", () => {
    const cases: [string, string][] = [
      ["COVID @-@ 19 is", "COVID-19 is"],
      ["a &apos; b", "a 'b"],
      ["the cells &apos; walls", "the cells' walls"],
      ["don &apos;t", "don't"],
      ["p &lt; 0.05 , ( n = 3 ) .", "p < 0.05, (n = 3)."],
      ["&quot; a &quot; b &quot; c", '"a" b "c'],
      ["“ x ”", "“x ”"],
      ["$ 5 100 %", "$5 100%"],
      ["中 国 a", "中国 a"],
      ["&amp;lt; &#91; x &#93;", "&lt; [x]"],
      ["", ""],
    ];
    for (const [tokens, text] of cases) expect(mosesDetokenize(tokens.split(" ")), tokens).toBe(text);
  });
});

describe.skipIf(!hasShared("fixtures"))("the recorded Moses vectors", () => {
  test("tokens and detokenized texts are those of sacremoses", () => {
    const vectors = JSON.parse(readFileSync(shared("fixtures/moses_vectors.json"), "utf8")) as Vector[];
    expect(vectors.length).toBeGreaterThan(20);
    for (const vector of vectors) {
      const tokens = texts(mosesTokenize(vector.text));
      expect(tokens, vector.text).toEqual(vector.tokens);
      expect(mosesDetokenize(tokens), vector.text).toBe(vector.detokenized);
    }
  });

  test("the packed tables are the recorded character classes", () => {
    const recorded = JSON.parse(readFileSync(shared("fixtures/moses_charclasses.json"), "utf8")) as Classes;
    const named = [
      ["IsN", packedRanges.number],
      ["IsAlnum", packedRanges.alphanumeric],
      ["IsAlpha", packedRanges.alphabetic],
      ["IsLower", packedRanges.lowercase],
      ["IsSc", packedRanges.currency],
      ["DetokIsAlpha", packedRanges.detokenizerAlphabetic],
    ] as const;
    for (const [name, packed] of named) {
      const ranges = recorded[name]!.filter(([first]) => first !== 10);
      const expected = ranges.map(([first, last]) => `\\u{${first.toString(16)}}-\\u{${last.toString(16)}}`).join("");
      expect(characterClass(packed), name).toBe(expected);
    }
  });
});

describe.skipIf(!hasShared("data/corpus/abstracts.jsonl.zst"))("2,000 abstracts", () => {
  test("give the tokens of the fourteen steps, cached or not", () => {
    const lines = zstdDecompressSync(readFileSync(shared("data/corpus/abstracts.jsonl.zst")))
      .toString()
      .split("\n");
    const map = createMosesMapper(texts);
    for (const line of lines.slice(0, 2000)) {
      const { text } = JSON.parse(line) as { text: string };
      const expected = reference(text);
      const cached: string[] = [];
      map(text, (segment) => cached.push(...segment));
      if (cached.join(" ") !== expected.join(" ")) expect(cached).toEqual(expected);
      const tokens = texts(mosesTokenize(text));
      if (tokens.join(" ") !== expected.join(" ")) expect(tokens).toEqual(expected);
    }
    expect(lines.length).toBeGreaterThanOrEqual(2000);
  });
});

interface Vector {
  readonly text: string;
  readonly tokens: string[];
  readonly detokenized: string;
}

type Classes = Record<string, [first: number, last: number][]>;

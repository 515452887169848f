/** PubMed's query language: what queries come to, what is refused, and that spelling out and parsing again changes nothing. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../errors.ts";
import { parseQuery } from "./query.ts";
import { spell, understood } from "./spell.ts";
import type { Condition, ValueField, WordField } from "./store.ts";

const today = new Date("2026-07-15T12:00:00Z");
const parse = (query: string): ReturnType<typeof parseQuery> => parseQuery(query, { today });
/** What a query's condition is, spelled out. */
const spelled = (query: string): string => spell(parse(query).condition);

describe("queries as PubMed users write them", () => {
  test.each([
    ['"heart failure"[ti] AND 2019:2024[dp]', '"heart failure"[ti] AND 2019:2024[dp]'],
    ["heart failure[Title] AND mortality", '"heart"[ti] AND "failure"[ti] AND "mortality"[tiab]'],
    ["asthma OR copd AND child", '("asthma"[tiab] OR "copd"[tiab]) AND "child"[tiab]'],
    ["asthma OR (copd AND child)", '"asthma"[tiab] OR ("copd"[tiab] AND "child"[tiab])'],
    ["aspirin NOT review[pt]", '"aspirin"[tiab] NOT "review"[pt]'],
    ["aspirin AND NOT review[pt]", '"aspirin"[tiab] NOT "review"[pt]'],
    ["NOT review[Publication Type]", 'NOT "review"[pt]'],
    ["aspirin OR NOT review[pt]", '"aspirin"[tiab] OR NOT "review"[pt]'],
    ["treatment of asthma AND child", '"treatment"[tiab] AND "asthma"[tiab] AND "child"[tiab]'],
    ["beta-blocker[tiab]", '"beta blocker"[tiab]'],
    ["cardio*[ab]", '"cardio*"[ab]'],
    ['"heart fail*"', '"heart fail*"[tiab]'],
    ["smith j[au]", '"smith j"[au]'],
    ["Smith, J. A.[Author]", '"Smith JA"[au]'],
    ["new england journal of medicine[ta]", '"new england journal of medicine"[ta]'],
    ["N Engl J Med[jour]", '"N Engl J Med"[ta]'],
    ['"Heart Failure"[MeSH Terms]', '"Heart Failure"[mh:noexp]'],
    ['"Heart Failure/drug therapy"[majr]', '"Heart Failure"[mh:noexp]'],
    ["english[la]", '"eng"[la] OR "en"[la]'],
    ["eng[Language]", '"eng"[la]'],
    ['"English"[la]', '"English"[la]'],
    ["2020/3:2021[pdat]", "2020/03:2021[dp]"],
    ["2019[dp]", "2019[dp]"],
    ["2019:3000[Date - Publication]", "2019:3000[dp]"],
    [":2019[dp]", "1000:2019[dp]"],
    ['"2019/01/01"[Date - Publication] : "3000"[Date - Publication]', "2019/01/01:3000[dp]"],
    ['"2019"[dp]:"2020"[dp] AND asthma', '2019:2020[dp] AND "asthma"[tiab]'],
    ['"last 5 years"[dp]', "2021/07/15:3000[dp]"],
    ["12345678,23456789 [uid]", '"12345678"[pmid] OR "23456789"[pmid]'],
    ["12345678 23456789", '"12345678"[pmid] OR "23456789"[pmid]'],
    ["10.1016/S0140-6736(20)30183-5[doi]", '"10.1016/S0140-6736(20)30183-5"[doi]'],
    ["(10.1056/NEJMoa1[doi] OR asthma)", '"10.1056/NEJMoa1"[doi] OR "asthma"[tiab]'],
    ["statin[tw]", '"statin"[tiab] OR "statin"[mh:noexp] OR "statin"[ot]'],
    ["“heart failure”[ti]", '"heart failure"[ti]'],
    ["all[sb]", "all[sb]"],
    ["all[sb] NOT asthma", 'all[sb] NOT "asthma"[tiab]'],
    ["", "all[sb]"],
    ["((asthma)) AND (child)", '"asthma"[tiab] AND "child"[tiab]'],
    ["NOT (NOT asthma)", '"asthma"[tiab]'],
  ])("%s", (query, expected) => {
    expect(spelled(query)).toBe(expected);
    expect(spelled(expected)).toBe(expected);
  });

  test("words without operators are ranked by, not required", () => {
    const { condition, any, words, text } = parse("What is the treatment of heart failure (HFrEF)?");
    expect(condition).toEqual({ kind: "everything" });
    expect(any).toEqual(["treatment", "heart", "failure", "hfref"]);
    expect(words).toEqual(any);
    expect(text).toBe("What is the treatment of heart failure (HFrEF)?");
  });

  test("tags and phrases beside such words are required", () => {
    const parsed = parse('metformin mortality "type 2 diabetes" 2019:2024[dp]');
    expect(spell(parsed.condition)).toBe('"type 2 diabetes"[tiab] AND 2019:2024[dp]');
    expect(parsed.any).toEqual(["metformin", "mortality"]);
    expect(parsed.words).toEqual(["metformin", "mortality", "type", "2", "diabetes"]);
    expect(parsed.text).toBe("metformin mortality type 2 diabetes");
    expect(understood(parsed)).toBe('any of: metformin, mortality AND "type 2 diabetes"[tiab] AND 2019:2024[dp]');
  });

  test("words that are not wanted are not ranked by, descriptors are", () => {
    const { words, any } = parse('asthma NOT child AND "Drug Therapy"[mh] AND smith[au] AND cardio*');
    expect(words).toEqual(["asthma", "drug", "therapy"]);
    expect(any).toEqual([]);
  });

  test("marks alone say nothing", () => expect(parse("?? --")).toMatchObject({ words: [], text: "", any: [] }));

  test("a date takes only itself of the words before it", () => {
    expect(parse("heart failure 2019:2024[dp]").any).toEqual(["heart", "failure"]);
    expect(parse("heart failure last 2 years[dp]").any).toEqual(["heart", "failure"]);
  });

  test("own fields become filters, with their types", () => {
    const { fields, condition } = parse('asthma AND 3[field:phase] AND true[field:open] AND "12"[field:code]');
    expect(fields).toEqual({ phase: 3, open: true, code: "12" });
    expect(spell(condition)).toBe('"asthma"[tiab]');
    expect(parse("x[field:__proto__]").fields).toEqual(Object.fromEntries([["__proto__", "x"]]));
  });
});

describe("what is read otherwise is said", () => {
  test.each([
    ["mi* infarct", "4 letters"],
    ["ca*dio therapy", "at the end of a word"],
    ["[18F]FDG AND tumour", "[18F] was read as words"],
    ["magnetic resonance imaging [MRI] of the knee", "[MRI] is no tag"],
    ['"Heart Failure"[majr]', "major topics"],
    ['"Heart Failure"[mh]', "narrower"],
    ["boston[ad]", "does not have this field"],
    ["heart failure[ti:~3]", "how near"],
    ["smith j[1au]", "which one is the first"],
    ["2020[edat]", "date of publication"],
    ["12345678", "PMIDs"],
    ['"--" asthma', "has no words"],
  ])("%s", (query, said) => expect(parse(query).notes.join("\n")).toContain(said));

  test("nothing where all is plain", () => expect(parse('asthma AND "heart failure"[ti]').notes).toEqual([]));
});

describe("what is wrong is refused with its place", () => {
  test.each([
    ["(asthma AND child", "character 1 ", '")"'],
    ["asthma) AND child", "character 7 ", '"("'],
    ['asthma AND "heart failure', "character 12 ", "quotation mark"],
    ["AND asthma", "character 1 ", "expected words"],
    ["asthma OR", "character 10 ", "behind OR"],
    ["asthma AND OR child", "character 12 ", "behind AND"],
    ["asthma NOT NOT child", "character 12 ", "behind NOT"],
    ["asthma AND ()", "character 13 ", "expected words"],
    ["asthma AND --", "character 14 ", "behind AND"],
    ["asthma[tii] AND child", "character 7 ", "[tii]"],
    ["[ti] AND asthma", "character 1 ", "expected words before [ti]"],
    ["(heart OR cardiac)[ti]", "character 19 ", "expected words before [ti]"],
    ["asthma[dp]", "character 1 ", "expected a date"],
    ["2019/13[dp]", "character 1 ", "2019/13"],
    ["2024:2019[dp]", "character 1 ", "earlier date first"],
    ['"2024"[dp] : "2019"[dp]', "character 1 ", "earlier date first"],
    ["2019[dp] : asthma", "character 10 ", "behind the colon"],
    ["2019[dp] :", "character 10 ", "behind the colon"],
    ["2019[dp] : AND asthma", "character 10 ", "behind the colon"],
    ["humans[sb]", "character 1 ", "subsets"],
    ['"--"[ti]', "character 1 ", "expected words"],
    ['""[ta]', "character 1 ", "expected words"],
    ["a1[field:x] OR asthma", "character 3 ", "joined to all else by AND"],
    ["NOT a1[field:x]", "character 7 ", "joined to all else by AND"],
  ])("%s", (query, place, said) => {
    const error = thrownBy(query);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toContain(place);
    expect((error as UsageError).message).toContain(said);
  });

  test.each([
    ["10,000 parentheses", "(".repeat(10_000) + "asthma" + ")".repeat(10_000)],
    ["10,000 that are not closed", "(".repeat(10_000)],
    ["a megabyte", "asthma ".repeat(150_000)],
    ["a megabyte of quotation marks", '"'.repeat(1 << 20)],
    ["20,000 terms", "a[ti] ".repeat(10_000)],
    ["10,000 words that are all required", `${"ab ".repeat(10_000)} AND c`],
    ["AND and OR by turns", `a${" OR b AND c".repeat(1000)}`],
    ["NOT after NOT", "NOT ".repeat(10_000)],
  ])("%s", (_, query) => {
    expect(thrownBy(query)).toBeInstanceOf(UsageError);
  });
});

function thrownBy(query: string): unknown {
  try {
    parse(query);
  } catch (error) {
    return error;
  }
  return undefined;
}

const word = fc.stringMatching(/^[a-z0-9]{4,9}$/).filter((one) => !/^\d+$/.test(one));
const wordFields: readonly WordField[] = ["text", "title", "abstract"];
const valueFields: readonly ValueField[] = ["type", "journal", "mesh", "keyword", "language", "doi", "source", "id"];
const date = fc
  .tuple(
    fc.integer({ min: 1800, max: 2100 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 31 }),
    fc.nat(2),
  )
  .map(([year, month, day, parts]) =>
    [year, ...[month, day].slice(0, parts)].map((one) => String(one).padStart(2, "0")).join("-"),
  );
const leaf = fc.oneof(
  fc.record({
    kind: fc.constant("words" as const),
    field: fc.constantFrom(...wordFields),
    words: fc.array(word, { minLength: 1, maxLength: 3 }),
    prefix: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("value" as const),
    field: fc.constantFrom(...valueFields),
    value: fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join(" ")),
    prefix: fc.boolean(),
  }),
  fc
    .tuple(fc.option(date), fc.option(date))
    .map(([a, b]) => (a !== null && b !== null && a.slice(0, b.length) > b ? [b, a] : [a, b]))
    .filter(([first, last]) => first == null || last == null || first.slice(0, last.length) <= last)
    .map(([first, last]) => ({ kind: "dates" as const, first: first!, last: last! })),
);
/** As parsing makes them: no condition right within one of its own kind. */
const { condition: conditions } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom("and" as const, "or" as const), fc.array(tie("condition"), { minLength: 2, maxLength: 4 }))
      .map(([kind, of]) => ({ kind, of: of.flatMap((one) => (one.kind === kind ? one.of : [one])) })),
    tie("condition").map((of) => (of.kind === "not" ? of.of : { kind: "not" as const, of })),
  ),
}));

test("a query that is no text is refused", () => {
  expect(() => parse(5 as never)).toThrow(/query: expected a text, got 5/);
});

describe("spelling out", () => {
  test("and parsing again gives the same condition", () => {
    fc.assert(
      fc.property(conditions, (condition) => {
        expect(parse(spell(condition)).condition).toEqual(condition);
      }),
      { numRuns: 1000, seed: 1 },
    );
  });

  test("whatever is understood of any text at all is understood again", () => {
    const pieces = fc.constantFrom(...'AND,OR,NOT,(,),[ti],[mh],[dp],[zz],",“,*,:,2019,heart,-,of,a,é, ,\n'.split(","));
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 5, arbitrary: pieces }, fc.string()), { maxLength: 12 }), (parts) => {
        let parsed;
        try {
          parsed = parse(parts.join(" "));
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          return;
        }
        expect(parse(spell(parsed.condition)).condition).toEqual(parsed.condition);
      }),
      { numRuns: 5000, seed: 1 },
    );
  });
});

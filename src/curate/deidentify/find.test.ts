/** Identifiers found in texts: by class on synthetic notes, one by one, what is none, and in texts made to take long. */
import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { syntheticNotes } from "../../../test/support/clinical-notes.ts";
import { type IdentifierClass, identifierClasses, isMention } from "./classes.ts";
import { findIdentifiers } from "./find.ts";
import { scoreDeidentification } from "./score.ts";

/** What is found, as "CLASS text". */
const said = (text: string): string[] =>
  findIdentifiers(text).map((one) => `${one.class} ${text.slice(one.start, one.end)}`);

describe.each(["developed", "heldOut"] as const)("on %s synthetic notes", (kind) => {
  const notes = syntheticNotes(kind, 2026, 25).map((note) => ({ ...note, found: findIdentifiers(note.text) }));
  const score = scoreDeidentification(notes);
  const least: Readonly<Partial<Record<IdentifierClass, number>>> = { NAME: 0.95, LOCATION: 0.97 };

  test.each(identifierClasses.filter((name) => name !== "BIOMETRIC" && name !== "PHOTO"))("%s is found", (name) => {
    const { recall } = score.classes[name]!;
    expect(recall.of).toBeGreaterThan(20);
    expect(recall.share).toBeGreaterThanOrEqual(least[name] ?? 0.99);
  });

  test("towns are surnames behind a first name that is no town", () => {
    const namesIn = (text: string): string[] =>
      findIdentifiers(text)
        .filter((one) => one.class === "NAME")
        .map(({ start, end }) => text.slice(start, end));
    expect(namesIn("Her neighbour, Tom Ashdown, calls every day.")).toEqual(["Tom Ashdown"]);
    expect(namesIn("Discussed with Tom Ashdown.")).toEqual(["Tom Ashdown"]);
    expect(namesIn("Sister: Mary Ashdown")).toEqual(["Mary Ashdown"]);
  });

  test("hardly anything else is", () => {
    expect(score.all.precision.share).toBeGreaterThan(0.985);
    expect(score.lost.share).toBeLessThan(0.005);
  });
});

test.each([
  ["Seen by Dr. Will on 3/14/2012.", ["NAME Will", "DATE 3/14/2012"]],
  ["Mr. and Mrs. Van der Berg came in May.", ["NAME Van der Berg", "DATE May"]],
  ["Drs. Patel, Okafor and Lee agree.", ["NAME Patel", "NAME Okafor", "NAME Lee"]],
  ["PATIENT: O'BRIEN, MARY K.\nSEX: F", ["NAME O'BRIEN, MARY K"]],
  ["Her husband Rose and daughter, Amy, came.", ["NAME Rose", "NAME Amy"]],
  ["dr. johnson saw him", ["NAME johnson"]],
  ["J.S. is a 45-year-old woman.", ["NAME J.S."]],
  [
    "Lives at 12 Maple Street, Apt 4B, Boston, MA 02139-1234.",
    ["LOCATION 12 Maple Street, Apt 4B", "LOCATION Boston", "LOCATION 02139-1234"],
  ],
  ["P.O. Box 77, Cook County", ["LOCATION P.O. Box 77", "LOCATION Cook County"]],
  ["Transferred from St. Mary's Hospital.", ["LOCATION St. Mary's Hospital"]],
  ["A 93-year-old; sister is 89 years old.", ["AGE 93"]],
  ["A ninety-four year old lady", ["AGE ninety-four"]],
  ["Call (617) 555-0123 x45, fax: 617-555-0124.", ["PHONE (617) 555-0123 x45", "FAX 617-555-0124"]],
  ["+44 20 7946 0958 or pager 4-1234", ["PHONE +44 20 7946 0958", "PHONE 4-1234"]],
  ["SSN 123-45-6789; last four of SSN 6789", ["SSN 123-45-6789", "SSN 6789"]],
  ["Soc Sec No: 123456789, MRN# A123456", ["SSN 123456789", "MRN A123456"]],
  ["Medicare 1EG4-TE5-MK73", ["HEALTH_PLAN 1EG4-TE5-MK73"]],
  ["card 4111 1111 1111 1111", ["ACCOUNT 4111 1111 1111 1111"]],
  ["IBAN GB82 WEST 1234 5698 7654 32", ["ACCOUNT GB82 WEST 1234 5698 7654 32"]],
  ["DEA AB1234563, then 1234567893", ["LICENCE AB1234563", "LICENCE 1234567893"]],
  ["the car, 1M8GDM9AXKP042788", ["VEHICLE 1M8GDM9AXKP042788"]],
  ["S/N XJ-55321, MAC 00:1B:44:11:3A:B7", ["DEVICE XJ-55321", "DEVICE 00:1B:44:11:3A:B7"]],
  ["a.b@example.org, http://x.example/1?q=2.", ["EMAIL a.b@example.org", "URL http://x.example/1?q=2"]],
  ["from 192.168.10.7 and 2001:db8::ff00:42:8329", ["IP 192.168.10.7", "IP 2001:db8::ff00:42:8329"]],
  ["id 3fa85f64-5717-4562-b3fc-2c963f66afa6", ["ID 3fa85f64-5717-4562-b3fc-2c963f66afa6"]],
  ["Fingerprints were taken; IMG_2031.JPG attached", ["BIOMETRIC Fingerprints", "PHOTO IMG_2031.JPG"]],
  ["03MAR2014, 20140314, 2014-03-14T10:20", ["DATE 03MAR2014", "DATE 20140314", "DATE 2014-03-14"]],
  ["March 3-5, 2014; the third of March; '03", ["DATE March 3-5, 2014", "DATE third of March"]],
  ["spring of 2013, last Mon., 3/14-3/16", ["DATE spring of 2013", "DATE Mon.", "DATE 3/14-3/16"]],
])("in %j", (text, expected) => {
  expect(said(text)).toEqual(expected);
});

/** Words that look like identifiers: things named after people, drugs, scales, measurements, what is said in capitals. */
const harmless = [
  "Parkinson disease, Alzheimer's dementia, Crohn's disease and Hodgkin lymphoma.",
  "Bell's palsy resolved. Murphy's sign negative. Homans sign absent. Babinski downgoing.",
  "A Foley catheter, a Jackson-Pratt drain and a Penrose drain were placed with a Kelly clamp.",
  "Bovie electrocautery, Metzenbaum scissors, Allis clamps, DeBakey forceps, Richardson retractors.",
  "Whipple procedure, Trendelenburg position, Valsalva maneuver, Swan-Ganz catheter.",
  "Lasix 40 mg, Coumadin 5 mg, Zoloft, Synthroid, Ativan, Norvasc, Lipitor, Plavix and Keppra.",
  "Rose bengal stain; May-Grünwald stain; Will follow. May return. Mark the site. Frank hematuria.",
  "Strength 5/5, murmur 2/6, pain 8/10, vision 20/40, BP 120/80, pulse 72, T 98.6 F, 1/2 tablet.",
  "C5-C6, L4-5, T12, 3.5 x 2.1 cm, 250,000 platelets, WBC 10,500, 0.25% Marcaine 1:200,000.",
  "Gleason 3+4, Glasgow Coma Scale 15, Apgar 8 and 9, Beck Depression Inventory 28.",
  "REVIEW OF SYSTEMS: NEGATIVE. ASSESSMENT AND PLAN: CONTINUE CURRENT MEDICATIONS.",
  "He is 45 years old, smoked for 30 years, stopped in 2004 and lives in Ohio with three cats.",
  "Sutures of 3-0 Vicryl and 4-0 Monocryl. NCT00000102. ICD-10 E11.9, CPT 99213.",
  "Emergency Department, Pain Clinic, Internal Medicine, Physical Therapy, Intensive Care Unit.",
  "Gram stain, Pap smear, Doppler, Holter monitor, Apgar, Kegel exercises, Braxton Hicks contractions.",
  "The table was turned 90 degrees. Christmas disease is haemophilia B. Caucasian, Hispanic, Baptist.",
];
test.each(harmless)("nothing is found in %j", (text) => {
  expect(said(text)).toEqual([]);
});

test("a name is one wherever it stands in a note, but not in the name of a thing", () => {
  const text =
    "Patient: Foley, Grace\nFoley catheter placed. I spoke with Foley. Grace denies pain. By the grace of God.";
  expect(said(text)).toEqual(["NAME Foley, Grace", "NAME Foley", "NAME Grace"]);
});

test("words that are allowed are left, and names that are known are found", () => {
  const text = "Zanthor and Anna were there.";
  expect(findIdentifiers(text, { allow: ["anna"] })).toEqual([]);
  const found = findIdentifiers(text, { known: ["Zanthor Quill"], classes: ["NAME"] });
  expect(found.map(({ rule, start }) => [rule, start])).toEqual([
    ["known", 0],
    ["first", 12],
  ]);
});

test("what is found lies in the text, in order and apart", () => {
  const parts = [
    "Dr. Roe",
    "3/14/2012",
    "MRN 1234567",
    "\n",
    " ",
    "A.",
    "[NAME]",
    "Smith, John",
    "12 Oak St",
    "é",
    "😀",
    "on ",
    "90-year-old",
  ];
  assert(
    property(array(oneof(constantFrom(...parts), string({ maxLength: 8 })), { maxLength: 20 }), (pieces) => {
      const text = pieces.join(" ");
      let last = 0;
      for (const { start, end } of findIdentifiers(text)) {
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(text.length);
        last = end;
      }
    }),
    { seed: 5, numRuns: 300 },
  );
});

describe("of a text of 1 MiB that is made to take long", () => {
  const size = 1 << 20;
  const filled = (unit: string): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
  // Anything that grew with the square of the length would not end within the time of a test.
  test.each([
    "7",
    "A. ",
    "A",
    "a@",
    "Smith, ",
    "John ",
    "1/2/",
    "12 Oak ",
    "a.",
    "1-",
    "Dr. ",
    ":",
    "f:",
    "-",
    "(",
    "Pt ",
    "The ",
    "9",
    "'s ",
    "x\n",
    "St. Mary of ",
    "1.1",
    "++",
    "P.O. ",
    "March ",
    "MRN MRN:",
    "[NAME]",
    "signed by ",
    ", MD",
  ])("%j again and again, an answer comes", (unit) => {
    expect(findIdentifiers(filled(unit)).length).toBeLessThanOrEqual(size);
  });
});

test("the linear model finds names that no rule finds, and few other words", () => {
  const notes = syntheticNotes("heldOut", 4, 25);
  const scored = (names: "rules" | "model"): ReturnType<typeof scoreDeidentification> =>
    scoreDeidentification(notes.map((note) => ({ ...note, found: findIdentifiers(note.text, { names }) })));
  const [rules, model] = [scored("rules").classes.NAME!, scored("model").classes.NAME!];
  expect(model.recall.count - rules.recall.count).toBeGreaterThan(rules.recall.of * 0.015);
  expect(model.precision.share).toBeGreaterThan(0.97);
});

test("mentions are told from identifiers", () => {
  const found = findIdentifiers("Photographs were taken.");
  expect(found.map(isMention)).toEqual([true]);
});

/** De-identification of documents: surrogates that agree, dates that keep their intervals, nothing of what was found left. */
import { describe, expect, test } from "vitest";
import { syntheticNotes } from "../../../test/support/clinical-notes.ts";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { ConfigError } from "../../errors.ts";
import { isMention } from "./classes.ts";
import { type DeidentifyOptions, deidentify, wholeOf } from "./deidentify.ts";
import { findIdentifiers } from "./find.ts";
import { dateForms } from "./patterns/dates.ts";
import { surrogatesOf } from "./surrogate.ts";

const key = Buffer.from("a secret of more than 16 bytes");
const surrogate: DeidentifyOptions = { mode: "surrogate", key };

const note = (text: string, more: Partial<CorpusDocument> = {}): CorpusDocument => ({
  id: "note:17",
  source: "ehr",
  kind: "clinical-notes",
  title: "",
  sections: [{ title: "", kind: "text", text }],
  date: null,
  language: "en",
  licence: null,
  metadata: {},
  ...more,
});
const textOf = (document: CorpusDocument): string => document.sections.map(({ text }) => text).join("\n");
const changed = (text: string, options = surrogate, more: Partial<CorpusDocument> = {}): string =>
  textOf(deidentify(note(text, more), options).document);

describe("surrogates", () => {
  test("of one person agree in every form, with initials and possessives", () => {
    const text = changed(
      "Patient: Smith, John\nMr. Smith's wife came. John Smith is well. J. Smith, MD signed. SMITH, JOHN\nJ.S. is a 40-year-old man.",
    );
    const [, last, first] = /^Patient: (\w+), (\w+)/.exec(text)!;
    expect([last, first]).not.toEqual(["Smith", "John"]);
    expect(text).toBe(
      `Patient: ${last}, ${first}\nMr. ${last}'s wife came. ${first} ${last} is well. ${first![0]}. ${last}, MD signed. ${last!.toUpperCase()}, ${first!.toUpperCase()}\n${first![0]}.${last![0]}. is a 40-year-old man.`,
    );
  });

  test("are the same in all notes of a patient, and others for another patient or key", () => {
    const text = "Dr. Okonkwo saw Mary Smith on 3/14/2012. MRN 1234567.";
    const of = (patient: string, id: string, secret = key): string =>
      changed(text, { mode: "surrogate", key: secret }, { id, metadata: { patient } });
    expect(of("7", "note:1")).toBe(of("7", "note:2"));
    expect(of("7", "note:1")).not.toBe(of("8", "note:1"));
    expect(of("7", "note:1")).not.toBe(of("7", "note:1", Buffer.from("another secret, long enough")));
  });

  test("of dates keep their form and the days between them", () => {
    const text = changed("Seen 2012-03-14, 3/16/2012, March 20, 2012 and 24-Mar-12; next on Saturday, March 24, 2012.");
    const found = /^Seen (\S+), (\S+), (.+ \d+, \d{4}) and (\S+); next on (\w+), (.+)\.$/.exec(text)!;
    const day = (written: string): number => Date.parse(`${written} UTC`) / 86_400_000;
    const days = [found[1]!, found[2]!, found[3]!, found[4]!.replace(/-(\d\d)$/, "-20$1"), found[6]!].map(day);
    expect(days.map((one) => one - days[0]!)).toEqual([0, 2, 6, 10, 10]);
    expect(found[2]).toMatch(/^\d{1,2}\/\d{1,2}\/20\d\d$/);
    const weekday = new Date(days[4]! * 86_400_000).toLocaleDateString("en-US", { weekday: "long", timeZone: "UTC" });
    expect(found[5]).toBe(weekday);
  });

  test("of numbers keep their format and are the same however they are grouped", () => {
    const text = changed("SSN 123-45-6789, SSN: 123456789, MRN AB-123.456, phone (617) 555-0123, S/N xk12345");
    const [, grouped, plain, ...others] =
      /^SSN (\S+), SSN: (\d+), MRN ([A-Z]{2}-\d{3}\.\d{3}), phone (\(\d{3}\) \d{3}-\d{4}), S\/N ([a-z]{2}\d{5})$/.exec(
        text,
      )!;
    expect(grouped!.replaceAll("-", "")).toBe(plain);
    expect(plain).toMatch(/^9/);
    expect(others).not.toContain("AB-123.456");
  });

  test("of ZIP codes keep the first three digits where many people live, and of ages 90 and more nothing", () => {
    expect(changed("Boston, MA 02139; Rutland, VT 05901; a 93-year-old")).toMatch(
      /MA 021\d\d; \w+, VT 000\d\d; a 90\+-year-old$/,
    );
  });

  test("go with what a name is like: women's, men's, rare ones", () => {
    const { replace } = surrogatesOf(key, "patient 1");
    const of = (name: string): string => replace(name, { class: "NAME", rule: "x", start: 0, end: name.length });
    expect(of("MARY")).toMatch(/^[A-Z]{4,}$/);
    expect(of("Mary")).not.toBe("Mary");
    expect(of("de la Cruz")).toMatch(/^de la [A-Z][a-z]+$/);
    expect(of("Smith-Jones")).toMatch(/^[A-Z][a-z]+-[A-Z][a-z]+$/);
    expect(of("mary").toLowerCase()).toBe(of("MARY").toLowerCase());
  });

  test("need a key, and say so", () => {
    expect(() => deidentify(note("x"), { mode: "surrogate" })).toThrow(ConfigError);
    expect(() => deidentify(note("x"), { mode: "surrogate", key: Buffer.from("short") })).toThrow(
      /at least 16 bytes, got 5/,
    );
  });
});

test.each(dateForms.map(({ rule }) => rule))(
  "a date of form %s comes back after as many days the other way",
  (rule) => {
    const samples: Readonly<Record<string, string>> = {
      iso: "2012-03-14",
      numeric: "03/14/2012",
      dotted: "14.03.2012",
      compact: "20120314",
      "month-day": "March 14th, 2012",
      "day-month": "14 March 2012",
      "month-ordinal": "March fourteenth",
      "ordinal-month": "fourteenth of March",
      "numeric-range": "03/14-03/16",
      weekday: "Monday",
    };
    const sample = samples[rule];
    const form = dateForms.find((one) => one.rule === rule)!;
    const groupsOf = (text: string): Record<string, string | undefined> => {
      form.pattern.lastIndex = 0;
      return form.pattern.exec(text)?.groups ?? {};
    };
    if (sample === undefined) {
      // Months, seasons and holidays are as exact as they are, and numbers need words before them.
      expect([
        "month-year",
        "numeric-month-year",
        "month-of-century",
        "numeric-day",
        "day-of-month",
        "season",
        "month",
        "holiday",
      ]).toContain(rule);
      return;
    }
    const moved = form.shift(groupsOf(sample), -100, sample)!;
    expect(moved).not.toBe(sample);
    expect(form.shift(groupsOf(moved), 100, moved)!.toLowerCase()).toBe(sample.toLowerCase());
  },
);

describe.each(["mask", "surrogate"] as const)("in mode %s", (mode) => {
  const options: DeidentifyOptions = mode === "mask" ? { mode } : surrogate;
  const notes = syntheticNotes("developed", 3, 4);

  test("nothing of what was found is left", () => {
    for (const { id, text } of notes) {
      const done = deidentify(note(text, { id }), options);
      const after = textOf(done.document);
      for (const one of done.found) {
        const original = wholeOf(note(text)).slice(one.start, one.end);
        // Ages, months and weekdays may be another one's surrogate.
        if (isMention(one) || original.length < 6 || /^[A-Za-z]+$/.test(original)) continue;
        expect(after).not.toContain(original);
      }
      const names = done.found.filter((one) => one.class === "NAME");
      for (const { start, end } of names) {
        for (const word of wholeOf(note(text))
          .slice(start, end)
          .match(/[A-Za-z]{5,}/g) ?? []) {
          expect(
            after.replace(/Foley (?:catheter|draining)|Parkinson disease|Bell's palsy|Smith antibodies/gi, ""),
          ).not.toMatch(new RegExp(`\\b${word}\\b`, "i"));
        }
      }
    }
  });

  test("text that is no identifier stays as it is", () => {
    for (const { text } of notes.slice(0, 8)) {
      const { document, found } = deidentify(note(text), options);
      const after = textOf(document);
      const replaced = found.filter((one) => !isMention(one));
      // `wholeOf` puts empty titles before the text.
      let at = text.length - wholeOf(note(text)).length;
      const between: string[] = [];
      let last = 0;
      for (const { start, end } of replaced) {
        between.push(text.slice(last, start + at));
        last = end + at;
      }
      between.push(text.slice(last));
      let from = 0;
      for (const part of between) {
        const where = after.indexOf(part, from);
        expect(where).toBeGreaterThanOrEqual(from);
        from = where + part.length;
      }
    }
  });
});

test("a masked note stays as it is when it is masked again", () => {
  for (const { id, text } of syntheticNotes("developed", 8, 3)) {
    const once = deidentify(note(text, { id }), { mode: "mask" }).document;
    expect(deidentify(once, { mode: "mask" }).document).toEqual(once);
  }
});

test("a name in one section is known in the next, and titles are read, too", () => {
  const document = note("", {
    title: "Letter about Mary Kowalczyk",
    sections: [
      { title: "Seen by Dr. Thistlewood", kind: "text", text: "She is well." },
      { title: "", kind: "table", text: "Kowalczyk\t3.5\nThistlewood\t4" },
    ],
  });
  const { document: done, counts } = deidentify(document, { mode: "mask" });
  expect(wholeOf(done)).toBe("Letter about [NAME]\n\nSeen by Dr. [NAME]\n\nShe is well.\n\n\n\n[NAME]\t3.5\n[NAME]\t4");
  expect(counts).toEqual({ NAME: 4 });
});

test("a record's own fields are changed: numbers to pseudonyms, dates moved, names taken and looked for", () => {
  const document = note("Zanthor Quill was seen by Nobody Known.", {
    date: "2012-03-14",
    metadata: {
      patient: "4711",
      encounter: "99",
      "patient-name": "Quill, Zanthor",
      admitted: "2012-03-12",
      specialty: "Neurology",
      age: "93",
      zip_code: "02139",
      home_phone: "6175550123",
      authors: ["Dr. Roe"],
    },
  });
  const { document: done } = deidentify(document, surrogate);
  const { days } = surrogatesOf(key, "patient 4711");
  const moved = (date: string): string => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
  expect(done.date).toBe(moved("2012-03-14"));
  expect(done.metadata["admitted"]).toBe(moved("2012-03-12"));
  expect(done.metadata["patient"]).toMatch(/^p-[0-9a-f]{12}$/);
  expect(done.metadata).toMatchObject({
    specialty: "Neurology",
    age: "90+",
    zip_code: "[LOCATION]",
    home_phone: "[PHONE]",
  });
  expect(done.metadata["deidentified"]).toBe("surrogate, rules 1");
  expect(done.id).toMatch(/^note:[0-9a-f]{16}$/);
  expect(JSON.stringify(done)).not.toMatch(/4711|Quill|Zanthor|"99"|Roe|2012-03-1/);
  const masked = deidentify(document, { mode: "mask" }).document;
  expect(masked.date).toBe("2012");
  expect(masked.metadata).toMatchObject({ patient: "[ID]", admitted: "2012", "patient-name": "[NAME]" });
});

test("a report says where and by which rule, and what it was only if that is asked for", () => {
  const text = "Dr. Thistlewood, 3/14/2012";
  const spans = deidentify(note(text), { ...surrogate, report: "spans" }).document.metadata["identifiers"];
  expect(spans).toEqual(["NAME 8 19 title", "DATE 21 30 numeric"]);
  const originals = deidentify(note(text), { ...surrogate, report: "originals" }).document.metadata["identifiers"];
  expect(originals).toEqual(["NAME 8 19 title Thistlewood", "DATE 21 30 numeric 3/14/2012"]);
  expect(JSON.stringify(deidentify(note(text), surrogate))).not.toContain("Thistlewood");
});

test("what a tagger found is replaced, too", () => {
  const text = "Xyla went home.";
  const start = wholeOf(note(text)).indexOf("Xyla");
  const { document } = deidentify(note(text), {
    mode: "mask",
    more: [{ class: "NAME", rule: "tagger", start, end: start + 4 }],
  });
  expect(textOf(document)).toBe("[NAME] went home.");
  expect(document.metadata["deidentified"]).toBe("mask, rules 1, tagger");
});

test("surrogates do not stand where rules would not find a name again", () => {
  const { text } = syntheticNotes("developed", 5, 1)[0]!;
  const before = findIdentifiers(text).length;
  expect(Math.abs(findIdentifiers(changed(text)).length - before)).toBeLessThanOrEqual(2);
});

import { describe, expect, test } from "vitest";
import { chunksOf, joinDocument, placeIn } from "./chunks.ts";
import { placePair } from "./ground.ts";
import { findName, searchable } from "../tasks/places.ts";
import { splitSentences } from "../corpus/sentences.ts";
import { toCsv, toTsv } from "./summary.ts";

const split = (text: string): string[] => splitSentences(text).map(([start, end]) => text.slice(start, end));

describe("sentences", () => {
  test("end at full stops, not at abbreviations, initials, numbers or before small letters", () => {
    expect(
      split("Aspirin (e.g. 100 mg) works. See Fig. 2 for p < 0.05. Smith et al. found E. coli.  Was it so? Yes!"),
    ).toEqual([
      "Aspirin (e.g. 100 mg) works.",
      "See Fig. 2 for p < 0.05.",
      "Smith et al. found E. coli.",
      "Was it so?",
      "Yes!",
    ]);
  });

  test("are none in an empty text and one without a full stop; blank lines part", () => {
    expect(split(" \n ")).toEqual([]);
    expect(split("no end")).toEqual(["no end"]);
    expect(split("METHODS\n\nWe did it.\nNext follows")).toEqual(["METHODS", "We did it.", "Next follows"]);
  });
});

describe("grounding", () => {
  const find = (name: string, text: string): string[] =>
    findName(name, searchable(text)).map(([start, end]) => text.slice(start, end));

  test("ignores case and white space, and keeps the original's", () => {
    expect(find("tnf-α / ifn-γ", "The TNF-α/IFN-γ ratio")).toEqual(["TNF-α/IFN-γ"]);
    expect(find("25 (oh) d", "Serum 25(OH)D and\n25(OH)\nD")).toEqual(["25(OH)D", "25(OH)\nD"]);
    expect(find("𝛼-helix", "An 𝛼-helix")).toEqual(["𝛼-helix"]);
    expect(find("i̇stanbul", "İstanbul")).toEqual(["İstanbul"]);
  });

  test("takes whole words only, and finds nothing in place of a guess", () => {
    expect(find("cox", "coxib, COX-2 and acox")).toEqual(["COX"]);
    expect(find("aspirin", "")).toEqual([]);
    expect(find("", "aspirin")).toEqual([]);
  });

  test("prefers two places in one sentence, then the closest", () => {
    const text = "Aspirin helps. Warfarin hurts. Aspirin meets warfarin.";
    const searched = searchable(text);
    const { head, tail, sentences } = placePair(
      findName("aspirin", searched),
      findName("warfarin", searched),
      splitSentences(text),
    );
    expect([head![0], tail![0]]).toEqual([31, 45]);
    expect(sentences).toEqual([[31, 54]]);
    expect(placePair([], [[0, 7]], splitSentences(text))).toEqual({
      head: undefined,
      tail: [0, 7],
      sentences: [[0, 14]],
    });
  });
});

describe("chunks", () => {
  const words = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length;

  test("are whole documents where they fit, else sentences with one in common", () => {
    const joined = joinDocument({ title: "On it", text: "A b c. D e f. G h i. J k l." });
    expect(joined.text).toBe("On it. A b c. D e f. G h i. J k l.");
    expect(chunksOf(joined, 100, words)).toEqual([[0, joined.text.length]]);
    const parts = chunksOf(joined, 6, words).map(([start, end]) => joined.text.slice(start, end));
    expect(parts).toEqual(["On it. A b c.", "A b c. D e f.", "D e f. G h i.", "G h i. J k l."]);
    expect(chunksOf(joined, 2, words)).toHaveLength(5);
    expect(chunksOf(joinDocument({ title: "", text: " " }), 5, words)).toEqual([]);
  });

  test("places go back to title and text", () => {
    const joined = joinDocument({ title: "Aspirin", text: "Warfarin." });
    expect(placeIn(joined, [0, 7])).toEqual({ field: "title", start: 0, end: 7 });
    expect(placeIn(joined, [9, 17])).toEqual({ field: "text", start: 0, end: 8 });
    expect(placeIn(joined, [3, 12])).toBeUndefined();
  });
});

test("tables quote what would break them or be taken for a formula", () => {
  const relation = {
    head: '=A("1,2")',
    relation: "effect",
    tail: "b\tc\nd",
    documents: 1,
    grounded: 1,
    score: -0.5,
    examples: ["x"],
  };
  expect(toCsv([relation]).split("\r\n")[1]).toBe('"\'=A(""1,2"")",effect,"b\tc\nd",1,1,-0.5,x');
  expect(toTsv([relation]).split("\n")[1]).toBe('\'=A("1,2")\teffect\tb c d\t1\t1\t-0.5\tx');
  for (const head of ["=1", "@a", "+a", "-a", "\t=1", "\r=1", "\n=1", ' "=1', '"=1"', "\ra", "\na"]) {
    expect(toTsv([{ ...relation, head }]).split("\n")[1]).toMatch(/^'/);
    expect(
      toCsv([{ ...relation, head }])
        .split("\r\n")
        .slice(1)
        .join("\r\n"),
    ).toMatch(/^"?'/);
  }
  for (const head of ["-1.5", "+3", "a=1", "(+)-a"])
    expect(toTsv([{ ...relation, head }]).split("\n")[1]).toMatch(/^[^']/);
});

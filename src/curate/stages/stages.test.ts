/** The stages that need no reference: what stays, what goes, by which rule. */
import { describe, expect, test } from "vitest";
import type { CorpusDocument } from "../../corpus/corpus-document.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import type { KeyedStage, MapStage, Member, Outcome } from "../stage.ts";
import { decontaminateStage } from "./decontaminate.ts";
import { duplicateParagraphsStage } from "./duplicate-paragraphs.ts";
import { exactDuplicatesStage } from "./exact-duplicates.ts";
import { licencesStage } from "./licences.ts";
import { updates } from "./updates.ts";

const context = { folder: "/" };

function documentOf(id: string, text: string, more: Partial<CorpusDocument> = {}): CorpusDocument {
  const sections = [{ title: "", kind: "text" as const, text }];
  return {
    id,
    source: "s",
    kind: "rows",
    title: "",
    sections,
    date: null,
    language: null,
    licence: null,
    metadata: {},
    ...more,
  };
}

async function outcomes<S>(
  stage: MapStage<S>,
  settings: unknown,
  documents: CorpusDocument[],
): Promise<readonly Outcome[]> {
  const open = await stage.open(stage.settings.parse(settings), context);
  return open.run(documents);
}

describe("licences", () => {
  const licensed = ["CC-BY-4.0", "cc0-1.0", "CC-BY-NC-4.0", null].map((licence, i) =>
    documentOf(String(i), "x", { licence }),
  );
  const verdicts = async (settings: object): Promise<string[]> =>
    (await outcomes(licencesStage, settings, licensed)).map((one) => (one.keep ? "keep" : one.rule));

  test("are allowed and refused by patterns in any case; unknown ones go unless they shall stay", async () => {
    expect(await verdicts({ allow: ["CC-BY-*", "CC0-*"], refuse: ["*-NC-*"] })).toEqual([
      "keep",
      "keep",
      "licence-not-allowed",
      "licence-unknown",
    ]);
    expect(await verdicts({ unknown: "keep" })).toEqual(["keep", "keep", "keep", "keep"]);
  });

  test("are patterns of nothing but stars", async () => {
    expect(await verdicts({ allow: ["CC.BY*"], unknown: "keep" })).toEqual([
      "licence-not-allowed",
      "licence-not-allowed",
      "licence-not-allowed",
      "keep",
    ]);
  });
});

const join = (stage: KeyedStage<never>, members: Partial<Member>[]): [number, number | undefined][] => {
  const group = members.map((one, row): Member => ({ shard: 0, row, part: 0, ...one }));
  if (stage.join === "linked") throw new Error("linked");
  return [...stage.join(group)].map(([loser, winner]) => [loser, winner]);
};

test("of versions of a record the newest stays, of the same the last, and nothing that was withdrawn behind it", () => {
  const stage = updates as unknown as KeyedStage<never>;
  const version = (number: number): { part: number } => ({ part: 2 * number });
  const withdrawal = { part: 1 };
  expect(join(stage, [version(1), version(1)])).toEqual([[0, 1]]);
  expect(join(stage, [version(2), version(1), version(3)])).toEqual([
    [1, 0],
    [0, 2],
  ]);
  expect(join(stage, [version(1), withdrawal])).toEqual([[0, undefined]]);
  expect(join(stage, [withdrawal, version(1)])).toEqual([]);
  expect(join(stage, [version(1), withdrawal, version(1)])).toEqual([[0, undefined]]);
  expect(join(stage, [withdrawal])).toEqual([]);
});

async function keysOf<S>(stage: KeyedStage<S>, document: CorpusDocument, settings: unknown = {}): Promise<string[]> {
  const keys: string[] = [];
  const open = await stage.open(stage.settings.parse(settings), context);
  open.keys(document, (key, part) => keys.push(`${Array.from(key).join("-")}/${part}`));
  return keys;
}

test("exact duplicates differ in nothing but white space, titles and identifiers", async () => {
  const one = await keysOf(exactDuplicatesStage, documentOf("a", "One two.\n\nThree."));
  expect(await keysOf(exactDuplicatesStage, documentOf("b", " One  two. Three.\n", { title: "T" }))).toEqual(one);
  expect(await keysOf(exactDuplicatesStage, documentOf("c", "One two. three."))).not.toEqual(one);
});

describe("duplicate paragraphs", () => {
  const long =
    "The study was approved by the committee of the hospital and all of the patients gave their consent in writing before it.";
  const document = documentOf("a", `Short.\n\n${long}\n\nOwn words.`);

  test("are long ones of prose, whatever their case and punctuation", async () => {
    const [key, ...others] = await keysOf(duplicateParagraphsStage, document);
    expect(others).toEqual([]);
    const again = documentOf("b", long.toUpperCase().replace(".", "!"));
    const [other] = await keysOf(duplicateParagraphsStage, again);
    expect(other!.split("/")[0]).toBe(key!.split("/")[0]);
    const table = { ...again, sections: [{ ...again.sections[0]!, kind: "table" as const }] };
    expect(await keysOf(duplicateParagraphsStage, table)).toEqual([]);
  });

  test("are taken out, and a document of nothing else goes", async () => {
    const open = await duplicateParagraphsStage.open({ leastWords: 20 }, context);
    const left = open.apply!(document, [1], true);
    expect(left).toMatchObject({ keep: true, changes: { "paragraph-taken-out": 1 } });
    expect(left.keep && left.document!.sections[0]!.text).toBe("Short.\n\nOwn words.");
    expect(open.apply!(documentOf("b", long), [0], true)).toEqual({ keep: false, rule: "nothing-new" });
  });
});

describe.skipIf(!hasShared("data/benchmarks"))("decontamination", () => {
  test("finds a question with its answer in other text, and passes the abstract that it is of", async () => {
    const { benchmarks } = await import("../../tasks/index.ts");
    const { contaminationText } = await import("../../tasks/benchmark.ts");
    const { join: joinPath } = await import("node:path");
    const data = shared("data/benchmarks");
    const benchmark = benchmarks["pubmedqa"]!;
    const [example] = await benchmark.read(joinPath(data, "pubmedqa"), "test");
    const held = documentOf("a", `Before it. ${contaminationText(benchmark, example!)} And after it.`);
    const context = documentOf("b", example!.text);
    const found = await outcomes(decontaminateStage, { data, benchmarks: ["pubmedqa"] }, [held, context]);
    expect(found[0]).toMatchObject({ keep: false, rule: "pubmedqa" });
    expect(found[1]).toEqual({ keep: true });
  });

  test("wants benchmarks that there are", async () => {
    const data = shared("data/benchmarks");
    await expect(outcomes(decontaminateStage, { data, benchmarks: ["pubmedq"] }, [])).rejects.toThrow(/got "pubmedq"/);
    await expect(outcomes(decontaminateStage, { data: "/nowhere" }, [])).rejects.toThrow(
      /expected folders of benchmarks/,
    );
  });
});

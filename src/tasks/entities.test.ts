/** Named entities by generation: joining tokens, answers and places, and what perfect answers score on real files. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasShared, shared } from "../../test/support/shared.ts";
import { ConfigError } from "../errors.ts";
import { entityScores } from "../metrics/entities.ts";
import { valueOf } from "../metrics/report.ts";
import { loadTokenizer } from "../tokenizers/files.ts";
import { copyEntities } from "./baselines.ts";
import { type EntityBenchmark, entityBenchmark, entitySentences } from "./entities.ts";
import { locateEntities } from "./entity-places.ts";
import { joinTokens } from "./entity-text.ts";
import { tasks } from "./index.ts";
import { readNer } from "./ner.ts";
import { taskFromSchema } from "./schema.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(`${tmpdir()}/galen-entities-`);
});
afterAll(() => rm(folder, { recursive: true }));

describe("tokens", () => {
  it.each([
    ["ataxia - telangiectasia ( A - T ) , or not .", "ataxia-telangiectasia (A-T), or not."],
    ["0 . 5 mg / kg [ of it ] : 20 % - or more", "0.5 mg/kg [of it]: 20% - or more"],
    ["patient 's E . coli", "patient's E. coli"],
  ])("are joined as people write: %s", (tokens, text) => {
    const words = tokens.split(" ");
    const joined = joinTokens(words);
    expect(joined.text).toBe(text);
    expect(joined.places.map(([start, end]) => joined.text.slice(start, end))).toEqual(words);
  });
});

describe("places", () => {
  const found = (text: string, ...names: string[]): (string | number)[][] =>
    locateEntities(
      text,
      names.map((name) => ({ name, type: "x" })),
    ).map(({ at }) => (at === null ? [] : [at.text, at.start]));

  it("go on from name to name, in the name's own case where it stands so", () => {
    expect(found("It was WAS, was it?", "WAS")).toEqual([["WAS", 7]]);
    expect(found("a or b or a", "a", "a", "a")).toEqual([
      ["a", 0],
      ["a", 10],
    ]);
    expect(found("IL-2 (B-cell) and TNF-α/IFN-γ", "tnf-α / ifn-γ", "IL-2")).toEqual([
      ["TNF-α/IFN-γ", 18],
      ["IL-2", 0],
    ]);
    expect(found("aspirins", "aspirin")).toEqual([[]]);
    expect(
      locateEntities(
        "b c",
        [..."acc"].map((name) => ({ name, type: "x" })),
      ),
    ).toEqual([
      { name: "a", type: "x", at: null },
      { name: "c", type: "x", at: { start: 2, end: 3, text: "c" } },
    ]);
  });
});

describe("an entity task of one's own", () => {
  const schema = { kind: "entities", name: "plants", types: ["Plant", "Pest"] };
  const task = taskFromSchema(schema).task as EntityBenchmark;
  const text = "Rust kills wheat (T. aestivum).";
  const entities = [
    { start: 11, end: 16, type: "Plant" },
    { start: 0, end: 4, type: "pest" },
    { start: 18, end: 29, type: "Plant" },
  ];

  it("reads, writes, parses and scores", async () => {
    const lines = [
      { id: "1", text, entities },
      { id: "2", text: "Nothing.", entities: [] },
    ];
    await writeFile(`${folder}/test.jsonl`, lines.map((one) => JSON.stringify(one)).join("\n"));
    const examples = await task.read(folder, "test");
    const answers = ["Rust is a Pest; wheat is a Plant; T. aestivum is a Plant.", "no entity is named."];
    expect(examples.map(task.target)).toEqual(answers);
    const right = task.evaluate(
      examples,
      answers.map((one) => task.parse(one)),
      { bootstrap: { seed: 1, resamples: 10 } },
    );
    expect([right.failed, valueOf(right, "f1"), valueOf(right, "macro_f1")]).toEqual([0, 1, 1]);
    const wrong = ["Rust is a Plant; wheat is a Plant; Rye is a Plant; nonsense.", "Nothing is a Pest."];
    const report = task.evaluate(
      examples,
      wrong.map((one) => task.parse(one)),
    );
    // One of four answers is right, of three entities.
    expect(valueOf(report, "precision")).toBe(1 / 4);
    expect(valueOf(report, "recall")).toBe(1 / 3);
    expect(valueOf(report, "false_names")).toBe(1);
    expect(valueOf(report, "f1_Pest")).toBe(0);
  });

  it("is asked of taggers by the words of its text", () => {
    const example = { id: "1", text, gold: [] };
    const words = task.tags!.words(example);
    expect(words).toEqual(["Rust", "kills", "wheat", "(", "T", ".", "aestivum", ")", "."]);
    const tags = ["B-PEST", "O", "B-Plant", "O", "B-Plant", "I-Plant", "I-Plant", "O", "O"];
    const answer = task.tags!.answer(example, tags);
    expect(answer.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      "Rust: Pest",
      "wheat: Plant",
      "T. aestivum: Plant",
    ]);
    const gold = [{ start: 18, end: 29, type: "Plant" }];
    expect(valueOf(task.evaluate([{ ...example, gold }], [answer]), "recall")).toBe(1);
  });

  it("scores taggers as seqeval does by default, whatever tags they give (scripts/goldens/metrics.py)", async () => {
    const file = new URL("../../test/goldens/metrics.json", import.meta.url);
    const { entities } = JSON.parse(await readFile(file, "utf8")) as {
      entities: Record<"gold" | "predicted", string[][]> &
        Record<"micro" | "macro", { precision: number; recall: number; f1: number }>;
    };
    const { gold, predicted, micro, macro } = entities;
    const task = entityBenchmark({
      name: "x",
      version: "1",
      description: "",
      types: ["X", "Y"],
      lowercase: false,
      ...entitySentences,
    });
    await writeFile(
      `${folder}/dev.tsv`,
      gold.map((tags) => tags.map((tag, i) => `w${i}\t${tag}\n`).join("")).join("\n"),
    );
    const examples = await task.read(folder, "valid");
    const measured = task.evaluate(
      examples,
      examples.map((one, i) => task.tags!.answer(one, predicted[i]!)),
    );
    const values = ["precision", "recall", "f1", "macro_f1"].map((name) => valueOf(measured, name));
    [micro.precision, micro.recall, micro.f1, macro.f1].forEach((one, i) => expect(values[i]).toBeCloseTo(one, 12));
  });

  it("reads IOB2 files too, and refuses types and places that cannot be", async () => {
    await writeFile(`${folder}/dev.tsv`, "Wheat\tB-plant\nrust\tB-Pest\n.\tO\n");
    expect(await task.read(folder, "valid")).toEqual([
      {
        id: "1",
        text: "Wheat rust.",
        gold: [
          { start: 0, end: 5, type: "Plant" },
          { start: 6, end: 10, type: "Pest" },
        ],
        words: [
          [0, 5],
          [6, 10],
          [10, 11],
        ],
      },
    ]);
    await writeFile(`${folder}/train.tsv`, "Wheat\tB\n");
    await expect(task.read(folder, "train")).rejects.toThrow(/sentence 1 of train: expected .* Plant, Pest; got "_"/);
    const line = (entity: object): string => JSON.stringify({ id: "a", text: "Wheat", entities: [entity] });
    await writeFile(`${folder}/train.jsonl`, line({ start: 2, end: 9, type: "Plant" }));
    await expect(task.read(folder, "train")).rejects.toThrow(/"a": expected 0 ≤ start < end ≤ 5, got 2 and 9/);
    await writeFile(`${folder}/train.jsonl`, line({ start: 0, end: 5, type: "Weed" }));
    await expect(task.read(folder, "train")).rejects.toThrow(/"a": expected .* Plant, Pest; got "Weed"/);
  });

  describe("offsets behind characters beyond U+FFFF", () => {
    const drug = taskFromSchema({ kind: "entities", name: "drugs", types: ["Drug"] }).task as EntityBenchmark;
    const trial = "🧪 trial 0: Aspirin helps.";
    const named = async (task: EntityBenchmark, ...lines: object[]): Promise<string[]> => {
      await writeFile(
        `${folder}/valid.jsonl`,
        lines.map((one, i) => JSON.stringify({ id: `${i}`, ...one })).join("\n"),
      );
      const examples = await task.read(folder, "valid");
      return examples.flatMap(({ text: own, gold }) => gold.map(({ start, end }) => own.slice(start, end)));
    };
    const at = (start: number, end: number, more: object = {}) => [{ start, end, type: "Drug", ...more }];

    it("are told by the words that they begin and end with", async () => {
      expect(await named(drug, { text: trial, entities: at(11, 18) })).toEqual(["Aspirin"]);
      expect(await named(drug, { text: trial, entities: at(12, 19) })).toEqual(["Aspirin"]);
      // The whole file has one unit: an entity that says little by itself follows the others.
      const little = { text: "🧪🧪 - + -", entities: at(3, 4) };
      expect(await named(drug, little, { text: trial, entities: at(11, 18) })).toEqual(["-", "Aspirin"]);
      expect(await named(drug, { text: "Aspirin 🧪", entities: at(0, 7) })).toEqual(["Aspirin"]);
      expect(await named(drug, { text: "no mark: Aspiri", entities: at(9, 12) })).toEqual(["Asp"]);
    });

    it("are told by the entity's text, which must stand there", async () => {
      const text = "🧪 p53 p53p";
      expect(await named(drug, { text, entities: at(6, 9, { text: "p53" }) })).toEqual(["p53"]);
      expect(await named(drug, { text, entities: at(7, 10, { text: "p53" }) })).toEqual(["p53"]);
      await expect(named(drug, { text: trial.slice(3), entities: at(0, 5, { text: "Aspirin" }) })).rejects.toThrow(
        /valid\.jsonl: "0": expected "Aspirin", got "trial" at 0 to 5/,
      );
    });

    it("are asked for where both fit alike, and taken as the task says", async () => {
      const either = { text: "🧪a-a-a", entities: at(3, 4) };
      await expect(named(drug, either)).rejects.toThrow(/"0": expected offsets that tell .* may be either/);
      await expect(named(drug, { text: trial, entities: at(13, 15) })).rejects.toThrow(/got some that fit neither/);
      for (const [offsets, found] of [
        ["utf-16", "-"],
        ["code-points", "a"],
      ]) {
        const schema = { kind: "entities", name: "drugs", types: ["Drug"], offsets };
        expect(await named(taskFromSchema(schema).task as EntityBenchmark, either)).toEqual([found]);
      }
      const points = { kind: "entities", name: "drugs", types: ["Drug"], offsets: "code-points" };
      const outside = named(taskFromSchema(points).task as EntityBenchmark, { text: trial, entities: at(12, 26) });
      await expect(outside).rejects.toThrow("expected 0 ≤ start < end ≤ 25, got 12 and 26");
    });
  });

  it.each([
    [{ kind: "entities" }, /types/],
    [{ ...schema, types: ["a", "A"] }, /differ in more than case/],
    [{ ...schema, template: "{name}" }, /\{name\} and \{type\}/],
  ])("refuses %j", (settings, message) => {
    expect(() => taskFromSchema(settings)).toThrow(ConfigError);
    expect(() => taskFromSchema(settings)).toThrow(message);
  });

  it("copies names known from training, the longest first", () => {
    const train = [{ id: "1", text, gold: [entities[0]!, { start: 11, end: 29, type: "Pest" }] }];
    const unseen = { id: "2", text: "WHEAT and wheat T aestivum", gold: [] };
    expect(copyEntities(train, [unseen])).toEqual([
      [
        { name: "WHEAT", type: "Plant" },
        { name: "wheat T aestivum", type: "Pest" },
      ],
    ]);
  });
});

const benchmarks = "data/benchmarks/ner";
const known = hasShared(benchmarks) && hasShared("data/tokenizers/biogpt");
describe.skipIf(!known)("answers on real files", () => {
  it.each([
    ["BC5CDR-chem", "ner-chemical", 1],
    ["BC5CDR-disease", "ner-disease", 1],
    ["NCBI-disease", "ner-disease", 0.999],
    ["BC2GM", "ner-gene", 0.9994],
    ["JNLPBA", "ner-jnlpba", 0.9976],
  ])("%s: what is right scores %s after format, BioGPT's tokenizer and back, parser and places", async (...row) => {
    const [name, taskName, ceiling] = row;
    const tokenizer = await loadTokenizer(shared("data/tokenizers/biogpt"));
    const task = tasks[taskName] as EntityBenchmark;
    const gold = await task.read(shared(`${benchmarks}/${name}`), "test");
    const answers = gold.map((one) => {
      const [, ...ids] = tokenizer.encodeIds(task.target(one));
      return task.parse(tokenizer.decode(ids, { skipSpecialTokens: true }));
    });
    expect(valueOf(task.evaluate(gold, answers), "f1")).toBeCloseTo(ceiling, 4);
  });

  it.each(["NCBI-disease", "JNLPBA"])("%s: spoiled answers score as their tags do", async (name) => {
    const path = shared(`${benchmarks}/${name}`);
    const task = tasks["ner-gene"] as EntityBenchmark;
    const [gold, sentences] = [await task.read(path, "test"), await readNer(path, "test")];
    const type = "gene";
    const answers = gold.map((example, i) => {
      const { tokens, tags } = sentences[i]!;
      const wrong = tokens.find((token, at) => tags[at] === "O" && example.text.split(token).length === 2);
      const right = task.parse(task.target(example)).slice(i % 3 === 0 ? 1 : 0);
      return i % 4 === 0 && wrong !== undefined ? [...right, { name: wrong, type }] : right;
    });
    const tags = sentences.map(({ tokens }, i) => {
      const { text, places } = joinTokens(tokens);
      const found = tokens.map(() => "O");
      for (const { at: place } of locateEntities(text, answers[i]!)) {
        if (place === null) continue;
        const first = places.findIndex(([start]) => start === place.start);
        const last = places.findIndex(([, end]) => end === place.end);
        for (let at = first; at <= last; at++) found[at] = at === first ? "B" : "I";
      }
      return found;
    });
    const { micro } = entityScores(
      sentences.map((one) => one.tags),
      tags,
    );
    const report = task.evaluate(gold, answers);
    expect(micro.f1).toBeLessThan(0.9);
    expect(valueOf(report, "precision")).toBeCloseTo(micro.precision, 3);
    expect(valueOf(report, "recall")).toBeCloseTo(micro.recall, 3);
  });
});

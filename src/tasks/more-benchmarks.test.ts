/** The original layouts of benchmarks whose files are not in ../shared, what wrong files say, and answers as they come. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { type Measurement, valueOf } from "../metrics/report.ts";
import type { Benchmark, Example } from "./benchmark.ts";
import { bioAsqFactoid, bioAsqList, bioAsqYesNo } from "./bioasq.ts";
import { chemprot } from "./chemprot.ts";
import { wordReader } from "./classes.ts";
import { gad } from "./gad.ts";
import { mtsDialogChat } from "./mts-dialog.ts";
import { nli4ct, type TrialStatement } from "./nli4ct.ts";
import { structuredAbstracts } from "./structured-abstracts.ts";
import { firstWords } from "./summaries.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-benchmarks-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
});

function write(name: string, rows: readonly (string | readonly string[])[]): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${rows.map((row) => (typeof row === "string" ? row : row.join("\t"))).join("\n")}\n`);
}

describe("GAD", () => {
  it("is read below BLURB's header, and without one as BioBERT's training files are", async () => {
    const sentence = "@GENE$ raises the risk of @DISEASE$.";
    write("test.tsv", ["index\tsentence\tlabel", ["7", sentence, "1"], ["8", "No link of @GENE$ and @DISEASE$.", "0"]]);
    write("train.tsv", [[sentence, "1"]]);
    const test = await gad.read(folder, "test");
    expect(test).toEqual([
      { id: "test-7", text: sentence, gold: "1" },
      { id: "test-8", text: "No link of @GENE$ and @DISEASE$.", gold: "0" },
    ]);
    expect(await gad.read(folder, "train")).toEqual([{ id: "train-1", text: sentence, gold: "1" }]);
    expect(test.map((one) => gad.target(one))).toEqual([" yes", " no"]);
    // One of one right, one false alarm: 2 / (2 + 1).
    expect(valueOf(gad.evaluate(test, ["1", "1"]), "f1")).toBeCloseTo(2 / 3, 12);
    expect(gad.labels!.answer(["1"])).toBe("1");
    write("dev.tsv", ["index\tsentence\tlabel", "7 a b 1"]);
    await expect(gad.read(folder, "valid")).rejects.toThrow(
      /dev\.tsv:2: expected index, sentence and 0 or 1, got "7 a b 1"/,
    );
  });
});

describe("ChemProt", () => {
  const title = "Effect of 𝛼-zinol on Kin1";
  const abstract = "Zinol blocks Kin1 and Kin2. Rado binds.";
  const at = (name: string, from = 0): [string, string] => {
    const whole = `${title} ${abstract}`;
    const start = Array.from(whole.slice(0, whole.indexOf(name, from))).length;
    return [`${start}`, `${start + [...name].length}`];
  };
  const entities = [
    ["11", "T1", "CHEMICAL", ...at("𝛼-zinol"), "𝛼-zinol"],
    ["11", "T2", "GENE-Y", ...at("Kin1"), "Kin1"],
    ["11", "T3", "CHEMICAL", ...at("Zinol"), "Zinol"],
    ["11", "T4", "GENE-N", ...at("Kin1", title.length), "Kin1"],
    ["11", "T5", "GENE-Y", ...at("Kin2"), "Kin2"],
    ["11", "T6", "CHEMICAL", ...at("Rado"), "Rado"],
  ];
  const gold = [
    ["11", "CPR:4", "Arg1:T3", "Arg2:T4"],
    ["11", "CPR:9", "Arg1:T3", "Arg2:T5"],
    // Not evaluated.
    ["11", "CPR:1", "Arg1:T1", "Arg2:T2"],
  ];

  function files(part: string, suffix: string): void {
    const base = `chemprot_${part}${suffix}/chemprot_${part}`;
    write(`${base}_abstracts${suffix}.tsv`, [["11", title, abstract]]);
    write(`${base}_entities${suffix}.tsv`, entities);
    write(`${base}_gold_standard.tsv`, gold);
  }

  it.each([
    ["train", "training", ""],
    ["valid", "development", ""],
    ["test", "test", "_gs"],
  ] as const)("gives the pairs of each sentence of %s", async (split, part, suffix) => {
    files(part, suffix);
    const examples = await chemprot.read(folder, split);
    expect(examples.map(({ id, document, text, gold: found }) => [id, document, text, found])).toEqual([
      ["11 T1 T2", "11", "Effect of @CHEMICAL$ on @GENE$", "none"],
      ["11 T3 T4", "11", "@CHEMICAL$ blocks @GENE$ and Kin2.", "CPR:4"],
      ["11 T3 T5", "11", "@CHEMICAL$ blocks Kin1 and @GENE$.", "CPR:9"],
    ]);
    expect(examples.map((one) => chemprot.parse(chemprot.target(one)))).toEqual(["none", "CPR:4", "CPR:9"]);
    // One of two right, the other of a wrong class: precision and recall 1/2; a right "none" counts for nothing.
    const answers = ["none", "CPR:4", "CPR:3"];
    const measured = chemprot.evaluate(examples, answers);
    expect(["f1", "precision", "recall", "f1_CPR:4"].map((name) => valueOf(measured, name))).toEqual([
      0.5, 0.5, 0.5, 1,
    ]);
    expect(chemprot.scores!(examples, answers)).toEqual([
      { tp: 0, fp: 0, fn: 0 },
      { tp: 1, fp: 0, fn: 0 },
      { tp: 0, fp: 1, fn: 1 },
    ]);
  });

  it("says which line does not fit", async () => {
    files("training", "");
    write("chemprot_training/chemprot_training_gold_standard.tsv", [["11", "inhibits", "Arg1:T3", "Arg2:T4"]]);
    await expect(chemprot.read(folder, "train")).rejects.toThrow(
      /gold_standard\.tsv:1: expected a class such as CPR:3, .*got "11 inhibits/,
    );
    files("training", "");
    write("chemprot_training/chemprot_training_entities.tsv", [["11", "T1", "CHEMICAL", "3", "999", "x"]]);
    await expect(chemprot.read(folder, "train")).rejects.toThrow(
      /abstracts\.tsv:1: expected T1 within \d+ characters, got 3 to 999/,
    );
    write("chemprot_training/chemprot_training_entities.tsv", ["11 T1 CHEMICAL 3 9 x"]);
    await expect(chemprot.read(folder, "train")).rejects.toThrow(
      /entities\.tsv:1: expected document, entity, .* by tabs/,
    );
  });
});

describe("NLI4CT", () => {
  const statement = (id: string, gold: string, madeFrom?: TrialStatement["madeFrom"]): TrialStatement => ({
    id,
    text: "Results\nPrimary trial:\nnone",
    statement: id,
    gold,
    ...(madeFrom && { madeFrom }),
  });
  const examples = [
    statement("a", "Entailment"),
    statement("b", "Contradiction"),
    statement("a same", "Entailment", { kept: true, id: "a" }),
    statement("b same", "Contradiction", { kept: true, id: "b" }),
    statement("a turned", "Contradiction", { kept: false, id: "a" }),
  ];
  const values = (found: Measurement): number[] =>
    ["f1", "accuracy", "faithfulness", "consistency"].map((name) => valueOf(found, name));

  it("counts F1 of the statements of its own, and how answers move with those made of them", () => {
    const [yes, no] = ["Entailment", "Contradiction"];
    expect(values(nli4ct.evaluate(examples, [yes, no, yes, no, no]))).toEqual([1, 1, 1, 1]);
    // Always yes: wrong of b, never moved by what was turned round, and consistent.
    expect(values(nli4ct.evaluate(examples, [yes, yes, yes, yes, yes]))).toEqual([2 / 3, 1 / 2, 0, 1]);
    expect(values(nli4ct.evaluate(examples, [yes, no, no, no, no]))).toEqual([1, 1, 1, 1 / 2]);
    expect(nli4ct.scores!(examples, [no, no, no, no, no])).toEqual([
      { tp: 0, fp: 0, fn: 1 },
      ...Array.from({ length: 4 }, () => ({ tp: 0, fp: 0, fn: 0 })),
    ]);
  });

  it("says how to get an archive that is missing or none", async () => {
    await expect(nli4ct.read(folder, "train")).rejects.toThrow(
      /training_data\.zip: expected a zip archive.*\nHint: Get training_data\.zip/,
    );
    writeFileSync(join(folder, "training_data.zip"), "version https://git-lfs.github.com/spec/v1\n");
    await expect(nli4ct.read(folder, "train")).rejects.toThrow(/expected a zip archive, got one without its directory/);
  });
});

describe("BioASQ", () => {
  const question = {
    id: "q1",
    type: "list",
    body: "Which?",
    snippets: [{ text: " One. " }, { text: "One." }, { text: "Two." }],
  };
  const batches = ["9B1", "9B2", "9B3", "9B4", "9B5"];
  const files = (...questions: object[]): void => {
    for (const [i, batch] of batches.entries()) {
      write(`${batch}_golden.json`, [JSON.stringify({ questions: i === 0 ? questions : [] })]);
    }
  };

  it("gives each passage once, and takes lists as models write them", async () => {
    files({
      ...question,
      exact_answer: [
        ["Alpha", "alpha-1"],
        ["beta", ""],
      ],
    });
    const [example] = await bioAsqList.read(folder, "valid");
    expect(example).toEqual({
      id: "q1",
      text: "One.\nTwo.",
      question: "Which?",
      gold: [["Alpha", "alpha-1"], ["beta"]],
    });
    expect(bioAsqList.source(example!)).toBe(
      "Passages:\nOne.\nTwo.\n\nQuestion: Which?\nAnswer with a list of names, separated by semicolons.\nAnswer:",
    );
    for (const text of ["alpha; BETA", "- Alpha\n- beta\n\nBoth are named.", "1. alpha-1\n2. beta"]) {
      expect(valueOf(bioAsqList.evaluate([example!], [bioAsqList.parse(text)]), "f1")).toBe(1);
    }
    expect(bioAsqList.parse(" \n")).toEqual([]);
    expect(bioAsqFactoid.parse("a;b;c;d;e;f")).toEqual(["a", "b", "c", "d", "e"]);
    const [answer] = bioAsqList.baseline!.answers([example!], [{ ...example!, text: "Of beta and gamma." }]);
    expect(answer).toEqual(["beta"]);
  });

  it("counts an unread answer as wrong of yes and of no", async () => {
    files(
      { ...question, type: "yesno", exact_answer: "Yes" },
      { ...question, id: "q2", type: "yesno", exact_answer: "no" },
    );
    const examples = await bioAsqYesNo.read(folder, "valid");
    const measured = bioAsqYesNo.evaluate(examples, ["yes", bioAsqYesNo.parse("It depends.")]);
    // Yes: 2 / (2 + 1); no: 0.
    expect([measured.failed, valueOf(measured, "accuracy"), valueOf(measured, "macro_f1")]).toEqual([1, 1 / 2, 1 / 3]);
  });

  it("refuses the challenge's test files, which have no answers, and what is cut short", async () => {
    files(question);
    await expect(bioAsqList.read(folder, "valid")).rejects.toThrow(
      /9B1_golden\.json: question q1: expected the exact answer of a list question, got none\nHint: golden files/,
    );
    write("9B1_golden.json", ['{"questions": [{"id": "q1", ']);
    await expect(bioAsqList.read(folder, "valid")).rejects.toThrow(/9B1_golden\.json/);
    expect(() => bioAsqYesNo.exampleOf("7", "Is it so?")).toThrow(/text 7: expected a question, a tab and passages/);
  });
});

describe("texts in other forms", () => {
  it("are refused by line", async () => {
    write("test.txt", ["###1", "METHODS\tWe did it.", "AIM\tTo do it."]);
    await expect(structuredAbstracts.read(folder, "test")).rejects.toThrow(
      /test\.txt:3: expected ###ID, or a section .*got "AIM/,
    );
    write("MTS-Dialog-ValidationSet.csv", ["ID,header,dialogue", "1,CC,Doctor: So?"]);
    await expect(mtsDialogChat.read(folder, "valid")).rejects.toThrow(
      /ValidationSet\.csv:2: expected the columns ID, section_header, section_text and dialogue, got ID, header, dialogue/,
    );
  });
});

describe("answers", () => {
  it("are read where they name one class", () => {
    const read = wordReader(["yes", "no", "agonist", "antagonist"]);
    const cases: [string, string | undefined][] = [
      ["Yes.", "yes"],
      ["\n**No**, since", "no"],
      ["an antagonist", "antagonist"],
      ["There is no evidence, so yes", undefined],
      ["There is no evidence. The answer is: yes", "yes"],
      ["Answer: no\nThe answer is yes.", "yes"],
      ["nothing", undefined],
      ["", undefined],
    ];
    expect(cases.map(([text]) => read(text))).toEqual(cases.map(([, word]) => word));
  });

  it("of summaries begin with a text's first words, as they stand", () => {
    expect(firstWords("a  b\nc d", 3)).toBe("a  b\nc");
    expect(firstWords("a b", 9)).toBe("a b");
  });

  it("are one an example", () => {
    for (const benchmark of [gad, nli4ct, bioAsqList, mtsDialogChat] as unknown as Benchmark<Example, unknown>[]) {
      expect(() => benchmark.evaluate([], ["one too many"])).toThrow(/expected 0 predictions/);
    }
  });
});

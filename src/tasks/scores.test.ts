/** What every benchmark says of single examples: together it is the primary figure, whatever was answered. */
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shared } from "../../test/support/shared.ts";
import { type Counts, mean, microF1 } from "../metrics/counts.ts";
import { valueOf } from "../metrics/report.ts";
import type { Benchmark, Example } from "./benchmark.ts";
import { benchmarks, tasks } from "./index.ts";
import { taskFromSchema } from "./schema.ts";

const text = "Aspirin and ibuprofen against headache, fever and gout.";
const relation = (head: string, tail: string, kind: string) => ({ head, tail, relation: kind });
const triples = (kind: string, other: string) => [
  [relation("Aspirin", "ibuprofen", kind), relation("Aspirin (ASA)", "gout", other)],
  [relation("ibuprofen", "fever", other)],
  [relation("Aspirin", "fever", kind), relation("ibuprofen", "gout", kind), relation("ibuprofen", "Aspirin", other)],
  [relation("gout", "fever", kind)],
];
const chemicals = { aspirin: "D1", "acetylsalicylic acid": "D1", ibuprofen: "D2" };
const diseases = { headache: "D3", fever: "D4", gout: "D5" };
const places = (type: string) => [
  [{ start: 0, end: 7, type }],
  [
    { start: 12, end: 21, type },
    { start: 30, end: 38, type },
  ],
  [],
  [{ start: 40, end: 45, type }],
];
const own = {
  relations: { kind: "relation", name: "own-relations", relations: ["Grows", "Kills"] },
  entities: { kind: "entities", name: "own-entities", types: ["Drug", "Gene"] },
  label: { kind: "classification", name: "own-label", labels: ["A", "B", "C"] },
  labels: { kind: "classification", name: "own-labels", labels: ["A", "B", "C"], multiLabel: true },
};

/** Gold of four examples; what else an example needs is made of it. */
const golds: Readonly<Record<string, readonly unknown[]>> = {
  bc5cdr: [
    [["D1", "D3"]],
    [
      ["D2", "D4"],
      ["D2", "D5"],
    ],
    [["D1", "D5"]],
    [
      ["D2", "D3"],
      ["D1", "D4"],
    ],
  ].map((pairs) => ({
    relations: pairs.map(([chemical, disease]) => ({ chemical, disease })),
    chemicals,
    diseases,
  })),
  "kd-dti": triples("inhibitor", "agonist"),
  ddi: triples("effect", "mechanism"),
  pubmedqa: ["yes", "no", "maybe", "yes"],
  "pubmedqa-large": ["yes", "no", "maybe", "yes"],
  hoc: [["empty"], ["inducing angiogenesis", "resisting cell death"], ["resisting cell death"], ["empty"]],
  ...Object.fromEntries(
    Object.keys(tasks)
      .filter((name) => name.startsWith("ner-"))
      .map((name) => [name, places(name === "ner-jnlpba" ? "bioentity" : name.slice(4))]),
  ),
  "own-relations": triples("Grows", "Kills"),
  "own-entities": places("Drug"),
  "own-label": [["A"], ["B"], ["C"], ["A"]],
  "own-labels": [["A"], ["A", "B"], [], ["B", "C"]],
};

const together = (scores: readonly (number | Counts)[]): number =>
  scores.every((one) => typeof one === "number") ? mean(scores) : microF1(scores as readonly Counts[]);

/** Every third answer is that of another example, every fifth is none. */
function checkScores(task: Benchmark, examples: readonly Example[]): void {
  const answers = examples.map((_, i) => {
    const asked = examples[i % 3 === 1 ? (i + 1) % examples.length : i]!;
    return task.parse(i % 5 === 4 ? "nothing to be read" : task.target(asked));
  });
  const scores = task.scores!(examples, answers);
  expect(scores).toHaveLength(examples.length);
  const measured = task.evaluate(examples, answers);
  expect(together(scores)).toBeCloseTo(valueOf(measured, measured.primary), 12);
  expect(together(scores)).toBeGreaterThan(0);
  expect(together(scores)).toBeLessThan(1);
  expect(() => task.scores!(examples.slice(1), answers)).toThrow(/expected \d+ predictions/);
}

const all = {
  ...benchmarks,
  ...Object.fromEntries(Object.values(own).map((one) => [one.name, taskFromSchema(one).task])),
};

describe("scores of single examples are what the primary figure is made of", () => {
  it.each(Object.entries(all).filter(([name]) => golds[name] !== undefined))("%s", (name, task) => {
    checkScores(
      task,
      golds[name]!.map((gold, i) => ({ id: `${i}`, document: `${i >> 1}`, text, gold, question: "?", longAnswer: "" })),
    );
  });

  const folders: Readonly<Record<string, string>> = {
    ...Object.fromEntries(["bc5cdr", "kd-dti", "ddi", "pubmedqa", "hoc"].map((name) => [name, name])),
    "ner-chemical": "ner/BC5CDR-chem",
    "ner-jnlpba": "ner/JNLPBA",
    ...Object.fromEntries(
      Object.entries(benchmarks).flatMap(([name, { data }]) => (data ? [[name, data.folder]] : [])),
    ),
  };
  const there = Object.entries(folders).filter(([, one]) => existsSync(shared(`data/benchmarks/${one}`)));
  if (there.length === 0) console.warn("skipped: ../shared/data/benchmarks is absent");
  it.runIf(there.length > 0).each(there)("%s, on the test set", async (name, folder) => {
    checkScores(benchmarks[name]!, await benchmarks[name]!.read(shared(`data/benchmarks/${folder}`), "test"));
  });

  it("every benchmark says them", () => {
    expect(Object.values(all).filter(({ scores }) => scores === undefined)).toEqual([]);
  });
});

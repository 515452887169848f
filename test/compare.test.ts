/** Models beside each other: from evaluations through their folders to tables and a page. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SaxesParser } from "saxes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError, DataError } from "../src/errors.ts";
import {
  type Comparison,
  compareResults,
  comparisonMarkdown,
  comparisonPage,
  comparisonText,
  contaminationFigures,
  evaluate,
  overlapOf,
  readRecords,
  readResults,
  recordsOf,
  writeRecords,
} from "../src/eval/index.ts";
import { mcnemar, pairedBootstrap, type Report, smallestOfDiscordant } from "../src/metrics/index.ts";
import { type Benchmark, type Example, tasks } from "../src/tasks/index.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-compare-"));
afterAll(() => rmSync(folder, { recursive: true }));

const questions = Array.from({ length: 60 }, (_, i) => ({
  id: `q${i}`,
  text: `context ${i}`,
  gold: ["yes", "no", "maybe"][i % 3]!,
  question: `question ${i}?`,
  longAnswer: "",
}));
const sentences = Array.from({ length: 45 }, (_, i) => ({
  id: `${i}`,
  document: `d${i % 15}`,
  text: `sentence ${i} of aspirin${i} and gout${i}`,
  gold: [{ start: `sentence ${i} of `.length, end: `sentence ${i} of aspirin${i}`.length, type: "chemical" }],
}));
const sets: Readonly<Record<string, Benchmark>> = {
  pubmedqa: { ...tasks["pubmedqa"]!, read: async () => questions },
  "ner-chemical": { ...tasks["ner-chemical"]!, read: async () => sentences },
};

/** Right where `isRight` says so of the example's number, else the answer to another example. */
async function write(
  model: string,
  output: string,
  name: string,
  isRight: (i: number) => boolean,
  protocol: object = {},
): Promise<void> {
  const benchmark = sets[name]!;
  const examples = (await benchmark.read("", "test")) as Example[];
  const places = new Map(examples.map((one, i) => [benchmark.source(one), i]));
  const answer = (source: string): string => {
    const i = places.get(source)!;
    return benchmark.target(examples[isRight(i) ? i : (i + 1) % examples.length]!);
  };
  const abilities = {
    protocol: { ...protocol },
    generate: async (sources: readonly string[]) => sources.map((source) => ({ text: answer(source) })),
  };
  const evaluation = await evaluate(benchmark, abilities, { data: "x" });
  mkdirSync(join(output, name), { recursive: true });
  writeFileSync(join(output, name, "report.json"), JSON.stringify({ model, ...evaluation.report }));
  await writeRecords(join(output, name, "records.jsonl"), recordsOf(benchmark, evaluation));
}

const suite = (output: string, model: string, benchmarks: readonly string[]): void =>
  writeFileSync(join(output, "suite.json"), JSON.stringify({ model, suite: "two", benchmarks }));
const hostile = 'runs/<img src=x onerror=alert(1)>&"b"|*|\u001b[2J/model';
const [first, second, third, fourth] = ["a", "b", "c", "d"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
  string,
];

let comparison: Comparison;
beforeAll(async () => {
  await write("org/first", first, "pubmedqa", (i) => i % 2 === 0);
  await write("org/first", first, "ner-chemical", (i) => i % 2 === 0);
  await write(hostile, second, "pubmedqa", (i) => i % 2 === 0 || i > 20);
  await write(hostile, second, "ner-chemical", (i) => i % 3 > 0);
  await write("third", third, "pubmedqa", (i) => i % 2 === 0, { shots: { number: 5 } });
  await write("fourth", fourth, "pubmedqa", (i) => i % 2 === 0);
  await write("fourth", fourth, "ner-chemical", (i) => i % 2 === 0);
  suite(first, "org/first", ["pubmedqa", "ner-chemical", "ddi"]);
  suite(second, hostile, ["pubmedqa", "ner-chemical"]);
  suite(third, "third", ["pubmedqa", "ner-chemical"]);
  suite(fourth, "fourth", ["pubmedqa", "ner-chemical"]);
  comparison = compareResults(await Promise.all([first, second, third].map(readResults)), { resamples: 500 });
});

const scoresIn = (output: string, name: string): number[] =>
  readFileSync(join(output, name, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { score: number }).score);

describe("models on the same benchmarks", () => {
  test("have the difference of what they answered, by McNemar's test where answers are right or wrong", () => {
    const [pubmedqa] = comparison.benchmarks;
    const [a, b] = [scoresIn(first, "pubmedqa"), scoresIn(second, "pubmedqa")];
    const tested = mcnemar(a, b);
    expect(tested).toMatchObject({ onlyFirst: 0, onlySecond: 20 });
    expect(pubmedqa!.cells[1]).toMatchObject({ value: 50 / 60, examples: 60, failed: 0 });
    expect(pubmedqa!.cells[1]!.difference).toMatchObject({
      test: "mcnemar",
      value: expect.closeTo(20 / 60, 12),
      p: tested.p,
      // Of two tests the smaller p is doubled.
      adjusted: 2 * tested.p,
      smallest: smallestOfDiscordant(20, 60),
    });
  });

  test("are drawn by documents elsewhere, both alike", () => {
    const entities = comparison.benchmarks[1]!;
    const { difference } = entities.cells[1]!;
    const [a, b] = [scoresIn(first, "ner-chemical"), scoresIn(second, "ner-chemical")];
    const documents = sentences.map(({ document }) => document);
    const drawn = pairedBootstrap(a, b, documents, { seed: difference!.interval.seed, resamples: 500 });
    expect(entities.cells[1]!.value).toBeCloseTo(30 / 45, 12);
    expect(difference).toMatchObject({ test: "bootstrap", p: drawn.p, interval: drawn.interval });
    expect(difference!.smallest! / drawn.error).toBeCloseTo(2.8016, 4);
  });

  test("that were asked in another way, or not at all, are not compared, and said", () => {
    const [pubmedqa, entities, ddi] = comparison.benchmarks;
    expect(pubmedqa!.cells[2]).toMatchObject({ value: 0.5, differs: { field: "shots", here: { number: 5 } } });
    expect(pubmedqa!.cells[2]!.difference).toBeUndefined();
    expect(entities!.cells[2]).toBeNull();
    expect(ddi!.cells).toEqual([null, null, null]);
    expect(comparison.tests).toBe(2);
    expect(comparison.average).toBeUndefined();
  });

  test("that answer alike differ by nothing, with p of 1", async () => {
    const results = await Promise.all([first, second, fourth].map(readResults));
    const { benchmarks, average, tests } = compareResults(results, { resamples: 300 });
    const same = benchmarks.slice(0, 2).map(({ cells }) => cells[2]!.difference!);
    for (const one of same) expect(one).toMatchObject({ value: 0, p: 1, adjusted: 1, interval: { low: 0, high: 0 } });
    // No answers tell these two apart: 6 of 60 would have to, all in one direction; of counts nothing can be said.
    expect(same.map(({ smallest }) => smallest)).toEqual([smallestOfDiscordant(0, 60), undefined]);
    expect(tests).toBe(4);
    expect(average!.benchmarks).toEqual(["pubmedqa", "ner-chemical"]);
    const [mine, other] = average!.cells;
    expect(other!.difference!.value).toBeCloseTo(other!.value - mine!.value, 12);
    expect(other!.difference!.interval.low).toBeLessThan(other!.difference!.value);
    expect(average!.cells[2]!.difference).toMatchObject({ value: 0, p: 1 });
  });

  test("are read from a single benchmark's folder as well, and refused where nothing fits", async () => {
    const single = [join(first, "pubmedqa"), join(second, "pubmedqa")];
    const { benchmarks } = compareResults(await Promise.all(single.map(readResults)), { resamples: 500 });
    expect(benchmarks).toHaveLength(1);
    expect(benchmarks[0]!.cells[1]!.difference!.value).toBeCloseTo(20 / 60, 12);
    await expect(readResults(folder)).rejects.toThrow(/expected a folder with suite.json or report.json, got neither/);
    expect(() => compareResults([])).toThrow(ConfigError);
    const bad = join(folder, "bad");
    mkdirSync(bad);
    suite(bad, "m", ["../a"]);
    await expect(readResults(bad)).rejects.toThrow(/suite.json: benchmarks.0: expected text like/);
  });

  test("whose records are not those of their report are refused", async () => {
    const broken = join(folder, "broken");
    await write("m", broken, "pubmedqa", (i) => i % 2 === 0);
    const path = join(broken, "pubmedqa/records.jsonl");
    const lines = readFileSync(path, "utf8").trim().split("\n");
    const compared = async (): Promise<Comparison> =>
      compareResults([await readResults(join(first, "pubmedqa")), await readResults(join(broken, "pubmedqa"))]);
    writeFileSync(path, `${lines.slice(0, 58).join("\n")}\n`);
    await expect(compared()).rejects.toThrow(/expected 60 records whose scores make 0.5, got 58 that make/);
    writeFileSync(path, `${[...lines.slice(2), ...lines.slice(0, 2)].join("\n")}\n`);
    await expect(compared()).rejects.toThrow(/records.jsonl:1: expected example "q0" as in .*, got "q2"/);
    await expect(compared()).rejects.toThrow(DataError);
    rmSync(path);
    const { benchmarks } = await compared();
    expect(benchmarks[0]!.cells[1]).toMatchObject({ value: 0.5, untested: "no scores of single examples" });
  });
});

describe("a comparison", () => {
  test("reads well on a terminal, and commands no terminal", () => {
    const text = comparisonText(comparison);
    expect(text).toContain("pubmedqa (accuracy, 60 examples)\n  first ");
    expect(text).toMatch(
      /83\.33 \[\d\d\.\d\d, \d\d\.\d\d\] +\+33\.33 \[\+\d\d\.\d\d, \+\d\d\.\d\d\] +<0\.001 +\d\d\.\d\d\n/,
    );
    expect(text).toContain('not compared: shots is {"number":5}, not nothing\n');
    expect(text).toMatch(/ third +missing\n/);
    expect(text).toContain("corrected for 2 tests by Holm's method");
    expect(text).toContain("No mean: ");
    expect(text).not.toContain("\u001b");
  });

  test("is a table in Markdown, in which names are names", () => {
    const markdown = comparisonMarkdown(comparison);
    const rows = markdown.split("\n").filter((line) => line.startsWith("|"));
    expect(rows).toHaveLength(2 + 9);
    for (const row of rows) expect(row.replaceAll("\\|", "").split("|")).toHaveLength(8);
    expect(markdown).toContain('| \\<img src=x onerror=alert(1)\\>\\&"b"\\|\\*\\|�\\[2J |');
    expect(markdown).not.toMatch(/(?<!\\)[<>]/);
  });

  test("is a page of well-formed markup without scripts, whose policy allows its own style alone", async () => {
    const page = await comparisonPage(comparison);
    expect(page).not.toMatch(/<script|<img| style=| on\w+="|https?:(?!\/\/www\.w3\.org)/);
    expect(page).toContain("&lt;img src=x onerror=alert(1)&gt;&amp;&quot;b&quot;");
    const style = /<style>([^]*)<\/style>/.exec(page)![1]!;
    const hash = createHash("sha256").update(style).digest("base64");
    expect(page).toContain(`default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;`);
    const body = page
      .replace("<!doctype html>", "")
      .replace(/<meta([^>]*)>/g, "<meta$1/>")
      .replace(style, "");
    const open: string[] = [];
    const parser = new SaxesParser();
    parser.on("error", (error) => expect.fail(error.message));
    parser.on("opentag", ({ name }) => open.push(name));
    parser.write(body).close();
    expect(open.filter((name) => name === "svg")).toHaveLength(1 + comparison.models.length);
    // Two of the first benchmark's three models have been drawn with the first, one of the second's is missing.
    expect(page.match(/class="bar line\d" d="M[\d.]+,[\d.]+H[\d.]+"/g)).toHaveLength(5);
    expect(page.match(/>missing<\/text>/g)).toHaveLength(1);
  });
});

describe("parts that training texts hold", () => {
  /** The evaluation with every third question in the model's texts, as a suite would have written it. */
  async function writeSeen(model: string, isRight: (i: number) => boolean, texts: string): Promise<string> {
    const output = join(folder, `seen-${model}`);
    await write(model, output, "pubmedqa", isRight, { seen: { texts } });
    const path = join(output, "pubmedqa/report.json");
    const report = JSON.parse(readFileSync(path, "utf8")) as Report;
    const answers = questions.map((_, i) => questions[isRight(i) ? i : (i + 1) % 60]!.gold);
    const overlaps = questions.map((_, i) => overlapOf(20, i % 3 === 0 ? 13 : 0, 0));
    const parts = contaminationFigures(tasks["pubmedqa"]!, { examples: questions, answers }, overlaps, {
      bootstrap: { seed: 1 },
    });
    writeFileSync(path, JSON.stringify({ ...report, figures: [...report.figures, ...parts] }));
    const records = await readRecords(join(output, "pubmedqa/records.jsonl"));
    await writeRecords(
      join(output, "pubmedqa/records.jsonl"),
      records.map((record, i) => ({ ...record, seen: overlaps[i]! })),
    );
    return join(output, "pubmedqa");
  }

  test("are left out for all models with `clean`, and the rest is compared as if it were the set", async () => {
    const one = await readResults(await writeSeen("third-seen", (i) => i % 3 === 0 || i % 6 === 1, "abc"));
    // Of this model's texts nobody has looked: it is scored on what the other's do not hold.
    const two = await readResults(join(first, "pubmedqa"));
    const found = compareResults([one, two], { resamples: 300, clean: true });
    expect(found.clean).toEqual({ shares: [{ name: "pubmedqa", kept: 40, of: 60 }], unknown: [] });
    const [a, b] = found.benchmarks[0]!.cells;
    expect([a!.examples, b!.examples]).toEqual([40, 40]);
    expect(a!.value).toBeCloseTo(10 / 40, 12);
    const kept = two.benchmarks.get("pubmedqa")!.records!.filter((_, i) => i % 3 !== 0);
    const right = kept.filter(({ score }) => score === 1).length;
    expect(b!.value).toBeCloseTo(right / 40, 12);
    expect(b!.difference!.value).toBeCloseTo(right / 40 - 10 / 40, 12);
    expect(a!.interval!.low).toBeLessThan(0.25);
    expect(a!.interval!.high).toBeGreaterThan(0.25);
    expect(comparisonText(found)).toContain("pubmedqa 40 of 60");
    const unlooked = await Promise.all([readResults(first), readResults(second)]);
    expect(() => compareResults(unlooked, { clean: true })).toThrow(/what training texts hold, got none/);
    const mixed = compareResults(
      [{ ...unlooked[0]!, benchmarks: new Map([...unlooked[0]!.benchmarks, ...one.benchmarks]) }, unlooked[1]!],
      { clean: true, resamples: 300 },
    );
    expect(mixed.benchmarks.map(({ name }) => name)).toEqual(["pubmedqa"]);
    expect(mixed.clean!.unknown).toContain("ner-chemical");
  });

  test("stand beside the scores, of models with other texts too, which are compared all the same", async () => {
    const folders = [
      await writeSeen("one", (i) => i % 3 === 0, "abc"),
      await writeSeen("two", (i) => i % 2 === 0, "def"),
      join(first, "pubmedqa"),
    ];
    const found = compareResults(await Promise.all(folders.map(readResults)), { resamples: 300 });
    const [one, two, bare] = found.benchmarks[0]!.cells;
    expect(one!.parts).toMatchObject({
      clean: { n: 40, value: 0 },
      contaminated: { n: 20, value: 1 },
      difference: { value: 1 },
    });
    expect(two!.parts!.clean!.value).toBeCloseTo(0.5, 12);
    expect(two!.difference!.value).toBeCloseTo(30 / 60 - 20 / 60, 12);
    expect(bare!.parts).toBeUndefined();
    const text = comparisonText(found);
    expect(text).toContain(
      "    not in training texts 0.00 [0.00, 0.00], n 40\n    in training texts 100.00 [100.00, 100.00], n 20: +100.00",
    );
    expect(text.match(/ {4}in training texts/g)).toHaveLength(2);
    const rows = comparisonMarkdown(found)
      .split("\n")
      .filter((line) => line.startsWith("|"));
    for (const row of rows) expect(row.split("|")).toHaveLength(10);
    expect(rows[0]).toContain("| not in training texts | in training texts |");
    expect(await comparisonPage(found)).toContain('data-title="in training texts"');
  });
});

test("galen evaluate compare prints, writes what it is asked to, and replaces nothing", () => {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const galen = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, "bin/galen.js"), "evaluate", "compare", ...args], {
      cwd: folder,
      env: { ...process.env, GALEN_SOURCE: "1" },
      encoding: "utf8",
    });
  const files = ["--html", "page.html", "--markdown", "table.md", "--resamples", "200"];
  const told = galen("a", "b", ...files);
  expect([told.stderr, told.status]).toEqual(["", 0]);
  expect(told.stdout).toContain("+33.33");
  expect(readFileSync(join(folder, "page.html"), "utf8")).toContain("</html>");
  expect(readFileSync(join(folder, "table.md"), "utf8")).toContain("| pubmedqa (accuracy, 60 examples) |");
  const again = galen("a", "b", ...files);
  expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("replace it with --overwrite")]);
  const json = JSON.parse(galen("a", "b", "--json", "--resamples", "200").stdout) as Comparison;
  expect(json.benchmarks.map(({ name }) => name)).toEqual(["pubmedqa", "ner-chemical", "ddi"]);
  expect(galen("a").stderr).toContain("expected two folders of results or more, got 1");
  expect(galen("a", "nowhere").stderr).toContain("nowhere: expected a folder with suite.json or report.json");
});

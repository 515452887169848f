/** Whole pipelines on small corpora: what comes out however the work is cut, killed and gone on with. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { readDocumentDataset } from "../corpus/document-dataset.ts";
import { finalName } from "../io/files.ts";
import { lockFolder } from "../io/lock.ts";
import { random } from "../tensor/random.ts";
import { runPipeline } from "./run.ts";
import { eachDocument } from "./stage.ts";
import { describeUnfinished, WaitingForRanks } from "./work/work.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-curate-"));
});
afterEach(() => rm(folder, { recursive: true }));

const vocabulary = "aspirin lowers risk of stroke in adults with heart failure after surgery and trial results".split(
  " ",
);

function sentence(seed: number, words: number): string {
  const { integer } = random(seed);
  const text = Array.from({ length: words }, () => vocabulary[integer(vocabulary.length)]).join(" ");
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** Lines of which some are exact copies, and some share a paragraph. */
async function writeLines(path: string, source: number, count: number): Promise<void> {
  const shared = sentence(99, 30);
  const lines = Array.from({ length: count }, (_, i) => {
    const own = i % 7 === 3 ? sentence(1000 + i, 40) : sentence(source * 10_000 + i, 40);
    const text = i % 5 === 0 ? `${own}\n\n${shared}` : own;
    return JSON.stringify({
      id: `${source}-${i}`,
      title: `Title ${source} ${i}`,
      text,
      license: i % 9 === 0 ? "CC-BY-NC-4.0" : "CC-BY-4.0",
    });
  });
  await writeFile(path, `${lines.join("\n")}\n`);
}

/** All that need no files of others. */
const everyStage = `stages:
  - deidentify: { mode: mask, for: [a, b] }
  - clean
  - language
  - quality: { rules: { gopher: { leastStopWords: 0 }, repetition: false } }
  - licences: { allow: ["CC-BY-4.0"] }
  - exact-duplicates
  - near-duplicates
  - duplicate-paragraphs
`;

const stages = `stages:
  - licences: { allow: ["CC-BY-4.0"] }
  - exact-duplicates
  - duplicate-paragraphs: { leastWords: 20 }
`;

async function writePipeline(more = stages): Promise<string> {
  for (const [i, name] of ["a", "b", "c"].entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let part = 0; part < 2; part++) await writeLines(join(folder, name, `${part}.jsonl`), 2 * i + part, 40);
  }
  const file = join(folder, "corpus.yaml");
  await writeFile(
    file,
    `sources:\n  a: { paths: a/0.jsonl }\n  a2: { paths: a/1.jsonl }\n  b: { paths: b, repeat: 1.5 }\n  c: { paths: c }\n${more}`,
  );
  return file;
}

/** Names and contents of what a run leaves for others: the dataset and the report. */
async function fingerprint(output: string): Promise<string> {
  const hash = createHash("sha256");
  for (const name of (await readdir(join(output, "dataset"), { recursive: true })).sort()) {
    const path = join(output, "dataset", name);
    if ((await stat(path)).isFile()) hash.update(name).update(await readFile(path));
  }
  return hash.update(await readFile(join(output, "report.json"))).digest("hex");
}

/** Files that somebody began and nobody needs. */
async function unfinishedIn(output: string): Promise<string[]> {
  const names = await readdir(join(output, "stages"), { recursive: true });
  return names.filter((name) => finalName(name) !== undefined);
}

async function idsOf(output: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of readDocumentDataset(join(output, "dataset"))) ids.push(id);
  return ids;
}

test("counts what came in, what each rule dropped, and what came out", async () => {
  const file = await writePipeline();
  const output = join(folder, "out");
  const { stages: done, sources, result } = await runPipeline({ file, output, workers: 0 });
  expect(done.map(({ name }) => name)).toEqual(["updates", "licences", "exact-duplicates", "duplicate-paragraphs"]);
  const [, licences, exact, paragraphs] = done;
  expect(licences!.drops["licence-not-allowed"]).toMatchObject({ documents: 30 });
  expect(licences!.drops["licence-not-allowed"]!.examples[0]).toMatchObject({ detail: "CC-BY-NC-4.0" });
  // The same 5 or 6 documents (those with i % 7 = 3) stand in each of six files, less those of the licence.
  expect(exact!.drops["exact-duplicate"]!.documents).toBe(exact!.in.documents - exact!.out.documents);
  expect(exact!.drops["exact-duplicate"]!.documents).toBeGreaterThan(20);
  const [example] = exact!.drops["exact-duplicate"]!.examples;
  expect(example!.after).toBe(example!.text);
  expect(paragraphs!.changes["paragraph-taken-out"]!.times).toBeGreaterThan(30);
  for (const [before, after] of done.slice(1).map((one, i) => [done[i]!, one] as const)) {
    expect(after.in).toEqual(before.out);
  }
  const ids = await idsOf(output);
  expect(ids).toHaveLength(result.amount.documents);
  expect(new Set(ids).size).toBe(ids.length);
  // Source b comes one and a half times.
  const [, , b] = sources;
  expect(b!.repeat).toBe(1.5);
  expect(ids.filter((id) => id.endsWith("#2")).length).toBeGreaterThan(10);
});

test("ranks 1, 2 and 7 and any number of threads leave the same bytes", async () => {
  const file = await writePipeline(everyStage);
  const found = new Set<string>();
  for (const [world, workers] of [
    [1, 0],
    [1, 3],
    [2, 0],
    [7, 0],
  ] as const) {
    const output = join(folder, `out-${world}-${workers}`);
    await Promise.all(Array.from({ length: world }, (_, rank) => runPipeline({ file, output, rank, world, workers })));
    found.add(await fingerprint(output));
  }
  expect(found.size).toBe(1);
});

test("ranks that come one after another say what they wait for, and end when all have come often enough", async () => {
  const file = await writePipeline();
  const output = join(folder, "out");
  let [rounds, done] = [0, 0];
  while (done < 3 && rounds < 40) {
    rounds += 1;
    done = 0;
    for (let rank = 0; rank < 3; rank++) {
      const run = runPipeline({ file, output, rank, world: 3, workers: 0, wait: false });
      await run.then(
        () => (done += 1),
        (error: unknown) => {
          expect(error).toBeInstanceOf(WaitingForRanks);
          const { unfinished } = error as WaitingForRanks;
          expect(unfinished.ranks).not.toContain(rank);
          expect(describeUnfinished(unfinished)).toMatch(/: \d+ tasks? (?:is|are) not done yet, of ranks? [012]/);
        },
      );
    }
  }
  expect(done).toBe(3);
  expect(rounds).toBeGreaterThan(2);
  const whole = join(folder, "whole");
  await runPipeline({ file, output: whole, workers: 0 });
  expect(await fingerprint(output)).toBe(await fingerprint(whole));
});

test("tasks that two launches do at once, each for itself, come out the same", async () => {
  const file = await writePipeline();
  const output = join(folder, "out");
  // Ranks 3 to 6 of 7 need what those of the other launch do, and do again what these have under way.
  const launches = [0, 1, 2]
    .map((rank) => ({ rank, world: 3 }))
    .concat([3, 4, 5, 6].map((rank) => ({ rank, world: 7 })));
  await Promise.all(launches.map((one) => runPipeline({ file, output, workers: 0, ...one })));
  const whole = join(folder, "whole");
  await runPipeline({ file, output: whole, workers: 0 });
  expect(await fingerprint(output)).toBe(await fingerprint(whole));
  expect(await unfinishedIn(output)).toEqual([]);
  await using _ = await lockFolder(output);
  const twin = runPipeline({ file, output, rank: 0, world: 2, workers: 0 });
  await expect(twin).rejects.toThrow(/no other run writes to/);
});

test("a changed stage is done again with what follows it, and nothing before it", async () => {
  const output = join(folder, "out");
  await runPipeline({ file: await writePipeline(), output, workers: 0 });
  const times = async (): Promise<Map<string, number>> => {
    const names = (await readdir(join(output, "stages"), { recursive: true })).filter((name) => name.endsWith(".json"));
    return new Map(
      await Promise.all(names.map(async (name) => [name, (await stat(join(output, "stages", name))).mtimeMs] as const)),
    );
  };
  const before = await times();
  const file = await writePipeline(stages.replace("leastWords: 20", "leastWords: 1000"));
  const { stages: done } = await runPipeline({ file, output, workers: 0 });
  expect(done[3]!.changes).toEqual({});
  const after = await times();
  for (const [name, time] of before) {
    if (!name.endsWith("shards.json")) expect([name, after.get(name)]).toEqual([name, time]);
  }
  const made = [...after.keys()].filter((name) => !before.has(name)).map((name) => name.replace(/-[0-9a-f]{10}.*/, ""));
  expect(new Set(made)).toEqual(new Set(["duplicate-paragraphs", "result"]));
});

/** Tasks that are done. */
async function countTasks(output: string): Promise<number> {
  const names = await readdir(join(output, "stages"), { recursive: true }).catch(() => [] as string[]);
  return names.filter((name) => name.endsWith(".json")).length;
}

test("what earlier pipelines left is removed when that is asked for, and nothing else; tokens are made once", async () => {
  const output = join(folder, "out");
  await runPipeline({ file: await writePipeline(), output, workers: 0 });
  const { learnTokenizer } = await import("../corpus/learn-tokenizer.ts");
  const tokenizer = join(folder, "tokenizer");
  await learnTokenizer([join(output, "dataset")], { output: tokenizer, kind: "biogpt", vocabSize: 300 });
  const file = await writePipeline(
    `${stages.replace("leastWords: 20", "leastWords: 25")}tokens: { tokenizer: tokenizer }\n`,
  );
  await runPipeline({ file, output, workers: 0 });
  const before = await readdir(join(output, "stages"));
  await runPipeline({ file, output, workers: 0, prune: true });
  const after = await readdir(join(output, "stages"));
  const gone = before.filter((name) => !after.includes(name)).map((name) => name.replace(/-[0-9a-f]{10}/, ""));
  expect(gone.sort()).toEqual(["duplicate-paragraphs", "duplicate-paragraphs-keys", "result"]);
  const made = (await stat(join(output, "tokens/train.bin"))).mtimeMs;
  await runPipeline({ file, output, workers: 0 });
  expect((await stat(join(output, "tokens/train.bin"))).mtimeMs).toBe(made);
});

test("killed at any moment, it goes on and leaves the same bytes", async () => {
  const file = await writePipeline(everyStage);
  const whole = join(folder, "whole");
  const began = performance.now();
  const { stages: done } = await runPipeline({ file, output: whole, workers: 0 });
  // Kills are drawn in shares of what the whole run takes, so that a fast machine is killed as often as a slow one.
  const longestWait = (performance.now() - began) / 8;
  for (const one of done.slice(1)) expect(one.in.documents, one.name).toBeGreaterThan(100);
  const output = join(folder, "killed");
  const script = join(folder, "run.mjs");
  const module = new URL("./run.ts", import.meta.url).href;
  await writeFile(
    script,
    `import { runPipeline } from ${JSON.stringify(module)};
await runPipeline({ file: ${JSON.stringify(file)}, output: ${JSON.stringify(output)}, workers: 1 });`,
  );
  const { next } = random(5);
  const mostKills = 15;
  let kills = 0;
  for (let code: number | undefined; code === undefined;) {
    const child = spawn(process.execPath, ["--no-warnings", script], { stdio: "ignore" });
    const ended = once(child, "exit") as Promise<[number | null]>;
    const tasks = await countTasks(output);
    // A start takes as long as it takes: what there is to kill begins with the next task that is done.
    if (kills < mostKills) while (child.exitCode === null && (await countTasks(output)) === tasks) await wait(5);
    const left = kills < mostKills ? [wait(longestWait * next()).then(() => undefined)] : [];
    const first = await Promise.race([ended.then(([one]) => one), ...left]);
    if (first !== undefined) {
      expect(first).toBe(0);
      code = 0;
      continue;
    }
    child.kill("SIGKILL");
    await ended;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(3);
  expect(await unfinishedIn(output)).toEqual([]);
  expect(await fingerprint(output)).toBe(await fingerprint(whole));
}, 120_000);

test("newer versions replace PubMed's records, and what NLM withdrew goes, across files and ranks", async () => {
  const article = (pmid: number, text: string, version = 1): string =>
    `<PubmedArticle><MedlineCitation><PMID Version="${version}">${pmid}</PMID><Article><ArticleTitle>T</ArticleTitle>` +
    `<Abstract><AbstractText>${text}</AbstractText></Abstract></Article></MedlineCitation></PubmedArticle>`;
  const write = (name: string, xml: string): Promise<void> =>
    writeFile(join(folder, name), `<?xml version="1.0"?><PubmedArticleSet>${xml}</PubmedArticleSet>`);
  await mkdir(join(folder, "updates"));
  await write("base.xml", [1, 2, 3, 4].map((pmid) => article(pmid, `old ${pmid}`)).join(""));
  await write("updates/1.xml", article(1, "new 1") + article(2, "second 2", 2) + article(2, "first 2", 1));
  await write("updates/2.xml", "<DeleteCitation><PMID>3</PMID><PMID>4</PMID></DeleteCitation>");
  await write("updates/3.xml", article(4, "again 4"));
  const file = join(folder, "corpus.yaml");
  await writeFile(file, "sources: { base: { paths: base.xml }, updates: { paths: updates } }");
  const output = join(folder, "out");
  const runs = [0, 1].map((rank) => runPipeline({ file, output, rank, world: 2, workers: 0 }));
  const [first] = await Promise.all(runs);
  const texts: string[] = [];
  for await (const { sections } of readDocumentDataset(join(output, "dataset"))) texts.push(sections[0]!.text);
  expect(texts).toEqual(["new 1", "second 2", "again 4"]);
  const drops = Object.entries(first!.stages[0]!.drops).map(([rule, { documents }]) => [rule, documents]);
  expect(Object.fromEntries(drops)).toEqual({ superseded: 3, withdrawn: 2 });
});

test("what a killed exchange of datasets left is gone on with, and stages are closed in the end", async () => {
  await writePipeline();
  const output = join(folder, "out");
  await mkdir(join(output, "dataset.old"), { recursive: true });
  const closed: string[] = [];
  const stage = {
    name: "own",
    about: "passes all",
    version: 1,
    rewrites: false,
    settings: z.strictObject({}),
    open: () => ({ ...eachDocument(() => ({ keep: true })), close: async () => void closed.push("own") }),
  };
  const value = { sources: { a: { paths: "a" } }, stages: [{ stage }] };
  await runPipeline({ file: "test", value, folder, output, workers: 0 });
  expect(closed).toEqual(["own"]);
  expect((await readdir(output)).filter((name) => name.startsWith("dataset"))).toEqual(["dataset"]);
});

test("a pipeline in TypeScript may have stages of its own, in threads too", async () => {
  const file = fileURLToPath(new URL("../../test/support/own-pipeline.ts", import.meta.url));
  const found = [];
  for (const workers of [0, 1]) {
    const { stages: done, result } = await runPipeline({ file, output: join(folder, `own-${workers}`), workers });
    expect(done[1]).toMatchObject({ name: "recent", settings: { from: 2018 } });
    expect(done[1]!.drops["too-old"]!.documents).toBeGreaterThan(10);
    found.push(result.amount.documents);
  }
  expect(found[0]).toBe(found[1]);
  const wrong = runPipeline({ file: join(folder, "none.ts"), output: join(folder, "none") });
  await expect(wrong).rejects.toThrow(/none.ts: expected a pipeline's module/);
});

describe("a wrong pipeline", () => {
  test.each([
    ["stages: [exact-duplicate]", /did you mean "exact-duplicates"/],
    ["stages: [licences: { alow: [x] }]", /licences: .*known fields only, got "alow"/],
    ["stages: [decontaminate: { data: nowhere }]", /nowhere/],
    ["stages: [exact-duplicates]\nmixture: { weights: { d: 1 } }", /mixture.weights: .*got "d"/],
    ["stages: [[]]", /stages.0/],
    ["stages: [", /expected YAML/],
  ])("%s", async (more, message) => {
    const file = await writePipeline(more);
    const output = join(folder, "out");
    await expect(runPipeline({ file, output, workers: 0 })).rejects.toThrow(message);
    expect(existsSync(join(output, "dataset"))).toBe(false);
  });

  test("an output inside a source, a rank that is none, and sources without documents", async () => {
    const file = await writePipeline();
    await expect(runPipeline({ file, output: join(folder, "a"), workers: 0 })).rejects.toThrow(/another place/);
    const output = join(folder, "out");
    await expect(runPipeline({ file, output, rank: 2, world: 2 })).rejects.toThrow(/expected a rank/);
    await writeFile(join(folder, "a/0.jsonl"), "nonsense\n");
    await writeFile(file, "sources: { a: { paths: a/0.jsonl } }\n");
    await expect(runPipeline({ file, output, workers: 0 })).rejects.toThrow(
      /expected documents, got none that can be read .*0.jsonl: expected a file of a known kind/,
    );
  });
});

test("notes that nobody has de-identified are refused, unless it is said who did", async () => {
  const file = await writePipeline();
  const notes = "sources: { a: { paths: a, kind: clinical-notes, licence: CC0-1.0 } }\n";
  await writeFile(file, notes);
  const output = join(folder, "out");
  await expect(runPipeline({ file, output, workers: 0 })).rejects.toThrow(
    /sources.a: expected clinical notes to be de-identified/,
  );
  await writeFile(file, notes.replace("licence", "deidentified: by the archive, licence"));
  const { result } = await runPipeline({ file, output, workers: 0 });
  expect(result.notes).toBe(80);
  expect(result.deidentified).toBe(80);
});

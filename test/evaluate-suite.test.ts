/** `galen evaluate suite` from files to folders: a model asked directly and through a server, in all the ways of a decoder. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { askDecoder, askRemote, benchmarksOf, openForBenchmarks, readRecords, suites } from "../src/eval/index.ts";
import type { Report } from "../src/metrics/index.ts";
import { headData } from "../src/recipes/index.ts";
import { benchmarks } from "../src/tasks/index.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { serveModels } from "./support/serving.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-suite-"));
const data = join(folder, "data");
const organs = ["kidney", "heart", "liver", "brain"];
let model = "";

beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  mkdirSync(join(data, "mmlu"), { recursive: true });
  const rows = Array.from({ length: 12 }, (_, i) => `Which organ is number ${i}?,${organs.join()},${"ABCD"[i % 4]}`);
  writeFileSync(join(data, "mmlu/anatomy_test.csv"), `${rows.join("\n")}\n`);
  writeFileSync(join(data, "mmlu/anatomy_dev.csv"), `${rows.slice(0, 5).join("\n")}\n`);
  model = await makeChatModel(folder);
}, 120_000);
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

interface Line {
  readonly name: string;
  readonly metric: string;
  readonly value: number;
  readonly interval?: readonly [number, number];
  readonly n: number;
  readonly protocol: string;
  readonly clean?: { readonly n: number; readonly value: number };
  readonly contaminated?: { readonly n: number; readonly value: number };
  readonly difference?: { readonly value: number };
  readonly skipped?: string;
  readonly error?: string;
}

/** Lines of the command, whatever its exit code. */
async function suite(...words: string[]): Promise<Line[]> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  await main(["evaluate", "suite", ...words, "--data", data, "--any-version", "--threads", "1", "--json"]);
  spy.mockRestore();
  process.exitCode = undefined;
  return written
    .join("")
    .trim()
    .split("\n")
    .map((one) => JSON.parse(one) as Line);
}

describe("a suite", () => {
  test("has benchmarks that there are, and refuses names that are nearly one", () => {
    for (const { benchmarks: names } of Object.values(suites)) {
      for (const name of names) expect(benchmarksOf([name])).toEqual([name]);
    }
    expect(benchmarksOf(["multimedqa", "medqa"])).toHaveLength(9);
    expect(() => benchmarksOf(["medqaa"])).toThrow(/expected a suite or a benchmark, got "medqaa"[^]*medqa/);
  });

  test("is scored, kept, and read again; what cannot be asked or is missing is said", { timeout: 60_000 }, async () => {
    const output = join(folder, "scores");
    const [anatomy, medqa] = await suite("mmlu-anatomy", "medqa", "--model", model, "--output", output);
    expect(anatomy).toMatchObject({ name: "mmlu-anatomy", metric: "acc", n: 12 });
    expect(medqa!.error).toMatch(/medqa.*test\.jsonl: expected a file of medqa, test; got none/);
    const records = await readRecords(join(output, "mmlu-anatomy/records.jsonl"));
    expect(records).toHaveLength(12);
    const right = records.filter(({ score }) => score === 1).length;
    expect(anatomy!.value).toBeCloseTo(right / 12, 12);
    const kept = JSON.parse(readFileSync(join(output, "suite.json"), "utf8")) as object;
    expect(kept).toMatchObject({ suite: ["mmlu-anatomy", "medqa"], benchmarks: ["mmlu-anatomy"] });
    const again = await suite("mmlu-anatomy", "--model", model, "--output", output, "--resume");
    expect(again[0]).toEqual(anatomy);
    // Others may be added; what was scored before stays in the list.
    await suite("medqa", "--model", model, "--output", output, "--resume");
    expect(JSON.parse(readFileSync(join(output, "suite.json"), "utf8"))).toMatchObject({
      benchmarks: ["mmlu-anatomy"],
    });
    // Shots and steps are other protocols.
    const [shot] = await suite("mmlu-anatomy", "--model", model, "--shots", "2");
    const [thought] = await suite("mmlu-anatomy", "--model", model, "--think", "--max-new-tokens", "8");
    expect(new Set([anatomy!.protocol, shot!.protocol, thought!.protocol]).size).toBe(3);
  });

  test("in conversations has shots in turns of their own, or in one", { timeout: 60_000 }, async () => {
    const asked = ["mmlu-anatomy", "--model", model, "--chat", "--shots", "2"];
    const [turns] = await suite(...asked, "--output", join(folder, "turns"));
    const [one] = await suite(...asked, "--one-turn");
    expect(turns!.n).toBe(12);
    expect(turns!.protocol).not.toBe(one!.protocol);
    const report = JSON.parse(readFileSync(join(folder, "turns/mmlu-anatomy/report.json"), "utf8")) as Report;
    expect(report.protocol).toMatchObject({ shots: 2, shotsAs: "turns", decoding: { chat: true } });
  });

  test(
    "teaches a decoder answers by adapters, in the words and turns of the questions",
    { timeout: 60_000 },
    async () => {
      const set = ["--set", "steps=2", "epochs=null", "batch=2", "accumulate=1"];
      for (const chat of [false, true]) {
        const output = join(folder, `lora-${chat}`);
        const asked = [
          "mmlu-anatomy",
          "--model",
          model,
          "--tune",
          "--lora",
          "--output",
          output,
          ...(chat ? ["--chat"] : []),
        ];
        const [line] = await suite(...asked, ...set);
        expect(line).toMatchObject({ metric: "acc", n: 12 });
        const tuned = join(output, "mmlu-anatomy/tuned");
        const lines = readFileSync(join(tuned, "train.jsonl"), "utf8").trim().split("\n");
        const [first] = lines.map((one) => JSON.parse(one) as object);
        const description = "The following are multiple choice questions (with answers) about anatomy.\n\n";
        const question = "Which organ is number 0?\nA. kidney\nB. heart\nC. liver\nD. brain\nAnswer:";
        const turns = [
          { role: "system", content: description },
          { role: "user", content: question },
        ];
        expect(lines).toHaveLength(5);
        expect(first).toEqual(
          chat
            ? { prompt: turns, completion: [{ role: "assistant", content: "A" }] }
            : { prompt: `${description}${question}`, completion: " A" },
        );
        const run = JSON.parse(readFileSync(join(tuned, "run/run.json"), "utf8")) as object;
        expect(JSON.stringify(run)).toContain('"trainable":"lora"');
      }
    },
  );

  test("tells what the training texts hold", { timeout: 60_000 }, async () => {
    const seen = join(folder, "seen.jsonl");
    const texts = [3, 5].map(
      (i) => `Which organ is number ${i}? A. kidney B. heart C. liver D. brain Answer: ${"ABCD"[i % 4]}`,
    );
    writeFileSync(seen, texts.map((text) => `${JSON.stringify({ text })}\n`).join(""));
    const output = join(folder, "seen");
    const [line] = await suite("mmlu-anatomy", "--model", model, "--seen", seen, "--output", output);
    const records = await readRecords(join(output, "mmlu-anatomy/records.jsonl"));
    expect(records.filter(({ seen: found }) => found!.verdict === "contaminated").length).toBeGreaterThanOrEqual(2);
    expect(readFileSync(join(output, "mmlu-anatomy/report.txt"), "utf8")).toContain("contaminated examples alone");
    // The parts are those of the records, and make the whole.
    const part = (verdict: string): number[] =>
      records.flatMap(({ seen: found, score }) => (found!.verdict === verdict ? [score as number] : []));
    const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
    const [clean, held] = [part("clean"), part("contaminated")];
    expect(line!.clean).toMatchObject({ n: clean.length, value: mean(clean) });
    expect(line!.contaminated).toMatchObject({ n: held.length, value: mean(held) });
    expect(line!.difference!.value).toBeCloseTo(mean(held) - mean(clean), 12);
    // Of the texts the protocol says what they are; what was found serves other runs, of which answers may be gone on with.
    const [bare] = await suite("mmlu-anatomy", "--model", model);
    expect(line!.protocol).not.toBe(bare!.protocol);
    const kept = ["--seen", join(output, "seen.json")];
    expect(await suite("mmlu-anatomy", "--model", model, ...kept)).toEqual([line]);
    const plain = ["mmlu-anatomy", "--model", model, "--output", join(folder, "plain")];
    await suite(...plain);
    expect(await suite(...plain, "--resume", ...kept)).toEqual([line]);
  });
});

describe("a scorer of pairs", () => {
  const texts = organs.flatMap((organ) => [`The ${organ} of a patient.`, `Two patients and the ${organ} again.`]);
  const golden = (name: string): string => fileURLToPath(new URL(`goldens/retrieval/${name}`, import.meta.url));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(data, path)), { recursive: true });
    writeFileSync(join(data, path), text);
  };
  const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join("");

  beforeAll(() => {
    write("nfcorpus/corpus.jsonl", lines(texts.map((text, i) => ({ _id: `d${i}`, title: "", text }))));
    write("nfcorpus/queries.jsonl", lines(organs.map((text, i) => ({ _id: `q${i}`, text }))));
    const judged = organs.map((_, i) => `q${i}\td${2 * i}\t2\nq${i}\td${2 * i + 1}\t1\n`);
    write("nfcorpus/qrels/dev.tsv", `query-id\tcorpus-id\tscore\n${judged.join("")}`);
    const articles = organs.map((organ, i) => [
      `${i}`,
      { QUESTION: `What of the ${organ}?`, LONG_ANSWER: texts[2 * i]! },
    ]);
    write("pubmedqa/ori_pqal.json", JSON.stringify(Object.fromEntries(articles)));
  });

  test.each(["mean", "colbert", "cross-one"])("is measured beside BM25: %s", { timeout: 60_000 }, async (name) => {
    const output = join(folder, `pairs-${name}`);
    const args = ["embeddings", "--model", golden(name), "--split", "valid", "--output", output];
    const found = await suite(...args);
    expect(found.map((one) => [one.name, one.metric, one.n])).toEqual([
      ["nfcorpus", "ndcg@10", 4],
      ["pubmedqa-pairs", "pearson", 4],
    ]);
    for (const { name: entry, interval, value } of found) {
      expect(interval![0]).toBeLessThanOrEqual(value);
      const report = JSON.parse(readFileSync(join(output, entry, "report.json"), "utf8")) as Report;
      expect(report.figures.filter(({ kind }) => kind === "baseline").map(({ by }) => by)).toContain("BM25");
    }
    const records = await readRecords(join(output, "nfcorpus/records.jsonl"));
    expect(records.map(({ id, gold }) => [id, gold])).toEqual(organs.map((_, i) => [`q${i}`, 2]));
    const mean = records.reduce((sum, { score }) => sum + (score as number), 0) / 4;
    expect(found[0]!.value).toBeCloseTo(mean, 12);
    expect(await suite(...args, "--resume")).toEqual(found);
    expect(await suite("nfcorpus", ...args.slice(1, 5), "--limit", "2")).toMatchObject([{ n: 2 }]);
  });

  test("may be BM25 itself, whose words find what holds them", async () => {
    const output = join(folder, "words");
    const found = await suite("embeddings", "--model", "bm25", "--split", "valid", "--output", output);
    expect(found[0]).toMatchObject({ name: "nfcorpus", value: 1 });
    expect(readFileSync(join(output, "nfcorpus/report.json"), "utf8")).not.toContain("baseline");
  });

  test("is what these are for; files that are missing are said", async () => {
    const [rankings, pairs] = await suite("embeddings", "--model", model, "--split", "valid");
    expect(rankings!.skipped).toBe("a model of kind decoder does not score texts against texts");
    expect(pairs!.skipped).toBe(rankings!.skipped);
    const [missing] = await suite("nfcorpus", "--model", "bm25");
    expect(missing!.error).toMatch(/qrels\/test\.tsv: expected a file of nfcorpus, test; got none/);
    const [asked] = await suite("nfcorpus", "--model", golden("mean"), "--split", "valid", "--ask", "generation");
    expect(asked!.skipped).toBe("nfcorpus cannot be asked by generation");
  });
});

describe("a server", () => {
  test("of ours gives the very figures of the model asked directly", { timeout: 60_000 }, async () => {
    await using server = await serveModels({ models: [`tiny=${model}`] });
    const address = `${server.url}/v1#tiny`;
    const [direct] = await suite("mmlu-anatomy", "--model", model);
    const [remote] = await suite("mmlu-anatomy", "--model", address);
    expect(remote).toEqual(direct);
    const contexts = ["Aspirin inhibits", "In 4 patients, the organ was the"];
    const choices = [
      [" cyclooxygenase-1", " B"],
      [" heart", " kidney", " brain and liver"],
    ];
    await using decoder = await askDecoder(model, { threads: 1 });
    const [own, theirs] = [
      await decoder.logLikelihoods!(contexts, choices),
      await (await askRemote(address)).logLikelihoods!(contexts, choices),
    ];
    own.forEach((row, i) => row.forEach((one, k) => expect(theirs[i]![k]).toBeCloseTo(one, 4)));
    const writing = { writing: { maxNewTokens: 6, stop: ["\n"] } };
    const talk = [
      { role: "user", content: "In 4 patients?" },
      { role: "assistant", content: "A" },
      { role: "user", content: "In 5 patients?" },
    ] as const;
    for (const chat of [false, true]) {
      await using local = await askDecoder(model, { threads: 1, chat });
      const far = await askRemote(address, { chat });
      const prompts = chat ? [...contexts, talk] : contexts;
      expect(await far.generate!(prompts, writing)).toEqual(await local.generate!(prompts, writing));
    }
  });

  test("that scores only what it writes is asked for no log-likelihood", async () => {
    let busy = 2;
    const server = createServer((request, response) => {
      request.resume();
      // Twice too busy, which is waited for.
      if (busy-- > 0) return void response.writeHead(429, { "retry-after": "0.01" }).end("{}");
      const logprobs = { tokens: [" x"], token_logprobs: [-1] };
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ choices: [{ index: 0, text: " x", logprobs }] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await using opened = await openForBenchmarks(`http://127.0.0.1:${port}/v1#x`);
      expect(opened.abilities.logLikelihoods).toBeUndefined();
      expect(opened.abilities.unable).toMatch(/would be chance/);
      const [line] = await suite("mmlu-anatomy", "--model", `http://127.0.0.1:${port}/v1#x`, "--ask", "likelihood");
      expect(line!.skipped).toMatch(/would be chance/);
    } finally {
      server.close();
    }
    await expect(askRemote("http://127.0.0.1:9/v1#x")).resolves.toHaveProperty("unable");
    await expect(askRemote("http://127.0.0.1:9/v1")).rejects.toThrow(/expected a server, got/);
  });
});

test(
  "several drawn answers are the same for the same seed, and the commonest counts",
  { timeout: 60_000 },
  async () => {
    const draw = async (seed: number): Promise<unknown> => {
      await using decoder = await askDecoder(model, { threads: 1, samples: 3, seed });
      return await decoder.generate!(["Aspirin inhibits"], { writing: { maxNewTokens: 5, stop: [] } });
    };
    const first = (await draw(1)) as { texts: string[] }[];
    expect(first[0]!.texts).toHaveLength(3);
    expect(await draw(1)).toEqual(first);
    expect(await draw(2)).not.toEqual(first);
  },
);

test("a head learns the right classes or tags of the training examples", () => {
  const tagged = { id: "1", text: "Aspirin treats gout", gold: [{ start: 15, end: 19, type: "disease" }] };
  expect(headData(benchmarks["ner-disease"]!, [tagged])).toEqual({
    recipe: "tagger",
    lines: ['{"tokens":["Aspirin","treats","gout"],"tags":["O","O","B-disease"]}'],
  });
  const { recipe, lines } = headData(benchmarks["hoc"]!, [
    { id: "1", text: "Cells die.", gold: ["resisting cell death"] },
  ]);
  expect([recipe, lines]).toEqual(["classifier", ['{"text":"Cells die.","label":"resisting cell death"}']]);
  expect(() => headData(benchmarks["medqa"]!, [])).toThrow(/expected a benchmark of classes or tags/);
});

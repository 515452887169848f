import { spawn } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tinyDocuments, writeTinyTask } from "../../test/support/tiny-task.ts";
import { trainBy } from "../../test/support/training.ts";
import type { TensorEntry } from "../checkpoints/entries.ts";
import { openSafetensors } from "../checkpoints/safetensors.ts";
import type { Document } from "../corpus/documents.ts";
import { describeFailure, readDocuments } from "../corpus/documents.ts";
import { openTuned, type TunedModel } from "../soft-prompts/index.ts";
import { extractDocuments, type ExtractOptions, type ExtractResult, type Triple } from "./extract.ts";
import { openPerplexityText } from "../eval/perplexity-text.ts";
import { writeReview } from "./review.ts";
import { extract } from "./run.ts";
import { countRelations, writeRelations } from "./summary.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-extract-"));
const tiny = await writeTinyTask(folder);
let model: string;
let tuned: TunedModel;
const documentsPath = join(folder, "documents.jsonl");
const settings = [
  "tokensPerBatch=600",
  "accumulate=1",
  "threads=1",
  "schedule.kind=constant",
  "schedule.peak=5e-3",
  "schedule.warmup=20",
  "epochs=30",
  "dropout=0",
  "evaluate.examples=0",
];
beforeAll(async () => {
  ({ model } = await trainBy(tiny.schema, settings, {
    model: tiny.start,
    data: tiny.data,
    output: join(folder, "run"),
  }));
  tuned = await openTuned(model, { threads: 1 });
  const lines = tinyDocuments(60, 9).map(({ id, text }) => `${JSON.stringify({ id, text })}\n`);
  writeFileSync(documentsPath, lines.join(""));
}, 60_000);
afterAll(async () => {
  await tuned.model.dispose();
  rmSync(folder, { recursive: true });
});

async function weightOf(model: string, name: string): Promise<{ path: string; entry: TensorEntry }> {
  const path = join(model, "model.safetensors");
  return { path, entry: (await openSafetensors(path)).entries.get(name)! };
}
const linesOf = (name: string, file = "triples.jsonl"): string => readFileSync(join(folder, name, file), "utf8");
const triplesOf = (name: string): Triple[] =>
  linesOf(name)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Triple);
const run = (
  name: string,
  documents: AsyncIterable<Document> | Document[],
  options: Partial<ExtractOptions> = {},
): Promise<ExtractResult> =>
  extractDocuments(tuned, documents, {
    output: join(folder, name),
    inputs: [documentsPath],
    window: 16,
    group: 4,
    ...options,
  });
const document = (id: string, text: string, title = ""): Document => ({ id, title, text, source: "test" });

describe("extraction", () => {
  test("gives both names with their places in the cased original", async () => {
    const result = await run("plain", readDocuments([documentsPath]));
    expect(result).toMatchObject({ documents: 60, empty: 0, stopped: false });
    expect(result.grounded / result.triples).toBeGreaterThan(0.8);
    const texts = new Map(tinyDocuments(60, 9).map(({ id, text }) => [id, text]));
    const triples = triplesOf("plain");
    expect(triples).toHaveLength(result.triples);
    for (const { document: id, head, tail, sentences } of triples) {
      for (const { name, at } of [head, tail]) {
        if (at === null) continue;
        expect(texts.get(id)!.slice(at.start, at.end)).toBe(at.text);
        expect(at.text.toLowerCase()).toBe(name);
      }
      if (head.at !== null && tail.at !== null) expect(sentences).toEqual([texts.get(id)]);
    }
    expect(triples[0]).toMatchObject({ task: "tiny", decoder: { beams: 1, repeatGuard: true } });
  });

  test("titles, long, empty and odd documents behave", async () => {
    const long = Array<string>(30).fill("Insulin lowers Heparin levels in man.").join(" ");
    const result = await run("odd", [
      document("titled", "", "Aspirin raises Warfarin levels in man"),
      document("empty", "  "),
      document("long", long),
      document("markup", "<script>alert('x')</script> \u2028 </s> 𝛼-tocopherol"),
    ]);
    expect(result).toMatchObject({ documents: 4, empty: 1 });
    expect(result.windowed).toBeGreaterThanOrEqual(1);
    const titled = triplesOf("odd").find(({ document: id }) => id === "titled")!;
    expect(titled.head.at).toMatchObject({ field: "title", start: 0, end: 7, text: "Aspirin" });
    const keys = triplesOf("odd").map(({ document: id, head, tail, relation }) =>
      [id, head.name, tail.name, relation].join(),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("copying only, every name stands in the text", async () => {
    const result = await run("copied", readDocuments([documentsPath]), { copyOnly: true });
    expect(result.triples).toBeGreaterThan(30);
    expect(result.grounded).toBe(result.triples);
  });

  test("keeps documents without triples where all are wanted, though none without text; such a run is resumed as such", async () => {
    const texts = ["Aspirin raises Warfarin levels in man.", "", "in man."];
    const some = texts.map((text, i) => document(`${i}`, text));
    const silent = { ...tuned, task: { ...tuned.task, parse: () => [] } };
    const ids = (name: string): string[] =>
      [...linesOf(name, "documents.jsonl").matchAll(/"id":"(\d)"/g)].map(([, id]) => id!).sort();
    const options = { output: join(folder, "all"), allDocuments: true };
    expect(await extractDocuments(silent, some, options)).toMatchObject({ documents: 3, empty: 1, triples: 0 });
    expect(ids("all")).toEqual(["0", "2"]);
    await extractDocuments(silent, some, { output: join(folder, "few") });
    expect(ids("few")).toEqual([]);
    await expect(extractDocuments(silent, some, { ...options, allDocuments: false, resume: true })).rejects.toThrow(
      /allDocuments: expected true, as the run there has, got none/,
    );
    await writeReview(join(folder, "all"), "all");
    expect(linesOf("all", "review.html")).toContain('"text":"in man."');
  });

  test("killed again and again with SIGKILL and resumed, it gives the same lines, none twice", async () => {
    await run("whole", readDocuments([documentsPath]));
    const child = fileURLToPath(new URL("../../test/support/extract-child.ts", import.meta.url));
    const start = (): ReturnType<typeof spawn> =>
      spawn(process.execPath, [child, model, documentsPath, join(folder, "killed")], {
        stdio: ["ignore", "pipe", "inherit"],
      });
    let kills = 0;
    for (let code: number | null = null; code !== 0;) {
      const running = start();
      let seen = 0;
      running.stdout!.on("data", () => {
        seen += 1;
        // Every process gets a few groups done, then dies in the middle of the next.
        if (kills < 4 && seen === 2 + kills) setTimeout(() => running.kill("SIGKILL"), kills);
      });
      code = await new Promise((resolve) => running.on("exit", resolve));
      if (code !== 0) kills += 1;
      if (kills > 8) throw new Error("the run never ends");
      // What a kill during a write leaves behind.
      if (code !== 0)
        for (const file of ["triples.jsonl", "journal.jsonl"]) appendFileSync(join(folder, "killed", file), '{"half":');
    }
    expect(kills).toBeGreaterThanOrEqual(2);
    for (const file of ["triples.jsonl", "documents.jsonl"])
      expect(linesOf("killed", file)).toBe(linesOf("whole", file));
  }, 60_000);

  test("a run is not resumed unasked, nor with other settings or documents", async () => {
    await expect(run("plain", [])).rejects.toThrow(/expected a folder without a run, got one/);
    await expect(run("plain", [], { resume: true, copyOnly: true })).rejects.toThrow(
      /decoder.copyOnly: expected false, as the run there has, got true/,
    );
    const others = Array.from({ length: 60 }, (_, i) => document(`other-${i}`, "Insulin"));
    await expect(run("plain", others, { resume: true })).rejects.toThrow(/expected document doc-48 at this place/);
    expect((await run("plain", readDocuments([documentsPath]), { resume: true })).now).toBe(0);
  });

  test("as a whole it reads files, counts what it cannot, and writes tables, the page and a summary", async () => {
    const [broken, output] = [join(folder, "broken.jsonl"), join(folder, "all-files")];
    writeFileSync(broken, `{"id": "extra", "text": "Aspirin raises Codeine levels in man."}\n{\n`);
    const failures: string[] = [];
    const summary = await extract(tuned, [documentsPath, broken], {
      output,
      onFailure: (failure) => failures.push(describeFailure(failure)),
    });
    expect(failures).toEqual(['broken.jsonl:2: expected a JSON object, got "{"']);
    expect(summary).toMatchObject({
      documents: 61,
      failures: 1,
      stopped: false,
      triples: triplesOf("all-files").length,
    });
    expect(JSON.parse(linesOf("all-files", "summary.json"))).toEqual(summary);
    expect(linesOf("all-files", "relations.csv").split("\r\n")).toHaveLength(summary.relations + 2);
    expect(linesOf("all-files", "review.html")).toContain(`tiny in ${documentsPath}, ${broken}`);
    const few = await extract(tuned, [documentsPath], { output: join(folder, "few-documents"), limit: 7 });
    expect(few.documents).toBe(7);
  });

  test("a run is not resumed with a model of the same name and other weights", async () => {
    const copy = join(folder, "copy");
    cpSync(model, copy, { recursive: true });
    const output = join(folder, "retrained");
    const mine = async (): Promise<ExtractResult> => {
      await using opened = await openTuned(copy, { threads: 1 });
      return extractDocuments(opened, readDocuments([documentsPath]), { output, resume: true });
    };
    const { triples } = await mine();
    expect(await mine()).toMatchObject({ triples, now: 0 });
    const { path, entry } = await weightOf(copy, "biogpt.embed_tokens.weight");
    const bytes = readFileSync(path);
    // The last row is one of the soft prompt's.
    bytes.writeFloatLE(0.5, entry.offset + entry.byteLength - 4);
    writeFileSync(path, bytes);
    await expect(mine()).rejects.toThrow(/retrained: weights: expected "\w{16}", as the run there has, got "\w{16}"/);
  });

  test("aborted, it ends in order between two groups, and is resumed there", async () => {
    const output = join(folder, "aborted");
    const options = { output, window: 16, group: 4, resume: true };
    const controller = new AbortController();
    const onProgress = (): void => controller.abort();
    const first = await extract(tuned, [documentsPath], { ...options, signal: controller.signal, onProgress });
    expect(first).toMatchObject({ documents: 4, stopped: true });
    expect(JSON.parse(linesOf("aborted", "summary.json"))).toEqual(first);
    const rest = await extract(tuned, [documentsPath], options);
    expect(rest).toMatchObject({ documents: 60, now: 56, stopped: false });
    expect(linesOf("aborted")).toBe(linesOf("whole"));
  });

  test("a table's columns are read as JSON lines are, and measured as they are", async () => {
    const table = join(folder, "documents.csv");
    const documents = tinyDocuments(60, 9);
    const rows = documents.map(({ id, text }) => `${id};"${text}"\r\n`);
    writeFileSync(table, `nr;body\r\n${rows.join("")}`);
    const columns = { id: "nr", text: "body" };
    const options = { window: 10, group: 4 };
    await extract(tuned, [documentsPath], { ...options, output: join(folder, "of-lines") });
    await extract(tuned, [table], { ...options, columns, output: join(folder, "of-table") });
    expect(linesOf("of-table")).toBe(linesOf("of-lines"));
    const ids = async (path: string, more: object): Promise<number[]> => {
      const { stream } = await openPerplexityText([path], tiny.start, more);
      return Array.from(stream.read(0, stream.tokens));
    };
    expect(await ids(table, { columns })).toEqual(await ids(documentsPath, {}));
    await expect(ids(table, {})).rejects.toThrow(/--text-column/);
  });

  test("inputs that grew, shrank or changed are refused by name, and what is done stays", async () => {
    const input = join(folder, "changing.jsonl");
    const lines = readFileSync(documentsPath, "utf8").split("\n").slice(0, -1);
    const write = (some: readonly string[]): void => writeFileSync(input, some.map((line) => `${line}\n`).join(""));
    write(lines.slice(0, 40));
    const controller = new AbortController();
    const output = join(folder, "changing");
    const options = { output, window: 10, group: 4 };
    await extract(tuned, [input], { ...options, signal: controller.signal, onProgress: () => controller.abort() });
    const done = linesOf("changing");
    const changed = lines.slice(0, 40).with(30, lines[30]!.replace("man", "men"));
    for (const some of [lines, lines.slice(0, 30), changed]) {
      write(some);
      await expect(extract(tuned, [input], { ...options, resume: true })).rejects.toThrow(
        /inputs\..*changing\.jsonl: expected "\d+ bytes, [0-9a-f]+", as the run there has, got "\d+ bytes/,
      );
    }
    expect(linesOf("changing")).toBe(done);
    write(lines.slice(0, 40));
    expect(await extract(tuned, [input], { ...options, resume: true })).toMatchObject({ documents: 40 });
  });

  test("a document that takes long to come does not keep an aborted run waiting", async () => {
    const controller = new AbortController();
    async function* slow(): AsyncGenerator<Document> {
      yield document("1", "Aspirin raises Codeine levels in man.");
      controller.abort();
      controller.signal.throwIfAborted();
    }
    const result = await run("slow", slow(), { signal: controller.signal });
    expect(result).toMatchObject({ documents: 0, stopped: true });
    const failing = async function* (): AsyncGenerator<Document> {
      yield* [];
      throw new Error("no disk");
    };
    await expect(run("failing", failing())).rejects.toThrow("no disk");
  });

  test("a task of labels is refused", async () => {
    const labels = { ...tuned, task: { ...tuned.task, extracts: undefined } } as unknown as TunedModel;
    await expect(extractDocuments(labels, [], { output: join(folder, "labels") })).rejects.toThrow(
      /expected a task of relations/,
    );
  });

  test("the tables count documents", async () => {
    const relations = await writeRelations(join(folder, "plain"));
    expect(relations.reduce((sum, { documents }) => sum + documents, 0)).toBe(triplesOf("plain").length);
    expect(relations[0]!.documents).toBeGreaterThanOrEqual(relations.at(-1)!.documents);
    expect(linesOf("plain", "relations.csv").split("\r\n")).toHaveLength(relations.length + 2);
  });

  test("every triple has a score of its own beside the answer's", () => {
    for (const { score, tripleScore } of triplesOf("plain")) {
      expect(tripleScore).toBeLessThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(0);
    }
    expect(triplesOf("plain").some(({ score, tripleScore }) => score !== tripleScore)).toBe(true);
  });
});

test("relations in several spellings and documents are counted once", async () => {
  const at = { field: "text" as const, start: 0, end: 1, text: "A" };
  const one = (id: string, head: string, score: number, found = true): Triple => ({
    ...triplesOf("plain")[0]!,
    document: id,
    head: { name: head, at: found ? at : null },
    tail: { name: "b", at },
    relation: "effect",
    score,
  });
  const counted = await countRelations([one("1", "A", -2), one("1", "a", -1), one("2", "a", -3, false)]);
  expect(counted).toMatchObject([{ head: "A", documents: 2, grounded: 1, score: -1, examples: ["1", "2"] }]);
});

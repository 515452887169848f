/** Every command whose model takes texts up to a length says, once, how many it cut, and marks them in JSON. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { stdoutOf } from "./support/command-line.ts";
import { writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";

const golden = (name: string): string => fileURLToPath(new URL(`goldens/retrieval/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-cut-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const long = "kidney ".repeat(70).trim();
const texts = ["the heart", long, "insulin"];
const lines = (name: string, rows: readonly object[]): string => {
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return at(name);
};
const file = lines(
  "texts.jsonl",
  texts.map((text) => ({ text })),
);
const short = lines("short.jsonl", [{ text: "the heart" }, { text: "insulin" }]);
const lists = lines("lists.jsonl", [{ query: "heart", documents: texts }]);
const pairs = lines(
  "pairs.jsonl",
  texts.map((text) => ({ query: text.slice(0, 10), documents: [text] })),
);
const labelled = lines(
  "labelled.jsonl",
  texts.map((text) => ({ text, label: "b" })),
);
mkdirSync(at("beir/qrels"), { recursive: true });
lines(
  "beir/corpus.jsonl",
  texts.map((text, i) => ({ _id: `d${i}`, title: "", text })),
);
lines("beir/queries.jsonl", [{ _id: "q", text: "heart kidney" }]);
writeFileSync(at("beir/qrels/test.tsv"), "query-id\tcorpus-id\tscore\nq\td0\t1\n");

const tagger = at("tagger");
cpSync(golden("cross-three"), tagger, { recursive: true });
const config = JSON.parse(readFileSync(join(tagger, "config.json"), "utf8")) as object;
const id2label = { 0: "O", 1: "B-Gene", 2: "I-Gene" };
writeFileSync(
  join(tagger, "config.json"),
  JSON.stringify({ ...config, architectures: ["BertForTokenClassification"], id2label }),
);
const classifier = at("classifier");
cpSync(golden("cross-three"), classifier, { recursive: true });
writeFileSync(join(classifier, "config.json"), JSON.stringify({ ...config, id2label: { 0: "a", 1: "b", 2: "c" } }));
let tuned: string;
beforeAll(async () => {
  const tiny = await writeTinyTask(at("tiny"));
  const settings = ["tokensPerBatch=600", "accumulate=1", "threads=1", "steps=1", "average=1", "evaluate.examples=0"];
  ({ model: tuned } = await trainBy(tiny.schema, settings, { model: tiny.start, data: tiny.data, output: at("run") }));
});

/** What a command prints as JSON, and what it says without. */
async function both(
  args: readonly string[],
  again: readonly string[] = [],
): Promise<{ printed: Record<string, unknown>[]; said: string }> {
  const out = await stdoutOf(...args, "--json", "--threads", "1");
  const printed = out.trim().split("\n");
  const said: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(said.push(String(text))));
  await stdoutOf(...args, ...again, "--threads", "1").finally(() => spy.mockRestore());
  return { printed: printed.map((line) => JSON.parse(line) as Record<string, unknown>), said: said.join("") };
}

const one = "1 of 3 texts are longer than the model takes and were cut, the first: kidney kidney";

/** Marked one by one. */
const streams: Readonly<Record<string, { args: () => string[]; mark?: string }>> = {
  embed: { args: () => ["embed", "--model", golden("mean"), "--file"] },
  classify: { args: () => ["classify", "--model", classifier, "--file"] },
  tag: { args: () => ["tag", "--model", tagger, "--file"], mark: "unread" },
  features: { args: () => ["features", "--model", golden("mean"), "--file"] },
  predict: { args: () => ["predict", "--model", tuned, "--file"] },
};

test.each(Object.keys(streams))("%s marks the texts that it cut, and counts them in one line", async (name) => {
  const { args, mark = "cut" } = streams[name]!;
  const { printed, said } = await both([...args(), file]);
  expect(printed.map((row) => Boolean(row[mark]))).toEqual([false, true, false]);
  expect(said.split(one)).toHaveLength(2);
  expect((await both([...args(), short])).said).not.toContain("cut");
});

describe.each(["mean", "colbert", "cross-one"])("%s", (name) => {
  test("similarity marks the texts that it cut", async () => {
    const { printed, said } = await both(["similarity", "--model", golden(name), "heart", ...texts]);
    expect(printed.map(({ cut }) => cut === true)).toEqual([false, true, false]);
    expect(said).toMatch(/1 of \d texts are longer than the model takes and were cut, the first: kidney/);
  });

  const reads = [
    ["rerank", () => ["rerank", lists, "--model", golden(name), "--output", at(`${name}-reranked.jsonl`)]],
    ["evaluate similarity", () => ["evaluate", "similarity", pairs, "--model", golden(name)]],
    ["evaluate retrieval", () => ["evaluate", "retrieval", at("beir"), "--model", golden(name)]],
  ] as const;
  test.each(reads)("%s counts what it cut", async (_, args) => {
    const { printed, said } = await both(args(), args()[0] === "rerank" ? ["--overwrite"] : []);
    const { texts: count, of } = printed.at(-1)!["cut"] as { texts: number; of: number };
    expect(count).toBeGreaterThan(0);
    expect(of).toBeGreaterThan(count);
    expect(said).toContain(`${count} of ${of} texts are longer than the model takes and were cut`);
  });
});

test.each(["mean", "colbert"])("mine counts what %s cut, and embed into a file too", async (name) => {
  const args = ["mine", pairs, "--model", golden(name), "--negatives", "1", "--margin", "0"];
  const { printed, said } = await both([...args, "--output", at(`${name}-mined.jsonl`)], ["--overwrite"]);
  expect(printed.at(-1)).toMatchObject({ cut: { texts: 1 } });
  expect(said).toContain("texts are longer than the model takes and were cut");
  if (name !== "mean") return;
  const embed = ["embed", "--model", golden(name), "--file", file, "--output", at("x.npy")];
  const [embedded] = (await both(embed, ["--overwrite"])).printed;
  expect(embedded).toMatchObject({ cut: { texts: 1, of: 3 } });
});

test("evaluate classification counts them in its report, which a resumed run gives again", async () => {
  const args = ["evaluate", "classification", labelled, "--model", classifier, "--output", at("classes")];
  const { printed } = await both(args, ["--resume"]);
  const figures = printed[0]!["figures"] as readonly { name: string; value: number }[];
  expect(figures.find(({ name }) => name === "cut_texts")?.value).toBe(1);
  expect(readFileSync(at("classes/report.txt"), "utf8")).toContain("texts longer than what was read of them");
});

test("evaluate task counts the examples", async () => {
  const data = at("tiny-long");
  cpSync(at("tiny/data"), data, { recursive: true });
  const rows = readFileSync(join(data, "test.jsonl"), "utf8").trim().split("\n");
  const first = JSON.parse(rows[0]!) as { text: string };
  writeFileSync(
    join(data, "test.jsonl"),
    [JSON.stringify({ ...first, text: `${first.text} ${long}` }), ...rows.slice(1, 3)]
      .map((row) => `${row}\n`)
      .join(""),
  );
  const { printed, said } = await both(["evaluate", "task", "--model", tuned, "--data", data]);
  expect(printed[0]).toMatchObject({ cut: { texts: 1, of: 3 } });
  expect(said).toContain("1 of 3 examples are longer than the model takes and were cut");
});

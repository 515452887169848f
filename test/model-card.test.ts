/** Every training leaves a model card that Hugging Face's hub takes, with what was done and without this machine's paths. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test, vi } from "vitest";
import { pathFingerprint } from "../src/io/fingerprint.ts";
import { stdoutOf } from "./support/command-line.ts";
import { writeEncoderData } from "./support/encoder-data.ts";
import { writeTinyTask } from "./support/tiny-task.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-card-"));
afterAll(() => rmSync(folder, { recursive: true }));
const golden = fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url));
const sample = fileURLToPath(new URL("../samples/pubmed-sample.xml", import.meta.url));
const data = writeEncoderData(folder, "train", 24, 1);
const held = writeEncoderData(folder, "held", 8, 2);
const tiny = await writeTinyTask(folder);
const teacher = join(folder, "teacher");
cpSync(golden, teacher, { recursive: true });

/** Front matter as the hub reads it: plain keys, and lists of plain items. */
function frontMatter(card: string): Record<string, string | string[]> {
  const front = /^---\n([^]*?)\n---\n/.exec(card)![1]!;
  const found: Record<string, string | string[]> = {};
  let list: string[] = [];
  for (const line of front.split("\n")) {
    const [, key, value, item] = /^(?:(\w+):(?: (\S+))?| {2}- (\S+))$/.exec(line)!;
    if (item !== undefined) list.push(item);
    else found[key!] = value ?? (list = []);
  }
  return found;
}

async function cardOf(name: string, ...args: string[]): Promise<string> {
  const output = join(folder, `run-${name}`);
  const notes = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await stdoutOf("train", ...args, "--output", output, "--threads", "1", "--scale", "debug").finally(() =>
    notes.mockRestore(),
  );
  return readFileSync(join(output, "model/README.md"), "utf8");
}

test.each([
  ["colbert", "PyLate", "sentence-similarity", ["documents=3", "--model", golden, "--data", data.lists]],
  [
    "reranker",
    "sentence-transformers",
    "text-ranking",
    ["documents=3", "loss=regression", "--model", golden, "--data", data.lists],
  ],
  ["embeddings-ranking", "sentence-transformers", "sentence-similarity", ["--model", golden, "--data", data.lists]],
  [
    "classifier",
    "transformers",
    "text-classification",
    ["--model", golden, "--data", data.classes, "--valid", held.classes],
  ],
  ["tagger", "transformers", "token-classification", ["--model", golden, "--data", data.tags]],
  ["my-task", "transformers", "text-generation", ["--model", tiny.start, "--data", tiny.data]],
  ["biogpt-nano", "transformers", "text-generation", ["--tokenizer", tiny.start, "--data", sample]],
  ["hash-nano", "transformers", "fill-mask", ["--tokenizer", golden, "--data", sample]],
])("%s", async (recipe, library, pipeline, args) => {
  const card = await cardOf(recipe, recipe === "my-task" ? tiny.schema : recipe, ...args);
  expect(frontMatter(card)).toEqual({
    language: "en",
    license: "unknown",
    library_name: library,
    pipeline_tag: pipeline,
    tags: ["galen", "biomedical"],
  });
  const titles = [...card.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(titles).toEqual(["Data", "Figures", "Settings", "Intended use and limits", "Licence"]);
  expect(card).not.toContain(folder);
  expect(card).not.toContain("undefined");
  const run = JSON.parse(readFileSync(join(folder, `run-${recipe}/run.json`), "utf8")) as {
    batch: number;
    seed: number;
  };
  expect(card).toContain(`\nbatch=${run.batch}\n`);
  expect(card).toContain(`\nseed=${run.seed}\n`);
});

test("figures are those of the run, and the licence is that of the model it started from", async () => {
  const metrics = readFileSync(join(folder, "run-classifier/metrics.jsonl"), "utf8").trim().split("\n");
  const losses = metrics
    .map((line) => JSON.parse(line) as { type: string; loss: number })
    .filter(({ type }) => type === "evaluated");
  const card = readFileSync(join(folder, "run-classifier/model/README.md"), "utf8");
  expect(card).toContain(`| held-out loss before | ${losses[0]!.loss.toFixed(4)} |`);
  expect(card).toContain(`| held-out loss after | ${losses.at(-1)!.loss.toFixed(4)} |`);
  expect(card).toContain("| files | train-classes.jsonl |");
  expect(card).toContain("| training examples | 24 |");
  expect(card).toContain(`| started from | mean |\n| its fingerprint | ${await pathFingerprint(golden)} |`);

  expect(existsSync(join(teacher, "README.md"))).toBe(false);
  writeFileSync(join(teacher, "README.md"), "---\nlicense: apache-2.0\ntags: []\n---\n# A model\n");
  const next = await cardOf("licensed", "tagger", "--model", teacher, "--data", data.tags);
  expect(frontMatter(next)["license"]).toBe("apache-2.0");
  expect(next).toContain("As the model that it started from says: apache-2.0.");
});

test("a soft prompt names the model that it was tuned on", async () => {
  const file = JSON.parse(readFileSync(join(folder, "run-my-task/model/task.json"), "utf8")) as { training: object };
  const base = { name: basename(tiny.start), fingerprint: await pathFingerprint(tiny.start) };
  expect(file.training).toMatchObject({ base });
});

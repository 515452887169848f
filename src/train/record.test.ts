/** Runs that go on as they were begun, or say what differs; runs that diverge. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trainBy } from "../../test/support/training.ts";
import { readDocuments } from "../corpus/documents.ts";
import { buildTokenFiles } from "../corpus/tokenize.ts";
import { trainBertTokenizer, trainBioGptTokenizer } from "../tokenizers/index.ts";
import type { Tokenizer } from "../tokenizers/tokenizer.ts";
import { saveTokenizer } from "../tokenizers/files.ts";
import type { RunResult, TrainEvent } from "./loop.ts";
import type { TrainOptions } from "./train.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-record-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

const sentences = Array.from({ length: 200 }, (_, i) => `aspirin ${i % 7} lowers fever ${i % 5} in man ${i % 3}`);
writeFileSync(at("texts.jsonl"), sentences.map((text, i) => `${JSON.stringify({ id: `${i}`, text })}\n`).join(""));
beforeAll(async () => {
  const make = async (name: string, tokenizer: Tokenizer): Promise<void> => {
    await saveTokenizer(tokenizer, at(name));
    await buildTokenFiles(readDocuments([at("texts.jsonl")]), tokenizer, {
      output: at(`${name}-tokens`),
      heldOut: 0.1,
      seed: 1,
    });
  };
  await make("bpe", await trainBioGptTokenizer(sentences, { vocabSize: 100 }));
  await make("other", await trainBioGptTokenizer(sentences.slice(0, 20), { vocabSize: 90 }));
  await make("pieces", await trainBertTokenizer(sentences, { vocabSize: 100 }));
});

async function run(
  name: string,
  settings: readonly string[],
  options: Partial<TrainOptions> = {},
): Promise<RunResult & { events: TrainEvent[] }> {
  const events: TrainEvent[] = [];
  const result = await trainBy("biogpt-nano", ["threads=1", "steps=4", ...settings], {
    scale: "debug",
    data: at("bpe-tokens"),
    tokenizer: at("bpe"),
    output: at(name),
    ...options,
    onEvent: (event) => void events.push(event),
  });
  return { ...result, events };
}

/** A run stopped after two of its four updates. */
async function stopped(name: string): Promise<void> {
  const controller = new AbortController();
  const events: TrainEvent[] = [];
  await trainBy("biogpt-nano", ["threads=1", "steps=4"], {
    scale: "debug",
    data: at("bpe-tokens"),
    tokenizer: at("bpe"),
    output: at(name),
    signal: controller.signal,
    onEvent: (event) => {
      events.push(event);
      if (event.type === "step" && event.step === 2) controller.abort();
    },
  });
  expect(events.at(-1)).toMatchObject({ type: "saved", step: 2 });
}

describe("a run that is resumed", () => {
  test("with other settings is refused, each named, and goes on with those that are meant", async () => {
    await stopped("settings");
    const before = readFileSync(at("settings/run.json"), "utf8");
    const other = ["batch=3", "schedule.peak=9"];
    await expect(run("settings", other, { resume: true })).rejects.toThrow(
      /settings: expected the run as it was begun.*\n {2}batch: 2 in the run, 3 now\n {2}schedule\.peak: 0\.001 in the run, 9 now/,
    );
    await expect(run("settings", other, { resume: true, change: ["batch"] })).rejects.toThrow(/^(?!.*batch:).*peak/s);
    expect(readFileSync(at("settings/run.json"), "utf8")).toBe(before);
    const changed = { resume: true, change: ["steps"] };
    expect((await run("settings", ["steps=3"], changed)).step).toBe(3);
  });

  test("with other data or another tokenizer is refused", async () => {
    await stopped("inputs");
    const again = (more: Partial<TrainOptions>): Promise<unknown> => run("inputs", [], { resume: true, ...more });
    await expect(again({ data: at("other-tokens"), tokenizer: at("other") })).rejects.toThrow(
      /fingerprints\.tokenizer: .* in the run.*\n {2}fingerprints\.data: "\d+ bytes/,
    );
    cpSync(at("bpe-tokens"), at("moved"), { recursive: true });
    expect(await again({ data: at("moved") })).toMatchObject({ step: 4, stopped: false });
  });

  test("may be seen and saved otherwise, and on other threads", async () => {
    await stopped("free");
    expect((await run("free", ["save.every=1", "evaluate.every=0"], { resume: true })).step).toBe(4);
  });

  test("and is finished says so, with no loss of an update", async () => {
    await run("finished", []);
    const { events, ...result } = await run("finished", [], { resume: true });
    expect(result).toMatchObject({ step: 4, stopped: false, loss: undefined });
    expect(events.filter(({ type }) => type === "step")).toEqual([]);
  });

  test.each([
    ["", /training\.json: expected JSON/],
    ["null", /training\.json: expected object/],
    ['{"step":2,"optimiserStep":-1}', /training\.json: optimiserStep: .*got -1/],
    ['{"step":2,"optimiserStep":"x"}', /training\.json: optimiserStep: expected number/],
  ])("from a training.json of %j is refused", async (contents, message) => {
    const name = `counters-${contents.length}`;
    await stopped(name);
    writeFileSync(at(`${name}/checkpoints/step-00000002/training.json`), contents);
    await expect(run(name, [], { resume: true })).rejects.toThrow(message);
  });
});

test("token files are those of the tokenizer, or are refused", async () => {
  await expect(run("wrong", [], { data: at("other-tokens/train") })).rejects.toThrow(
    /other-tokens\/train: expected token files of this tokenizer \([0-9a-f]+\), got those of another/,
  );
  // Where nothing says who made them, their ids may.
  cpSync(at("pieces-tokens"), at("unnamed"), { recursive: true });
  rmSync(at("unnamed/tokens.json"));
  const small = { data: at("unnamed"), tokenizer: at("other") };
  await expect(run("beyond", ["model.vocab_size=40"], small)).rejects.toThrow(
    /unnamed\/\w+\.bin: token \d+: expected an id of the vocabulary, \[0, 40\), got \d+/,
  );
});

test("a run that diverges stops, and names the last checkpoint", async () => {
  const wild = ["schedule.peak=1e30", "schedule.warmup=0", "optimiser.clipNorm=0", "steps=20", "save.every=1"];
  await expect(run("diverged", wild)).rejects.toThrow(
    /diverged: update \d+: expected a loss that falls, got loss .*: the last checkpoint before it is of update \d+.*lower schedule\.peak/s,
  );
});

test("two runs in one folder: the second is refused before it writes", async () => {
  const first = run("shared", ["steps=40"]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await expect(run("shared", [])).rejects.toThrow(/shared: expected an output that no other run writes to/);
  expect(await first).toMatchObject({ step: 40, stopped: false });
});

test("data inside the run's own folder are refused", async () => {
  cpSync(at("bpe-tokens"), at("inside/data"), { recursive: true });
  await expect(run("inside", [], { data: at("inside/data") })).rejects.toThrow(
    /expected another place than the input's/,
  );
});

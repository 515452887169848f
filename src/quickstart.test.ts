/** A quickstart called again: goes on where it was ended, shows what it made, and replaces nothing unasked. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { stdoutOf } from "../test/support/command-line.ts";
import { quickstart, type QuickstartEvent, type QuickstartOptions, type QuickstartResult } from "./quickstart.ts";

const sample = fileURLToPath(new URL("../samples/pubmed-sample.xml", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-quickstart-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);
const call = (name: string, more: Partial<QuickstartOptions> = {}): Promise<QuickstartResult> =>
  quickstart({ inputs: [sample], output: at(name), prompts: ["Aspirin is"], steps: 4, threads: 1, ...more });
const figures = ({ documents, parameters, perplexity, texts }: QuickstartResult): object => ({
  documents,
  parameters,
  perplexity,
  texts,
});

let whole: QuickstartResult;
beforeAll(async () => {
  whole = await call("whole");
}, 120_000);

test("one that came to its end gives again what it made, and makes nothing", async () => {
  expect(whole).toMatchObject({ stopped: false, found: false });
  const weights = join(whole.model, "model.safetensors");
  const { mtimeMs } = statSync(weights);
  const events: string[] = [];
  const again = await call("whole", { onEvent: ({ type }) => void events.push(type) });
  expect(again).toEqual({ ...whole, found: true });
  expect(events).toEqual([]);
  expect(statSync(weights).mtimeMs).toBe(mtimeMs);
  const others = await call("whole", { prompts: ["Insulin"] });
  expect(others.texts.map(({ prompt }) => prompt)).toEqual(["Insulin"]);
  expect(others.perplexity).toEqual(whole.perplexity);
});

test("the command says so, and how to start over", async () => {
  const notes: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(notes.push(String(text))));
  const args = ["--data", sample, "--output", at("whole"), "--steps", "4", "--prompt", "Aspirin is"];
  const printed = await stdoutOf("quickstart", ...args).finally(() => spy.mockRestore());
  expect(notes.join("")).toContain(`goes on with the quickstart in ${at("whole")}/`);
  expect(printed).toContain("Made by an earlier run (--overwrite starts over, --output DIR elsewhere):");
  expect(printed).toContain(whole.texts[0]!.beam);
});

test.each(["tokenized", "step"] as const)(
  "one ended at its first %s goes on, and gives the same",
  async (type) => {
    const stop = new AbortController();
    const onEvent = (event: QuickstartEvent): void => {
      if (event.type === type) stop.abort();
    };
    const first = await call(`ended-${type}`, { signal: stop.signal, onEvent }).catch((error: unknown) => error);
    if (type === "step") expect(first).toMatchObject({ stopped: true });
    const learned = statSync(join(at(`ended-${type}`), "tokenizer/vocab.json")).mtimeMs;
    const events = new Set<string>();
    const second = await call(`ended-${type}`, { onEvent: (event) => void events.add(event.type) });
    expect(figures(second)).toEqual(figures(whole));
    const read = (name: string): Buffer => readFileSync(join(at(name), "run/model/model.safetensors"));
    expect(read(`ended-${type}`).equals(read("whole"))).toBe(true);
    expect(events.has("started")).toBe(true);
    expect(events.has("learned")).toBe(false);
    expect(statSync(join(at(`ended-${type}`), "tokenizer/vocab.json")).mtimeMs).toBe(learned);
  },
  120_000,
);

test("one on other inputs or with other settings is refused by what differs, and stays", async () => {
  const own = at("own.txt");
  writeFileSync(own, "The heart and the kidney. ".repeat(2000));
  const state = readFileSync(join(at("whole"), "quickstart.json"), "utf8");
  await expect(call("whole", { steps: 5 })).rejects.toThrow(
    /whole: steps: expected 4, as the quickstart there has, got 5.*--overwrite/s,
  );
  await expect(call("whole", { seed: 2 })).rejects.toThrow(/whole: seed: expected 1/);
  await expect(call("whole", { inputs: [own] })).rejects.toThrow(/whole: data: expected \["\d+ bytes, \w+"\]/);
  expect(readFileSync(join(at("whole"), "quickstart.json"), "utf8")).toBe(state);
  const replaced = await call("whole", { steps: 1, overwrite: true });
  expect(replaced.found).toBe(false);
}, 120_000);

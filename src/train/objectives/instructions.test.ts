/** What of exchanges is learned, that neither packing nor padding nor micro-batches change it, and what is said and refused. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stdoutOf } from "../../../test/support/command-line.ts";
import { writeTinyLlama } from "../../../test/support/tiny-llama.ts";
import { trainBy } from "../../../test/support/training.ts";
import { toOnnx } from "../../graph/lower.ts";
import { lossGraph } from "../../models/graphs.ts";
import { families, type Family, type ModelConfig } from "../../models/index.ts";
import { allocateParameters, initialise } from "../../runtime/parameters.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import { createSession } from "../../runtime/session.ts";
import { quantizeModel } from "../../quantize.ts";
import { random } from "../../tensor/random.ts";
import { tensor } from "../../tensor/tensor.ts";
import { chatTemplates } from "../../tokenizers/chat.ts";
import { loadPairTokenizer } from "../../retrieval/tokenizer.ts";
import { loadTokenizer, saveTokenizer } from "../../tokenizers/files.ts";
import type { TrainEvent } from "../loop.ts";
import type { TrainOptions } from "../train.ts";
import { type Lesson, lessonBatch } from "./instructions.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-instructions-"));
const model = join(folder, "llama");
beforeAll(() => writeTinyLlama(model));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(lines: readonly object[]): string {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

interface Ran {
  readonly notes: readonly string[];
  readonly events: readonly TrainEvent[];
  readonly model: string;
}

async function run(settings: readonly string[], inputs: Partial<TrainOptions> & { data: string }): Promise<Ran> {
  const events: TrainEvent[] = [];
  const output = join(folder, `run-${files++}`);
  const usual = ["steps=1", "batch=4", "accumulate=1", "threads=1", "device=cpu", "sample.every=0"];
  const onEvent = (event: TrainEvent): void => void events.push(event);
  const result = await trainBy("instruct", [...usual, ...settings], { model, ...inputs, output, onEvent });
  return {
    events,
    model: result.model,
    notes: events.flatMap((event) => (event.type === "started" ? event.notes : [])),
  };
}

const ask = (content: string): { role: string; content: string } => ({ role: "user", content });
const say = (content: string): { role: string; content: string } => ({ role: "assistant", content });

describe("neither packing nor padding nor micro-batches change the loss or its gradient", () => {
  const decoders = Object.values(families).filter(({ causal }) => causal);
  const draw = random(3);
  const lessons: Lesson[] = Array.from({ length: 32 }, (_, i) => {
    const length = 3 + draw.integer(i % 5 === 0 ? 40 : 12);
    const ids = Array.from({ length }, () => 3 + draw.integer(58));
    const first = 1 + draw.integer(length - 1);
    // Some with a second answer.
    const learned = ids.map((_id, t) => t).filter((t) => t > 0 && (t >= first || (i % 4 === 0 && t < first / 2)));
    return { ids, learned };
  });

  /** Sum over micro-batches of so many lessons. */
  async function lossOf(
    family: Family,
    config: ModelConfig,
    { at, packing }: { at: number; packing: boolean },
  ): Promise<{ loss: number; count: number; rows: number; gradients: Map<string, Float64Array> }> {
    const graph = lossGraph(family, config, { gathered: true, packed: packing });
    const parameters = allocateParameters(graph);
    initialise(graph, parameters, 5);
    for (const { data, dims } of parameters.tensors.values())
      if (dims.length === 2) data.forEach((x, i) => (data[i] = 5 * x));
    const session = await createSession(toOnnx(graph), { threads: 1 });
    let [loss, count, rows] = [0, 0, 0];
    const gradients = new Map<string, Float64Array>();
    for (let first = 0; first < lessons.length; first += at) {
      const batch = lessonBatch(lessons.slice(first, first + at), { padId: 0, packing });
      const scale = tensor("float32", [], Float32Array.of(1));
      const outputs = await session.run({ ...Object.fromEntries(parameters.tensors), ...batch.feeds, scale });
      loss += Number(outputs["loss"]!.data[0]);
      count += batch.count;
      rows += batch.feeds["ids"]!.dims[0]!;
      for (const [name, { data }] of Object.entries(outputs)) {
        if (!name.startsWith("gradient/")) continue;
        const sum = gradients.get(name) ?? new Float64Array(data.length);
        (data as Float32Array).forEach((x, i) => (sum[i]! += x));
        gradients.set(name, sum);
      }
    }
    await session.dispose();
    return { loss, count, rows, gradients };
  }

  test.each(decoders.map((family) => [family.modelType, family] as const))("%s", async (_name, family) => {
    const small = { ...family.debug(Object.values(family.sizes)[0]!), vocab_size: 61 };
    // Where a family looks back over few tokens it does so within a lesson.
    const config = ("sliding_window" in small ? { ...small, sliding_window: 7 } : small) as ModelConfig;
    const whole = await lossOf(family, config, { at: 32, packing: false });
    expect(whole.count).toBe(lessons.reduce((sum, { learned }) => sum + learned.length, 0));
    for (const other of [
      { at: 1, packing: false },
      { at: 32, packing: true },
      { at: 8, packing: true },
    ]) {
      const found = await lossOf(family, config, other);
      expect(found.count).toBe(whole.count);
      if (other.at === 32) expect(found.rows).toBeLessThan(16);
      expect(Math.abs(found.loss / whole.loss - 1)).toBeLessThan(2e-6);
      for (const [name, sum] of whole.gradients) {
        const norm = Math.hypot(...sum);
        const apart = Math.hypot(...sum.map((x, i) => x - found.gradients.get(name)![i]!));
        expect(apart, name).toBeLessThan(1e-5 * norm + 1e-6);
      }
    }
  });
});

describe("what is learned", () => {
  test("is said, with what is cut and what has no prefix", async () => {
    const data = write([
      { messages: [ask("Aspirin?"), say("warfarin.")] },
      { messages: [ask("DONE"), say("Aspirin raised the levels of warfarin. ".repeat(6))] },
      { messages: [ask("Aspirin raised the levels of warfarin. ".repeat(6)), say("DONE")] },
      { prompt: "Aspirin 100 m", completion: "g raised" },
    ]);
    const { notes } = await run(["maxTokens=40"], { data });
    expect(notes[0]).toMatch(/^the model has no chat template: Galen's simple one/);
    const said = notes.slice(1).map((note) => note.replace(`${data}: `, ""));
    expect(said[0]).toMatch(/^supervised \d+% of \d+ tokens in 3 texts$/);
    expect(said[1]).toMatch(/^2 texts cut to 40 tokens, [1-9]\d* supervised tokens lost$/);
    expect(said[2]).toMatch(/^1 text left out: no answer to learn/);
    expect(said[3]).toMatch(/^1 text whose prompt alone has other tokens/);
    expect(said.length).toBe(4);
  });

  test("is refused where it is nothing, or everything unasked", async () => {
    const long = write([{ messages: [ask("Aspirin raised the levels of warfarin. ".repeat(6)), say("DONE")] }]);
    await expect(run(["maxTokens=40"], { data: long })).rejects.toThrow(/got 0 % .*\n?.*larger maxTokens=/s);
    const unmarked = join(folder, "unmarked.jinja");
    writeFileSync(
      unmarked,
      "{% for m in messages %}{{ m.content }}{% endfor %}{% if false %}{% generation %}{% endgeneration %}{% endif %}",
    );
    const data = write([{ messages: [ask("Aspirin?"), say("warfarin.")] }]);
    await expect(run([`template=${unmarked}`], { data })).rejects.toThrow(/got 0 % .*the template marks no tokens/s);
    const plain = write([{ prompt: "", completion: "Aspirin raised the levels." }]);
    await expect(run([], { data: plain })).rejects.toThrow(/got 100 % of the tokens supervised.*learn=all/s);
    expect((await run(["learn=all"], { data: plain })).notes[0]).toMatch(/supervised 9\d% of|supervised 8\d% of/);
  });

  test("is named by its line where the template refuses it, or the template is missing", async () => {
    const data = write([
      { prompt: "a", completion: "b" },
      { messages: [ask("a"), { role: "tool", content: "b" }, say("c")] },
    ]);
    await expect(run([], { data })).rejects.toThrow(/\.jsonl:2: chat template: .*got tool/);
    await expect(run(["template=none.jinja"], { data })).rejects.toThrow(
      /expected a file of Jinja, or simple, got none\.jinja/,
    );
  });
});

describe("the model that is written", () => {
  const data = (): string =>
    write(Array.from({ length: 8 }, (_, i) => ({ messages: [ask(`Aspirin ${i}?`), say("warfarin.")] })));

  test("answers with the template that it was taught by, and ends where answers did", async () => {
    const settings = [
      "steps=60",
      "schedule.peak=1e-2",
      "schedule.warmup=0",
      "sample.every=50",
      "sample.maxNewTokens=8",
    ];
    const path = data();
    const found = await run(settings, { data: path, valid: path });
    const tokenizer = await loadTokenizer(found.model);
    expect(chatTemplates(tokenizer).get("default")).toContain("'Assistant:'");
    const { eos_token_id: ends } = JSON.parse(readFileSync(join(found.model, "generation_config.json"), "utf8"));
    expect(ends).toContain(tokenizer.special.eos);
    expect((await stdoutOf("generate", "--model", found.model, "--chat", "Aspirin 3?")).trim()).toBe("warfarin.");
    // Held-out prompts where none are given.
    const texts = found.events.flatMap((event) => (event.type === "sampled" ? event.texts : []));
    expect(texts).toEqual([0, 1, 2].map((i) => `User: Aspirin ${i}?\nAssistant: warfarin.`));
  });

  test("has a given template, whose own end of a turn is an end of generation too", async () => {
    const template = join(folder, "own.jinja");
    // Rows for it are there, as in many published models.
    const chat = join(folder, "with-end");
    cpSync(model, chat, { recursive: true });
    const end = "<|end|>";
    const grown = (await loadPairTokenizer(model)).addTokens([{ content: end, special: true }]);
    await saveTokenizer(grown, chat);
    const other = grown.idOf(end)!;
    const source = `{% for m in messages %}{{ m.role + ': ' + m.content + '${end}\\n' }}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}`;
    writeFileSync(template, source);
    const found = await run([`template=${template}`, 'sample.prompts=["Aspirin 1?"]'], { model: chat, data: data() });
    expect(readFileSync(join(found.model, "chat_template.jinja"), "utf8")).toBe(source);
    const { eos_token_id: ends } = JSON.parse(readFileSync(join(found.model, "generation_config.json"), "utf8"));
    expect([ends].flat()).toContain(other);
    expect(found.notes.some((note) => note.includes("no special token"))).toBe(false);
    writeFileSync(template, source.replace(end, "."));
    const unending = await run([`template=${template}`], { data: data() });
    expect(unending.notes.at(-1)).toMatch(/the first answer ends in "\.+", which is no special token/);
  });

  test("is whole in float32 where it was taught by adapters on weights in four bits, which is said", async () => {
    const bits = join(folder, "four-bits");
    await quantizeModel({ source: model, output: bits, bits: 4 });
    const settings = ["device=auto", "trainable=lora", "steps=20", "schedule.peak=1e-2", "schedule.kind=constant"];
    const found = await run(settings, { model: bits, data: data() });
    expect(found.notes.join("\n")).toMatch(
      /^\d+ weights stay in few bits while others learn, instead of \d+ MB: what is written is float32$/m,
    );
    expect(found.notes.join("\n")).not.toContain("are float32 while");
    const steps = found.events.filter((event) => event.type === "step");
    expect(steps.at(-1)!.loss).toBeLessThan(steps[0]!.loss - 0.5);
    expect(JSON.parse(readFileSync(join(found.model, "config.json"), "utf8")).quantization_config).toBeUndefined();
    expect(readFileSync(join(found.model, "README.md"), "utf8")).toMatch(
      /\| its weights in few bits \| \d+, here in float32: they are as exact as the bits were \|/,
    );
    // It starts from the four bits: what was lost by them is lost.
    const { entries } = await openModelFolder(found.model);
    expect([...entries.values()].every(({ dtype }) => dtype === "float32")).toBe(true);
  });

  test("has no template where it was taught by plain texts", async () => {
    const found = await run([], { data: write([{ prompt: "Aspirin", completion: " raised the levels" }]) });
    expect(existsSync(join(found.model, "chat_template.jinja"))).toBe(false);
    expect(found.notes.length).toBe(1);
  });
});

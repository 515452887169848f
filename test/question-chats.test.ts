/** Questions with choices in conversations: turns, scores and what a template refuses are lm-evaluation-harness's. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { turnsOf } from "../src/eval/decoders.ts";
import { askDecoder, evaluate, withShots } from "../src/eval/index.ts";
import { benchmarks } from "../src/tasks/index.ts";
import { type ChatMessage, chatPrompt } from "../src/tokenizers/index.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";

interface Goldens {
  readonly templates: Readonly<Record<string, string>>;
  readonly conversations: Readonly<
    Record<string, { template: string; shots: number; multiturn?: boolean; system?: string }>
  >;
  readonly asked: Readonly<
    Record<
      string,
      Readonly<
        Record<string, readonly { context: string; continuations: readonly string[]; scores: readonly number[] }[]>
      >
    >
  >;
}

const golden = fileURLToPath(new URL("goldens/lm-eval", import.meta.url));
const { templates, conversations, asked } = JSON.parse(readFileSync(join(golden, "chat.json"), "utf8")) as Goldens;
const folder = mkdtempSync(join(tmpdir(), "galen-question-chats-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => {
  for (const [name, template] of Object.entries(templates)) {
    cpSync(join(golden, "model"), join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "chat_template.jinja"), template);
  }
});

describe.each(Object.keys(conversations))("asked as %s", (kind) => {
  const { template, shots, multiturn = true, system } = conversations[kind]!;

  test.each(Object.keys(asked[kind]!))("%s has the harness's turns and scores", { timeout: 60_000 }, async (name) => {
    const data = join(golden, "data", benchmarks[name]!.data!.folder);
    const benchmark = await withShots(benchmarks[name]!, { shots, data, as: multiturn ? "turns" : "text" });
    const model = join(folder, template);
    await using decoder = await askDecoder(model, { chat: true, system, threads: 1 });
    const { examples, replies } = await evaluate(benchmark, decoder, { data, limit: 2 });
    const tokenizer = await loadTokenizer(model);
    const asking = {
      chat: true,
      system,
      think: false,
      samples: 1,
      temperature: 0.7,
      seed: 1,
      maxNewTokens: undefined,
      copyOnly: false,
    };
    for (const [i, { context, continuations, scores }] of asked[kind]![name]!.entries()) {
      const turns = turnsOf(benchmark.turns!(examples[i]!), asking) as ChatMessage[];
      if (template === "plain") expect(await chatPrompt(tokenizer, turns)).toBe(context);
      expect(benchmark.choices!.of(examples[i]!).map((one) => one.trimStart())).toEqual(continuations);
      const own = replies[i] as number[];
      scores.forEach((score, k) => expect(Math.abs(own[k]! - score), `${i} ${k}`).toBeLessThan(1e-4));
    }
  });
});

test("goldens have turns of the model, a system's, and none where the template refuses it", () => {
  const contexts = (kind: string): string[] =>
    Object.values(asked[kind]!).flatMap((all) => all.map((one) => one.context));
  for (const context of contexts("turns")) expect(context.match(/<assistant> /g)).toHaveLength(3);
  for (const context of contexts("text")) expect(context).not.toContain("<assistant> ");
  expect(contexts("system").some((one) => /<system> You are a physician\.\n\nThe following/.test(one))).toBe(true);
  for (const context of contexts("refusing")) expect(context).not.toContain("<system>");
});

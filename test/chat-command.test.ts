/** `galen generate --chat`, and what a LLaMA of byte pair encoding needs of the other commands. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { loadModel } from "../src/model.ts";
import { chatIds } from "../src/tokenizers/chat.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { stdoutOf } from "./support/command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-chat-"));
const model = join(folder, "run/model");
const question = "What does aspirin inhibit?<|endoftext|>";

beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await makeChatModel(folder);
}, 120_000);
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test("a new model's texts end as its tokenizer's do", async () => {
  const { special } = await loadTokenizer(model);
  expect(special.eos).toBe(0);
  await using loaded = await loadModel(model);
  expect(loaded.config).toMatchObject({ eos_token_id: special.eos });
});

test("a question is put by the model's template, its tokens as text, and only the answer printed", async () => {
  const tokenizer = await loadTokenizer(model);
  const messages = [
    { role: "system", content: "Be short." },
    { role: "user", content: question },
  ];
  const prompt = await chatIds(tokenizer, messages, { contentIsText: true });
  expect(prompt.filter((id) => id === tokenizer.special.eos).length).toBe(2);
  await using loaded = await loadModel(model);
  const { sequences } = await loaded.generate({ ids: [prompt], maxNewTokens: 8 });
  const answer = tokenizer.decode(sequences[0]!.slice(prompt.length), { skipSpecialTokens: true });
  const asked = ["generate", "--model", model, "--chat", question, "--system", "Be short.", "--max-new-tokens", "8"];
  expect(await stdoutOf(...asked)).toBe(`${answer}\n`);
  const { prompt: put, text, ids } = JSON.parse(await stdoutOf(...asked, "--json")) as Record<string, unknown>;
  expect({ put, text, ids }).toEqual({ put: question, text: answer, ids: sequences[0] });
});

test("the other commands take the model's tokenizer", async () => {
  const line = await stdoutOf("generate", "--model", model, "Aspirin", "--max-new-tokens", "4");
  expect(line.startsWith("Aspirin")).toBe(true);
  const features = await stdoutOf("features", "--model", model, "Aspirin inhibits", "--json");
  expect(features).toContain("[");
  expect(await stdoutOf("forward", "--model", model, "--ids", "0,40,41")).toContain("300");
  const tokens = JSON.parse(
    await stdoutOf("tokenize", "--tokenizer", model, join(folder, "texts.jsonl")).then((all) => all.split("\n")[0]!),
  ) as { tokens: string[] };
  expect(tokens.tokens.slice(0, 2)).toEqual(["<|endoftext|>", "Aspirin"]);
});

test.each([
  [["--chat", "a", "--prompts", "x"], /PROMPT: expected PROMPT…, .* or --chat TEXT, got several/],
  [["--system", "a", "b"], /--system: expected --chat TEXT beside it/],
])("refuses %j", async (options, message) => {
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(await main(["generate", "--model", model, ...options])).not.toBe(0);
  expect(written.mock.calls.map(([text]) => String(text)).join("")).toMatch(message);
});

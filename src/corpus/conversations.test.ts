/** The forms in which exchanges come, and what is said of those that do not fit. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readExchanges, readJudged, readPreferences, readPrompts } from "./conversations.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-conversations-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function lines(...values: unknown[]): string {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, values.map((value) => `${JSON.stringify(value)}\n`).join("\n"));
  return path;
}

const asked = [{ role: "user", content: "Does aspirin help?" }];
const answered = [{ role: "assistant", content: "It does." }];

test("exchanges are conversations, prompts with completions, or instructions", async () => {
  const path = lines(
    { messages: [...asked, ...answered], id: 3 },
    { prompt: "a", completion: " b" },
    { prompt: asked, completion: answered },
    { instruction: "Answer.", input: "Why?", output: "Because." },
    { instruction: "Name a drug.", input: "", output: "Aspirin." },
  );
  expect(await readExchanges(path)).toEqual([
    { messages: [...asked, ...answered], where: `${path}:1` },
    { prompt: "a", completion: " b", where: `${path}:3` },
    { prompt: asked, completion: answered, where: `${path}:5` },
    {
      prompt: [{ role: "user", content: "Answer.\n\nWhy?" }],
      completion: [{ role: "assistant", content: "Because." }],
      where: `${path}:7`,
    },
    {
      prompt: [{ role: "user", content: "Name a drug." }],
      completion: [{ role: "assistant", content: "Aspirin." }],
      where: `${path}:9`,
    },
  ]);
  expect((await readPrompts(path)).map(({ prompt }) => prompt)).toEqual([
    asked,
    "a",
    asked,
    [{ role: "user", content: "Answer.\n\nWhy?" }],
    [{ role: "user", content: "Name a drug." }],
  ]);
});

test("a file may be one array, on one line or many, or a table", async () => {
  const value = [
    { prompt: "a", completion: "b" },
    { prompt: "c", completion: "d" },
  ];
  for (const [name, text] of [
    ["one.json", JSON.stringify(value)],
    ["many.json", JSON.stringify(value, null, 2)],
    ["table.csv", "prompt,completion\na,b\nc,d\n"],
  ] as const) {
    const path = join(folder, name);
    writeFileSync(path, text);
    expect(await readExchanges(path)).toMatchObject(value);
  }
});

test("preferences share a prompt, which may be what both begin with", async () => {
  const better = { role: "assistant", content: "Yes." };
  const worse = { role: "assistant", content: "No." };
  const path = lines(
    { prompt: "Q: ", chosen: "a", rejected: "b" },
    { chosen: "Is it? Yes.", rejected: "Is it? No." },
    { chosen: [...asked, better], rejected: [...asked, worse] },
  );
  expect(await readPreferences(path)).toEqual([
    { chosen: { prompt: "Q: ", completion: "a" }, rejected: { prompt: "Q: ", completion: "b" }, where: `${path}:1` },
    {
      chosen: { prompt: "Is it?", completion: " Yes." },
      rejected: { prompt: "Is it?", completion: " No." },
      where: `${path}:3`,
    },
    {
      chosen: { prompt: asked, completion: [better] },
      rejected: { prompt: asked, completion: [worse] },
      where: `${path}:5`,
    },
  ]);
});

test("answers are judged by a label", async () => {
  const path = lines({ prompt: "a", completion: "b", label: true }, { prompt: asked, completion: answered, label: 0 });
  expect(await readJudged(path)).toEqual([
    { exchange: { prompt: "a", completion: "b" }, label: true, where: `${path}:1` },
    { exchange: { prompt: asked, completion: answered }, label: false, where: `${path}:3` },
  ]);
});

test("what does not fit is said by file, line and field", async () => {
  const wrong = (value: unknown): Promise<unknown> => readExchanges(lines({ prompt: "a", completion: "b" }, value));
  await expect(wrong({ messages: [{ role: 3 }] })).rejects.toThrow(
    /\.jsonl:3: messages\.0\.role: expected string, got 3/,
  );
  await expect(wrong({ messages: asked })).rejects.toThrow(/:3: messages: expected an answer.*got user/);
  await expect(wrong({ prompt: "a" })).rejects.toThrow(/:3: completion: expected/);
  await expect(wrong({ prompt: "a", completion: answered })).rejects.toThrow(/:3: .*got a text and messages/);
  await expect(wrong({ question: "a" })).rejects.toThrow(/:3: expected "messages".*; got question/);
  await expect(wrong([])).rejects.toThrow(/:3: expected .*object/);
  await expect(readExchanges(lines())).rejects.toThrow(/expected examples, got none/);
  const array = join(folder, "wrong.json");
  writeFileSync(array, '[{"prompt":"a","completion":"b"},\n{"instruction":"a"}]');
  await expect(readExchanges(array)).rejects.toThrow(/wrong\.json: item 2: output: expected string/);
  await expect(readJudged(lines({ prompt: "a", completion: "b", label: "x" }))).rejects.toThrow(/:1: label/);
  await expect(readPreferences(lines({ prompt: "a", chosen: "b", rejected: answered }))).rejects.toThrow(
    /got a text and/,
  );
});

/** `galen feedback` as programs and the command line meet it: answers of models, routes, kills, reports and exports. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { readJudged, readPreferences } from "../src/corpus/index.ts";
import { itemsPath } from "../src/feedback/index.ts";
import { loadModel } from "../src/model.ts";
import { type FeedbackOptions, serveFeedback } from "../src/serve/index.ts";
import { chatIds } from "../src/tokenizers/index.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { stdoutOf, stdoutUntilStopped } from "./support/command-line.ts";
import { post } from "./support/serving.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-feedback-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const lines = (name: string, rows: readonly object[]): string => {
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return at(name);
};
const linesOf = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

const pairs = lines("pairs.jsonl", [
  { prompt: "Does aspirin thin the blood?", chosen: "It keeps platelets apart.", rejected: "No." },
  { prompt: "Why?", answers: ["a", "b", "c"] },
]);
const questions = lines(
  "questions.jsonl",
  Array.from({ length: 20 }, (_, i) => ({ prompt: `Aspirin ${i}` })),
);
let chat = "";
/** The same without a chat template. */
const plain = at("plain");
beforeAll(async () => {
  const quiet = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  chat = await makeChatModel(folder);
  cpSync(chat, plain, { recursive: true });
  rmSync(join(plain, "chat_template.jinja"));
  quiet.mockRestore();
});

const open = (output: string, more: Partial<FeedbackOptions> = {}): ReturnType<typeof serveFeedback> =>
  serveFeedback({ prompts: pairs, output: at(output), port: 0, load: { threads: 1 }, ...more });
const get = async (url: string): Promise<Record<string, unknown>> => (await (await fetch(url)).json()) as never;
const ranking = (ranks: readonly (number | null)[]): object => ({
  ranks,
  wrong: ranks.map(() => false),
  reason: "",
  seconds: 1,
});

describe("answers of models", () => {
  const asked = { prompts: questions, models: [`tiny=${"CHAT"}`], tokens: 8, seed: 3 };
  const withChat = (more: Partial<FeedbackOptions> = {}): Partial<FeedbackOptions> => ({
    ...asked,
    models: [`tiny=${chat}`],
    ...more,
  });

  test("are drawn by the seed, the same again, and a run that was ended goes on to the same", async () => {
    await using whole = await open("whole.jsonl", withChat());
    expect(whole.items).toBeGreaterThan(10);
    const abort = new AbortController();
    const onProgress = (): void => abort.abort(new Error("ended here"));
    await expect(open("ended.jsonl", withChat({ signal: abort.signal, onProgress }))).rejects.toThrow("ended here");
    const before = readFileSync(itemsPath(at("ended.jsonl")), "utf8");
    // Twenty prompts, and the answers of the first sixteen.
    expect(before.trim().split("\n").length).toBe(36);
    await using again = await open("ended.jsonl", withChat());
    const after = readFileSync(itemsPath(at("ended.jsonl")), "utf8");
    expect(after.startsWith(before)).toBe(true);
    expect(after).toBe(readFileSync(itemsPath(at("whole.jsonl")), "utf8"));
    expect(again.items).toBe(whole.items);
    // Answers that are there are shown without the model; another way of drawing is refused.
    await using without = await open("ended.jsonl", { prompts: questions, seed: 3 });
    expect(await get(`${without.url}/feedback/1?rater=Ann`)).toEqual(await get(`${again.url}/feedback/1?rater=Ann`));
    await expect(open("ended.jsonl", withChat({ seed: 4 }))).rejects.toThrow("expected answers drawn by");
    await expect(open("ended.jsonl", { ...asked, models: [plain] })).rejects.toThrow(
      "expected tiny, whose answers are kept",
    );
  });

  test("of one answer each are the likeliest: a chat model's by its template, another's as it goes on", async () => {
    await using server = await open(
      "greedy.jsonl",
      withChat({ prompts: questions, models: [`tiny=${chat}`, `plain=${plain}`] }),
    );
    expect(server.items).toBe(20);
    const items = linesOf(itemsPath(at("greedy.jsonl")));
    const own = items
      .filter(({ prompt }) => prompt === "Aspirin 7")
      .flatMap(({ answers }) => answers as { text: string; by: string }[]);
    expect(own.map(({ by }) => by)).toEqual(["tiny", "plain"]);
    const tokenizer = await loadTokenizer(chat);
    const ids = await chatIds(tokenizer, [{ role: "user", content: "Aspirin 7" }], { contentIsText: true });
    for (const [source, prompt, text] of [
      [chat, ids, own[0]!.text],
      [plain, (await loadTokenizer(plain)).encodeIds("Aspirin 7"), own[1]!.text],
    ] as const) {
      await using model = await loadModel(source, { threads: 1 });
      const { sequences } = await model.generate({ ids: [[...prompt]], maxNewTokens: 8, doSample: false });
      const decoder = await loadTokenizer(source);
      const decode = (all: readonly number[]): string => decoder.decode(all, { skipSpecialTokens: true });
      expect(decode(sequences[0]!).slice(decode(prompt).length).trim()).toBe(text);
    }
  });

  test.each([
    [{}, /questions\.jsonl: expected answers in every line, or a model to write them/],
    [{ models: ["CHAT"], answers: 2, temperature: 0 }, /expected 1 of each model at temperature 0/],
    [{ models: ["CHAT"], answers: 10 }, /expected at most 9 to a prompt, got 1 × 10/],
    [{ host: "0.0.0.0" }, /expected a token/],
  ] as const)("%j is refused", async (more, message) => {
    const models = "models" in more ? [chat] : undefined;
    await expect(open("refused.jsonl", { prompts: questions, ...more, models })).rejects.toThrow(message);
  });
});

test("a file that holds no judgements is not touched", async () => {
  writeFileSync(at("mine.jsonl"), "mine");
  await expect(open("mine.jsonl")).rejects.toThrow("mine.jsonl: expected judgements with");
  expect(readFileSync(at("mine.jsonl"), "utf8")).toBe("mine");
  await expect(open("pairs.jsonl")).rejects.toThrow("expected another place than the input's");
});

describe("routes", () => {
  test("a judgement is in the file, in the file's order of answers, when it is acknowledged", async () => {
    await using server = await open("routes.jsonl");
    const item = await get(`${server.url}/feedback/2?rater=Ann`);
    expect(item).toMatchObject({
      number: 2,
      own: null,
      revealed: null,
      next: 1,
      progress: { items: 2, judged: 0, open: 1 },
    });
    const shown = item["answers"] as string[];
    const reply = await post(`${server.url}/feedback/2/judgement`, {
      rater: " Ann ",
      judgement: ranking([2, 1, null]),
    });
    expect(await reply.json()).toMatchObject({ own: { ranks: [2, 1, null] }, next: 1, progress: { judged: 1 } });
    const [line] = linesOf(at("routes.jsonl"));
    expect(line).toMatchObject({ act: "judge", rater: "Ann", order: shown.map((text) => "abc".indexOf(text)) });
    expect((line!["ranks"] as unknown[])["abc".indexOf(shown[1]!)]).toBe(1);
  });

  test.each([
    ["feedback/3/judgement", { rater: "Ann", judgement: ranking([1, 2]) }, 404, "expected an item from 1 to 2, got 3"],
    [
      "feedback/1/judgement",
      { rater: "Ann", judgement: ranking([1, 2, 3]) },
      400,
      "expected one for each of 2 answers",
    ],
    [
      "feedback/1/judgement",
      { rater: "Ann", judgement: ranking([null, null]) },
      400,
      "must rank an answer, or mark one",
    ],
    ["feedback/1/judgement", { rater: "  ", judgement: ranking([1, 2]) }, 400, "rater"],
    ["feedback/1/reveal", { rater: "Ann" }, 409, "shown to those who have judged it"],
  ])("%s %j is refused", async (path, body, status, message) => {
    await using server = await open("wrong.jsonl");
    const reply = await post(`${server.url}/${path}`, body);
    expect(reply.status).toBe(status);
    expect(JSON.stringify(await reply.json())).toContain(message);
  });

  test("another site's page, and one without the token, reach nothing", async () => {
    await using server = await open("guarded.jsonl", { token: "a-token-of-mine" });
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${server.url}/feedback?rater=Ann`, { headers })).status;
    const authorization = "Bearer a-token-of-mine";
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization })).toBe(200);
    expect(await ask({ authorization, origin: "http://elsewhere.example" })).toBe(403);
  });

  test("two servers over one file see each other's raters", async () => {
    await using one = await open("shared.jsonl");
    await using two = await open("shared.jsonl");
    await post(`${one.url}/feedback/1/judgement`, { rater: "Ann", judgement: ranking([1, 2]) });
    await post(`${two.url}/feedback/1/judgement`, { rater: "Bob", judgement: ranking([2, 1]) });
    expect(await get(`${one.url}/feedback?rater=Bob`)).toMatchObject({ judged: 1, open: 2, raters: ["Ann", "Bob"] });
  });
});

test("a server that is killed loses nothing that it acknowledged", async () => {
  const many = lines(
    "many.jsonl",
    Array.from({ length: 200 }, (_, i) => ({ prompt: `Question ${i}`, answers: ["a", "b"] })),
  );
  const galen = fileURLToPath(new URL("../bin/galen.js", import.meta.url));
  const args = [galen, "feedback", "--prompts", many, "--output", at("killed.jsonl"), "--port", "0", "--json"];
  const child = spawn(process.execPath, args, { env: { ...process.env, GALEN_SOURCE: "1" } });
  const [first] = (await once(child.stdout, "data")) as [Buffer];
  const { url } = JSON.parse(String(first)) as { url: string };
  const acknowledged: string[] = [];
  const rate = async (rater: string): Promise<void> => {
    for (let number = 1; number <= 200; number++) {
      const reply = await post(`${url}/feedback/${number}/judgement`, { rater, judgement: ranking([1, 2]) });
      acknowledged.push(`${rater} ${((await reply.json()) as { id: string }).id}`);
      if (acknowledged.length === 60) child.kill("SIGKILL");
    }
  };
  const ended = once(child, "exit");
  const outcomes = await Promise.allSettled(["Ann", "Bob", "Cleo"].map(rate));
  await ended;
  expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
  const kept = readFileSync(at("killed.jsonl"), "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
  const names = new Set(kept.map(({ rater, item }) => `${rater} ${item}`));
  expect(acknowledged.length).toBeGreaterThanOrEqual(60);
  expect(acknowledged.filter((one) => !names.has(one))).toEqual([]);
  await using again = await open("killed.jsonl", { prompts: many });
  const { judged } = await get(`${again.url}/feedback?rater=Ann`);
  expect(judged).toBe(kept.filter(({ rater }) => rater === "Ann").length);
});

describe("the command", () => {
  test("serves until it is stopped, reports, and exports what trainings read", async () => {
    const quiet = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const printed = await stdoutUntilStopped(
      "feedback",
      "--prompts",
      pairs,
      "--output",
      at("own.jsonl"),
      "--port",
      "0",
    );
    expect(printed).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
    quiet.mockRestore();
    {
      await using server = await open("own.jsonl");
      for (const rater of ["Ann", "Bob"]) {
        const { answers } = await get(`${server.url}/feedback/1?rater=${rater}`);
        const best = (answers as string[]).map((text) => (text === "No." ? 2 : 1));
        await post(`${server.url}/feedback/1/judgement`, { rater, judgement: ranking(best) });
      }
    }
    const report = JSON.parse(await stdoutOf("feedback", "--report", at("own.jsonl"), "--json")) as Record<
      string,
      unknown
    >;
    expect(report).toMatchObject({ items: 2, judged: 1, shared: 1, judgements: 2 });
    expect(report["agreement"]).toMatchObject({ preference: { alpha: 1, units: 1, equal: 1 } });
    expect(await stdoutOf("feedback", "--report", at("own.jsonl"))).toContain("1 of 2 judged, 1 by two people or more");
    const exported = at("out.jsonl");
    expect(await stdoutOf("feedback", "--export", at("own.jsonl"), "--output", exported)).toBe(`${exported}: 1 pair\n`);
    const prompt = "Does aspirin thin the blood?";
    const [chosen, rejected] = ["It keeps platelets apart.", "No."];
    expect(linesOf(exported)).toEqual([{ prompt, chosen, rejected, raters: 2, agreement: 1 }]);
    const [read] = await readPreferences(exported);
    expect(read).toMatchObject({ chosen: { prompt, completion: chosen }, rejected: { prompt, completion: rejected } });
    const labels = at("labels.jsonl");
    await stdoutOf("feedback", "--export", at("own.jsonl"), "--unpaired", "--output", labels, "--json");
    expect(linesOf(labels).map(({ completion, label }) => [completion, label])).toEqual([
      [chosen, true],
      [rejected, false],
    ]);
    const judged = await readJudged(labels);
    expect(judged.map(({ exchange, label }) => [exchange.completion, label])).toEqual([
      [chosen, true],
      [rejected, false],
    ]);
  });

  test.each([
    [[], "expected one of --prompts FILE, --report FILE and --export FILE, got none"],
    [["--report", "a", "--export", "b"], "got --report and --export"],
    [["--prompts", pairs], "expected --output FILE, got none"],
  ])("%j is called the wrong way", async (args, message) => {
    const said: string[] = [];
    const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(said.push(String(text))));
    expect(await main(["feedback", ...args])).toBe(2);
    spy.mockRestore();
    expect(said.join("")).toContain(message);
  });
});

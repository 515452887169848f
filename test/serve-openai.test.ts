/** The server as OpenAI's own client sees it: texts, chats, streams, log-probabilities, vectors, beside what the library gives. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { loadModel, type Model } from "../src/model.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { openScorer } from "../src/retrieval/scorers.ts";
import { chatIds } from "../src/tokenizers/chat.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import type { Tokenizer } from "../src/tokenizers/tokenizer.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { fileURLToPath } from "node:url";
import { post, serveModels, type TestServer } from "./support/serving.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-serve-"));
const embedderFolder = fileURLToPath(new URL("goldens/retrieval/mean", import.meta.url));
const rerankerFolder = fileURLToPath(new URL("goldens/retrieval/cross-one", import.meta.url));
const token = "a-token-of-this-test";
let server: TestServer;
let client: OpenAI;
let model: Model;
let tokenizer: Tokenizer;
let source: string;

beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  source = await makeChatModel(folder);
  model = await loadModel(source, { threads: 1 });
  tokenizer = await loadTokenizer(source);
  const models = [`tiny=${source}`, `vectors=${embedderFolder}`, `pairs=${rerankerFolder}`];
  server = await serveModels({ models, token });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 0 });
}, 120_000);
afterAll(async () => {
  await server.stop();
  await model.dispose();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const prompt = "Aspirin inhibits cyclooxygenase-3";
const newText = (sequence: readonly number[], length: number): string =>
  tokenizer.decode(sequence.slice(length), { skipSpecialTokens: true });

test("models are listed with their kinds", async () => {
  const found = [];
  for await (const one of client.models.list()) found.push(`${one.id} ${(one as unknown as { kind: string }).kind}`);
  expect(found).toEqual(["tiny decoder", "vectors embedder", "pairs reranker"]);
  expect((await client.models.retrieve("tiny")).id).toBe("tiny");
  await expect(client.models.retrieve("none")).rejects.toThrow(/404 there is no model called "none"/);
});

describe("completions", () => {
  test("greedy search gives the library's tokens, for texts and ids", async () => {
    const ids = tokenizer.encodeIds(prompt);
    const { sequences } = await model.generate({ ids: [ids], maxNewTokens: 20 });
    const expected = newText(sequences[0]!, ids.length);
    for (const given of [prompt, [prompt, prompt], ids, [ids]]) {
      const answer = await client.completions.create({ model: "tiny", prompt: given, max_tokens: 20, temperature: 0 });
      expect(new Set(answer.choices.map(({ text }) => text))).toEqual(new Set([expected]));
      expect(answer.usage!.prompt_tokens).toBe(ids.length * answer.choices.length);
      expect(answer.usage!.completion_tokens).toBe((sequences[0]!.length - ids.length) * answer.choices.length);
    }
  });

  test("sampling gives the library's draws: a seed, several sequences, several prompts", async () => {
    const prompts = [prompt, "In patients"];
    const rows = prompts.map((one) => tokenizer.encodeIds(one));
    const { sequences } = await model.generate({
      ids: rows,
      maxNewTokens: 12,
      doSample: true,
      seed: 7,
      topK: 0,
      topP: 0.9,
      temperature: 0.8,
      numReturnSequences: 3,
    });
    const answer = await client.completions.create({
      model: "tiny",
      prompt: prompts,
      n: 3,
      max_tokens: 12,
      seed: 7,
      top_p: 0.9,
      temperature: 0.8,
    });
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answer.choices.map(({ text }) => text)).toEqual(
      sequences.map((sequence, i) => newText(sequence, rows[Math.floor(i / 3)]!.length)),
    );
  });

  test("a stream's pieces are the whole text, with usage at the end", async () => {
    const asked = { model: "tiny", prompt, max_tokens: 24, temperature: 0, logprobs: 2, echo: true } as const;
    const whole = await client.completions.create(asked);
    const parts = await client.completions.create({ ...asked, stream: true, stream_options: { include_usage: true } });
    let [text, pieces, usage, tokens] = ["", 0, undefined as unknown, 0];
    for await (const part of parts) {
      text += part.choices[0]?.text ?? "";
      tokens += part.choices[0]?.logprobs?.tokens?.length ?? 0;
      pieces += 1;
      usage = part.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]!.text);
    expect(tokens).toBe(whole.choices[0]!.logprobs!.tokens!.length);
    expect(pieces).toBeGreaterThan(5);
    expect(usage).toEqual(whole.usage);
  });

  test("a stop string ends a text before it, in a stream too", async () => {
    const asked = { model: "tiny", prompt, max_tokens: 30, temperature: 0 } as const;
    const { text } = (await client.completions.create(asked)).choices[0]!;
    const stop = text.slice(7, 10);
    const cut = await client.completions.create({ ...asked, stop: ["never there", stop] });
    expect(cut.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: "stop" });
    let streamed = "";
    for await (const part of await client.completions.create({ ...asked, stop, stream: true })) {
      streamed += part.choices[0]!.text;
    }
    expect(streamed).toBe(cut.choices[0]!.text);
  });

  test("log-probabilities of prompts are the library's, in lists of one length", async () => {
    await using likelihoods = await loadLikelihoods(source, { threads: 1 });
    const choice = " inhibits cyclooxygenase-7";
    const [[expected]] = (await likelihoods.logLikelihoods(["Aspirin"], [[choice]])) as [[number]];
    const start =
      tokenizer.special.bos === tokenizer.encodeIds("")[0] ? [] : [tokenizer.special.bos ?? tokenizer.special.eos ?? 0];
    const context = [...start, ...tokenizer.encodeIds("Aspirin")];
    const ids = [...start, ...tokenizer.encodeIds(`Aspirin${choice}`)];
    for (const maxTokens of [0, 1]) {
      const { choices } = await client.completions.create({
        model: "tiny",
        prompt: [ids, ids.slice(0, 3)],
        max_tokens: maxTokens,
        temperature: 0,
        echo: true,
        logprobs: 1,
      });
      for (const [i, one] of choices.entries()) {
        const { tokens, token_logprobs: logprobs, top_logprobs: top, text_offset: offsets } = one.logprobs!;
        const length = (i === 0 ? ids.length : 3) + maxTokens;
        expect([tokens, logprobs, top, offsets].map((list) => list!.length)).toEqual([length, length, length, length]);
        expect(logprobs![0]).toBeNull();
        expect(top![0]).toBeNull();
        expect(logprobs!.slice(1).every((value, at) => Math.max(...Object.values(top![at + 1]!)) >= value)).toBe(true);
        expect(tokens!.join("")).toContain("Aspirin");
      }
      const sum = choices[0]!.logprobs!.token_logprobs!.slice(context.length, ids.length).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(expected, 4);
    }
  });

  test("a bias and penalties change what is chosen", async () => {
    const asked = { model: "tiny", prompt, max_tokens: 5, temperature: 0 } as const;
    const id = tokenizer.encodeIds("Z").at(-1)!;
    const biased = await client.completions.create({ ...asked, logit_bias: { [id]: 100 } });
    expect(biased.choices[0]!.text).toBe("ZZZZZ");
    const varied = await client.completions.create({
      ...asked,
      logit_bias: { [id]: 3 },
      frequency_penalty: 2,
      presence_penalty: 2,
    });
    expect(varied.choices[0]!.text).not.toBe("ZZZZZ");
  });

  test.each([
    [{ best_of: 3 }, /best_of/],
    [{ suffix: "x" }, /suffix/],
    [{ max_tokens: 999 }, /max_tokens: expected at most \d+, since the model has 256 places/],
    [{ prompt: [99999] }, /ids below 300, got 99999/],
    [{ prompt: { a: 1 } }, /prompt: expected/],
    [{ temperature: 3 }, /temperature/],
    [{ logit_bias: { 99999: 1 } }, /logit_bias: expected ids below 300/],
    [{ model: "vectors" }, /expected a model of kind decoder, got "vectors"/],
  ])("%j is refused by name", async (wrong, message) => {
    const response = await post(
      `${server.url}/v1/completions`,
      { model: "tiny", prompt, ...wrong },
      { authorization: `Bearer ${token}` },
    );
    const { error } = (await response.json()) as { error: { message: string; type: string } };
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain(folder);
  });
});

describe("chats", () => {
  const messages = [
    { role: "system", content: "Be short.<|endoftext|>" },
    { role: "user", content: [{ type: "text", text: "What does aspirin inhibit?" }] },
  ] as const;
  const asked = { model: "tiny", messages: messages as never, max_completion_tokens: 16, temperature: 0 };

  test("the answer is what the library generates after the template", async () => {
    const ids = await chatIds(tokenizer, [messages[0], { role: "user", content: "What does aspirin inhibit?" }], {
      contentIsText: true,
    });
    const { sequences } = await model.generate({ ids: [ids], maxNewTokens: 16 });
    const answer = await client.chat.completions.create(asked);
    expect(answer.choices[0]!.message).toMatchObject({
      role: "assistant",
      content: newText(sequences[0]!, ids.length),
    });
    expect(answer.usage!.prompt_tokens).toBe(ids.length);
    const counted = await post(
      `${server.url}/tokenize`,
      { model: "tiny", messages },
      { authorization: `Bearer ${token}` },
    );
    expect(((await counted.json()) as { tokens: number[] }).tokens).toEqual(ids);
  });

  test("a stream gives the same, through the client's own helper", async () => {
    const { choices } = await client.chat.completions.create({ ...asked, logprobs: true, top_logprobs: 3 });
    const stream = client.chat.completions.stream({
      ...asked,
      stream: true,
      logprobs: true,
      top_logprobs: 3,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(choices[0]!.message.content);
    expect(final.choices[0]!.finish_reason).toBe(choices[0]!.finish_reason);
    expect(final.choices[0]!.logprobs!.content).toEqual(choices[0]!.logprobs!.content);
    expect(choices[0]!.logprobs!.content![0]!.top_logprobs).toHaveLength(3);
    expect(final.usage!.completion_tokens).toBe(choices[0]!.logprobs!.content!.length);
  });

  test("an answer held to a schema fits it, drawn or not, alone or streamed", async () => {
    const schema = {
      type: "object",
      properties: { drug: { enum: ["aspirin", "heparin"] }, dose: { type: "integer" }, oral: { type: "boolean" } },
      required: ["drug", "dose", "oral"],
      additionalProperties: false,
    };
    const format = { type: "json_schema", json_schema: { name: "drug", schema, strict: true } } as const;
    const drawn = await client.chat.completions.create({
      ...asked,
      max_completion_tokens: 120,
      temperature: 1,
      seed: 5,
      n: 4,
      response_format: format,
    });
    for (const { message, finish_reason: end } of drawn.choices) {
      expect(end).toBe("stop");
      const value = JSON.parse(message.content!) as Record<string, unknown>;
      expect(Object.keys(value)).toEqual(["drug", "dose", "oral"]);
      expect(["aspirin", "heparin"]).toContain(value["drug"]);
      expect(Number.isInteger(value["dose"])).toBe(true);
    }
    let streamed = "";
    const parts = await client.chat.completions.create({
      ...asked,
      max_completion_tokens: 120,
      response_format: format,
      stream: true,
    });
    for await (const part of parts) streamed += part.choices[0]?.delta.content ?? "";
    expect(JSON.parse(streamed)).toHaveProperty("oral");
    const pattern = {
      type: "json_schema",
      json_schema: { name: "x", schema: { type: "string", pattern: "a" } },
    } as const;
    await expect(client.chat.completions.create({ ...asked, response_format: pattern })).rejects.toThrow(/"pattern"/);
  });

  test("tools are refused in plain words", async () => {
    const tools = [{ type: "function", function: { name: "f", parameters: {} } }] as const;
    await expect(client.chat.completions.create({ ...asked, tools: tools as never })).rejects.toThrow(
      /400 tools: expected none/,
    );
  });
});

describe("vectors and ranks", () => {
  const texts = ["Aspirin inhibits cyclooxygenase.", "heart", "A long text about many organs and their diseases."];

  test("vectors are the library's, as numbers and as base64, which the client asks for by itself", async () => {
    await using embedder = await loadEmbedder(embedderFolder, { threads: 1 });
    const expected = await embedder.embed(texts);
    const answer = await client.embeddings.create({ model: "vectors", input: texts });
    const plain = await client.embeddings.create({ model: "vectors", input: texts, encoding_format: "float" });
    for (const [i, vector] of expected.entries()) {
      expect(plain.data[i]!.embedding).toHaveLength(vector.length);
      vector.forEach((value, at) => {
        expect(answer.data[i]!.embedding[at]).toBeCloseTo(value, 5);
        expect(plain.data[i]!.embedding[at]).toBeCloseTo(value, 5);
      });
    }
    const short = await client.embeddings.create({ model: "vectors", input: texts[0]!, dimensions: 4 });
    expect(short.data[0]!.embedding).toHaveLength(4);
    await expect(client.embeddings.create({ model: "vectors", input: "a", dimensions: 4000 })).rejects.toThrow(
      /dimensions: expected at most/,
    );
  });

  test("ids of the model's own tokenizer are its text; others are refused", async () => {
    await using embedder = await loadEmbedder(embedderFolder, { threads: 1 });
    const { ids } = embedder.tokenizer.encode("heart");
    const [text, byIds] = await Promise.all([
      client.embeddings.create({ model: "vectors", input: "heart" }),
      client.embeddings.create({ model: "vectors", input: ids }),
    ]);
    expect(byIds.data[0]!.embedding).toEqual(text.data[0]!.embedding);
    await expect(client.embeddings.create({ model: "vectors", input: [100257, 5] })).rejects.toThrow(
      /expected ids that the model's own tokenizer gives/,
    );
  });

  test("documents are ranked by a reranker or by vectors", async () => {
    await using scorer = await openScorer(rerankerFolder, { threads: 1 });
    const scores = await scorer.pairs(texts.map((text) => ["aspirin", text] as const));
    for (const path of ["/rerank", "/v1/rerank"]) {
      const response = await post(
        `${server.url}${path}`,
        { model: "pairs", query: "aspirin", documents: texts, top_n: 2, return_documents: true },
        { authorization: `Bearer ${token}` },
      );
      const { results } = (await response.json()) as {
        results: { index: number; relevance_score: number; document: { text: string } }[];
      };
      expect(results).toHaveLength(2);
      expect(results[0]!.relevance_score).toBeCloseTo(Math.max(...scores), 5);
      expect(results[0]!.document.text).toBe(texts[results[0]!.index]);
    }
    const likeness = await post(
      `${server.url}/rerank`,
      { model: "vectors", query: texts[1], documents: texts },
      { authorization: `Bearer ${token}` },
    );
    expect(((await likeness.json()) as { results: { index: number }[] }).results[0]!.index).toBe(1);
  });
});

test("tokens go to text and back", async () => {
  const headers = { authorization: `Bearer ${token}` };
  const there = await post(`${server.url}/tokenize`, { model: "tiny", prompt }, headers);
  const { tokens, count } = (await there.json()) as { tokens: number[]; count: number };
  expect(tokens).toEqual(tokenizer.encodeIds(prompt));
  expect(count).toBe(tokens.length);
  const back = await post(`${server.url}/detokenize`, { model: "tiny", tokens }, headers);
  expect(await back.json()).toEqual({ prompt: tokenizer.decode(tokens) });
});

test("the OpenAPI document lists every route", async () => {
  const response = await fetch(`${server.url}/openapi.json`, { headers: { authorization: `Bearer ${token}` } });
  const { paths } = (await response.json()) as { paths: object };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      "/health",
      "/v1/models",
      "/v1/completions",
      "/v1/chat/completions",
      "/v1/embeddings",
      "/v1/rerank",
      "/rerank",
      "/tokenize",
    ]),
  );
  expect(server.faults).toEqual([]);
});

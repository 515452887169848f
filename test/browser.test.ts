/** galen/browser in Chromium, out of plain files: what it computes is what Node does. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadModel } from "../src/model.ts";
import { loadEmbedder } from "../src/retrieval/embedder.ts";
import { indexDocuments, openIndex } from "../src/search/index.ts";
import { addTokenizer, endingFolder } from "./support/generation.ts";
import { hasBrowser, openBrowser } from "./support/page-world.ts";
import { serveFiles, type StaticServer, stripTypes } from "./support/static-server.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "galen-browser-"));
const runs = hasBrowser && stripTypes !== undefined;
const texts = ["Aspirin prevents a second stroke.", "the kidney", "A trial of statins in 1,200 patients, ββ and all."];
const prompts = ["ab cd", "h e l", "abc (def)"];
const queries = ["heart failure", "aspirin OR insulin", "children[ti]", "treatment of patients with cancer"];
const softwareGpu = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"];

let server: StaticServer;
let browser: Browser;

beforeAll(async () => {
  if (!runs) return console.warn("no Chromium, or a Node that strips no types: galen/browser's tests skip");
  const decoder = await endingFolder();
  await addTokenizer(decoder);
  cpSync(decoder, join(folder, "decoder"), { recursive: true });
  rmSync(decoder, { recursive: true });
  await using model = await loadModel(join(folder, "decoder"));
  await model.save(join(folder, "half"), { dtype: "float16" });
  cpSync(join(root, "test/goldens/retrieval/mean"), join(folder, "embedder"), { recursive: true });
  cpSync(join(root, "test/goldens/retrieval/prompt"), join(folder, "other"), { recursive: true });
  const index = { output: join(folder, "index"), model: join(folder, "embedder"), store: "exact" } as const;
  await indexDocuments([join(root, "samples/pubmed-sample.xml")], index);
  const page = readFileSync(join(root, "examples/browser/index.html"), "utf8").replace(
    "dist/browser/index.js",
    "src/browser/index.ts",
  );
  server = await serveFiles(
    {
      "/src/": join(root, "src"),
      "/examples/": join(root, "examples"),
      "/node_modules/": join(root, "node_modules"),
      "/data/": folder,
    },
    {
      "/examples/browser/": { body: page, type: "text/html" },
      "/broken/config.json": { body: "<!doctype html>", type: "text/html" },
      "/short/config.json": { body: "{", length: 100 },
      "/refused/config.json": { body: "", status: 403 },
    },
  );
  browser = await openBrowser();
  return undefined;
});
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The example's page, with the addresses that are given. */
async function openPage(where: Browser, query = ""): Promise<Page> {
  const page = await where.newPage();
  await page.goto(`${server.url}/examples/browser/${query}`);
  return page;
}

/** What an expression gives in a page, in which `galen` is galen/browser and `at` the address of the data. */
async function inPage<T>(where: Browser, expression: string): Promise<T> {
  const page = await openPage(where);
  try {
    return await page.evaluate<T>(
      `(async () => { const galen = await import("galen/browser"); const at = "${server.url}/data"; ${expression} })()`,
    );
  } finally {
    await page.close();
  }
}

const embedding = (device: string): string => `
  await using embedder = await galen.openEmbedder(at + "/embedder", { device: ${JSON.stringify(device)} });
  const vectors = await embedder.embed(${JSON.stringify(texts)});
  return { device: embedder.device, notes: embedder.notes, vectors: vectors.map((one) => [...one]) };`;

const writing = (device: string): string => `
  const decoder = await galen.openDecoder(at + "/decoder", { device: ${JSON.stringify(device)} });
  const prompts = ${JSON.stringify(prompts)};
  const greedy = await decoder.generate({ prompts, maxNewTokens: 24 });
  const drawn = await decoder.generate({ prompts, maxNewTokens: 24, doSample: true, seed: 7 });
  let streamed = "";
  for await (const { text } of decoder.generateStream({ prompts: prompts[0], maxNewTokens: 24 })) streamed += text;
  await decoder.dispose();
  return { device: decoder.device, notes: decoder.notes, greedy: greedy.sequences, drawn: drawn.sequences, streamed };`;

interface Embedded {
  readonly device: string;
  readonly notes: string[];
  readonly vectors: number[][];
}

interface Written {
  readonly device: string;
  readonly notes: string[];
  readonly greedy: number[][];
  readonly drawn: number[][];
  readonly streamed: string;
}

async function expectNodesVectors({ vectors }: Embedded): Promise<void> {
  await using embedder = await loadEmbedder(join(folder, "embedder"));
  const expected = await embedder.embed(texts);
  expect(vectors.length).toBe(texts.length);
  vectors.forEach((vector, row) => {
    expect(vector.length).toBe(embedder.width);
    vector.forEach((one, i) => expect(Math.abs(one - expected[row]![i]!)).toBeLessThan(1e-4));
  });
}

async function expectNodesIds({ greedy, drawn, streamed }: Written): Promise<void> {
  await using model = await loadModel(join(folder, "decoder"));
  expect(greedy).toEqual((await model.generate({ prompts, maxNewTokens: 24 })).sequences);
  expect(drawn).toEqual((await model.generate({ prompts, maxNewTokens: 24, doSample: true, seed: 7 })).sequences);
  let expected = "";
  for await (const { text } of model.generateStream({ prompts: prompts[0]!, maxNewTokens: 24 })) expected += text;
  expect(expected).not.toBe("");
  expect(streamed).toBe(expected);
}

describe.skipIf(!runs)("on WebAssembly", { timeout: 120_000 }, () => {
  test("vectors are Node's", async () => {
    const found = await inPage<Embedded>(browser, embedding("wasm"));
    expect(found).toMatchObject({ device: "wasm", notes: [] });
    await expectNodesVectors(found);
  });

  test("ids are Node's, the likeliest and the drawn, whole and streamed", async () => {
    const found = await inPage<Written>(browser, writing("wasm"));
    expect(found).toMatchObject({ device: "wasm", notes: [] });
    await expectNodesIds(found);
  });

  test("weights in float16 give the ids that Node gives with them", async () => {
    const found = await inPage<number[][]>(
      browser,
      `await using decoder = await galen.openDecoder(at + "/half", { device: "wasm" });
      return (await decoder.generate({ prompts: ${JSON.stringify(prompts)}, maxNewTokens: 24 })).sequences;`,
    );
    await using model = await loadModel(join(folder, "half"));
    expect(found).toEqual((await model.generate({ prompts, maxNewTokens: 24 })).sequences);
  });

  test("hits are Node's, by words, by vectors and both", async () => {
    const modes = ["text", "dense", "hybrid"] as const;
    interface Found {
      readonly id: string;
      readonly score: number;
      readonly highlights: number[][];
    }
    const found = await inPage<Found[][]>(
      browser,
      `await using embedder = await galen.openEmbedder(at + "/embedder", { device: "wasm" });
      await using index = await galen.openSearch(at + "/index", { embedder });
      const all = [];
      for (const query of ${JSON.stringify(queries)}) for (const mode of ${JSON.stringify(modes)}) {
        const { hits } = await index.search(query, { mode });
        all.push(hits.map(({ id, score, highlights }) => ({ id, score, highlights })));
      }
      return all;`,
    );
    await using index = await openIndex(join(folder, "index"));
    const pairs = queries.flatMap((query) => modes.map((mode) => ({ query, mode })));
    for (const [i, { query, mode }] of pairs.entries()) {
      const { hits } = await index.search(query, { mode });
      expect(hits.length).toBeGreaterThan(0);
      expect(found[i]!.map(({ id }) => id)).toEqual(hits.map(({ id }) => id));
      hits.forEach(({ score, highlights }, place) => {
        expect(found[i]![place]!.score).toBeCloseTo(score, 4);
        expect(found[i]![place]!.highlights).toEqual(highlights);
      });
    }
  });

  test("files may be given as bytes, and an aborted text ends with the signal's reason between two tokens", async () => {
    const found = await inPage<{ tokens: number; reason: string; clicked: boolean }>(
      browser,
      `const names = ["config.json", "model.safetensors", "vocab.json", "merges.txt"];
      const files = Object.fromEntries(await Promise.all(names.map(
        async (name) => [name, await (await fetch(at + "/decoder/" + name)).arrayBuffer()])));
      await using decoder = await galen.openDecoder(files, { device: "wasm" });
      const stopping = new AbortController();
      let [tokens, reason, clicked] = [0, "", false];
      setTimeout(() => (clicked = true), 0);
      try {
        for await (const piece of decoder.generateStream({ prompts: "ab", maxNewTokens: 60, minNewTokens: 60, signal: stopping.signal }))
          if (++tokens > 2 && clicked) stopping.abort(new Error("enough"));
      } catch (error) { reason = error.message; }
      return { tokens, reason, clicked };`,
    );
    expect(found).toMatchObject({ reason: "enough", clicked: true });
    expect(found.tokens).toBeLessThan(60);
  });

  test("what is missing, cut short, refused, too large or another model's says so", async () => {
    const messageOf = (call: string): string =>
      `await (async () => ${call})().then(() => "nothing", ({ message }) => message)`;
    const messages = await inPage<string[]>(
      browser,
      `const host = "${server.url}";
      await using other = await galen.openEmbedder(at + "/other", { device: "wasm" });
      const bytesOf = async (path) => new Uint8Array(await (await fetch(at + path)).arrayBuffer());
      const weights = (await bytesOf("/decoder/model.safetensors")).subarray(0, -4);
      const cut = { "config.json": await bytesOf("/decoder/config.json"), "model.safetensors": weights };
      const manifest = await bytesOf("/index/index.json");
      const segments = await bytesOf("/index/exact/segments.json");
      const name = JSON.parse(new TextDecoder().decode(segments)).segments[0];
      const index = { "index.json": manifest, "exact/segments.json": segments };
      index["exact/" + name + ".jsonl"] = await bytesOf("/index/exact/" + name + ".jsonl");
      const short = { ...index, ["exact/" + name + ".f32"]: new Uint8Array(8) };
      const lance = { "index.json": new TextEncoder().encode(new TextDecoder().decode(manifest).replace("exact", "lance")) };
      return [
        ${messageOf(`galen.openDecoder(host + "/nothing")`)},
        ${messageOf(`galen.openDecoder(host + "/broken")`)},
        ${messageOf(`galen.openDecoder(host + "/short")`)},
        ${messageOf(`galen.openDecoder(host + "/refused")`)},
        ${messageOf(`galen.openDecoder("http://127.0.0.1:1")`)},
        ${messageOf(`galen.openDecoder(at + "/decoder?revision=main")`)},
        ${messageOf(`galen.openDecoder(at + "/decoder", { mostBytes: 1000 })`)},
        ${messageOf(`galen.openDecoder(at + "/embedder", { device: "wasm" })`)},
        ${messageOf(`galen.openDecoder(at + "/decoder", { device: "cuda" })`)},
        ${messageOf(`galen.openEmbedder(at + "/decoder")`)},
        ${messageOf(`galen.openSearch(at + "/embedder")`)},
        ${messageOf(`galen.openSearch(at + "/index", { embedder: other })`)},
        ${messageOf(`galen.openDecoder({ "config.json": "{}" })`)},
        ${messageOf(`galen.openDecoder(cut)`)},
        ${messageOf(`galen.openSearch(index)`)},
        ${messageOf(`galen.openSearch(short)`)},
        ${messageOf(`galen.openSearch(lance)`)},
      ];`,
    );
    const expected = [
      /nothing\/config\.json: expected a model directory/,
      /broken\/config\.json: expected a model directory/,
      /short\/config\.json/,
      /refused\/config\.json: expected the file, got status 403/,
      /expected an answer, got/,
      /expected the address of a folder/,
      /expected at most 1000 bytes/,
      /expected a decoder/,
      /device: expected one of auto, webgpu, wasm, got "cuda"/,
      /modules\.json: expected a Sentence Transformers directory/,
      /index\.json: expected an index/,
      /expected the index's own model/,
      /files\/config\.json: expected bytes/,
      /files\/model\.safetensors: .*expected/,
      /\.f32: expected the vectors of the segment/,
      /\.f32: expected \d+ vectors of \d+ numbers, got 8 bytes/,
      /expected an index with the exact store, got lance/,
    ];
    expect(messages.length).toBe(expected.length);
    messages.forEach((message, i) => expect(message).toMatch(expected[i]!));
  });
});

describe.skipIf(!runs)("on WebGPU", { timeout: 240_000 }, () => {
  test("vectors and ids are Node's; where it cannot be had, WebAssembly is taken and said", async () => {
    await using software = await openBrowser(...softwareGpu);
    const hasAdapter = await inPage<boolean>(
      software,
      `return navigator.gpu !== undefined && (await navigator.gpu.requestAdapter()) !== null;`,
    );
    if (!hasAdapter) console.warn("this Chromium offers no WebGPU adapter: WebAssembly is looked at in its place");
    const embedded = await inPage<Embedded>(software, embedding("webgpu"));
    const written = await inPage<Written>(software, writing("auto"));
    for (const { device, notes } of [embedded, written]) {
      if (hasAdapter) expect({ device, notes }).toEqual({ device: "webgpu", notes: [] });
      else expect(device).toBe("wasm");
    }
    if (!hasAdapter) expect(embedded.notes.join()).toMatch(/WebGPU failed .*: WebAssembly is taken/);
    await expectNodesVectors(embedded);
    await expectNodesIds(written);
  });
});

describe.skipIf(!runs)("without a WebGPU that is right", { timeout: 240_000 }, () => {
  test("where there is none, WebAssembly is taken and said", async () => {
    const found = await inPage<Embedded>(browser, `delete Navigator.prototype.gpu; ${embedding("webgpu")}`);
    expect(found.device).toBe("wasm");
    expect(found.notes.join()).toMatch(/embedder: WebGPU failed \(.*\): WebAssembly is taken/);
    await expectNodesVectors(found);
  });

  test("where it computes something else, too", async () => {
    await using software = await openBrowser(...softwareGpu);
    const broken = `
      if (navigator.gpu === undefined || (await navigator.gpu.requestAdapter()) === null) return undefined;
      GPUComputePassEncoder.prototype.dispatchWorkgroups = () => {};
      ${embedding("webgpu")}`;
    const found = await inPage<Embedded | undefined>(software, broken);
    if (found === undefined)
      return console.warn("this Chromium offers no WebGPU adapter: a wrong one is not looked at");
    expect(found.device).toBe("wasm");
    expect(found.notes.join()).toMatch(/results on WebGPU differ from WebAssembly's by \S+ of the largest/);
    await expectNodesVectors(found);
    return undefined;
  });
});

describe.skipIf(!runs)("the example's page", { timeout: 120_000 }, () => {
  test("compares, searches and writes, at the width of a phone too", async () => {
    const data = (name: string): string => `${server.url}/data/${name}`;
    const query = new URLSearchParams({
      device: "wasm",
      embedder: data("embedder"),
      index: data("index"),
      decoder: data("decoder"),
    });
    const page = await openPage(browser, `?${query}`);
    const wrong: string[] = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    await page.setViewportSize({ width: 360, height: 740 });
    await page.waitForSelector("#write button:not([disabled])");
    expect(await page.textContent("#state")).toMatch(/embedding model on wasm; \d+ documents; decoder on wasm/);
    await page.click("#compare button");
    await page.waitForSelector("#compare li");
    expect(await page.locator("#compare li").count()).toBe(3);
    await page.click("#search button");
    await page.waitForSelector("#search li");
    expect(await page.textContent("#search mark")).toMatch(/heart|failure/i);
    await page.fill("#write [name=prompt]", "ab cd");
    await page.click("#write button");
    await page.waitForFunction("document.querySelector('#write [name=stop]').disabled");
    expect((await page.textContent("#write output"))!.length).toBeGreaterThan("ab cd".length);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
    if (process.env["SCREENSHOT"]) await page.screenshot({ path: process.env["SCREENSHOT"], fullPage: true });
    await page.close();
    expect(wrong).toEqual([]);
  });
});

/** The server among clients that are many, slow, gone, foreign or hostile, and its end. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../src/cli/main.ts";
import { loadModel } from "../src/model.ts";
import { namedSource } from "../src/serve/models.ts";
import { loadTokenizer } from "../src/tokenizers/files.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { post, serveModels, type TestServer, until } from "./support/serving.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-serve-"));
let source: string;
let server: TestServer;
const rows = 'galen_batch_rows{model="tiny"}';
const cancelled = 'galen_generations_total{model="tiny",end="cancelled"}';

beforeAll(async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  source = await makeChatModel(folder);
  server = await serveModels({ models: [`tiny=${source}`] });
}, 120_000);
afterAll(async () => {
  await server.stop();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** Goes on until there is no room. */
const long = { model: "tiny", prompt: "Aspirin", max_tokens: 240, temperature: 0, logit_bias: { 0: -100 } };

interface Answer {
  readonly choices: { readonly text: string; readonly finish_reason: string }[];
  readonly error?: { readonly message: string; readonly type: string; readonly code: string | null };
}
const answerOf = async (response: Response): Promise<Answer> => (await response.json()) as Answer;

/** What a server says to bytes as they are, until it closes or nothing more comes. */
async function raw(url: string, text: string, end = false): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let said = "";
  socket.setEncoding("latin1");
  socket.on("data", (part: string) => (said += part));
  socket.write(text);
  if (end) socket.end();
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("error", () => resolve());
    socket.setTimeout(15_000, () => socket.destroy());
  });
  return said;
}

describe("who may ask", () => {
  const token = "correct-horse";
  const paths = [
    "/health",
    "/metrics",
    "/openapi.json",
    "/v1/models",
    "/",
    "/assets/x.js",
    "/assets/lib/uplot.js",
    "/none",
  ];

  test("every route wants the token, whatever it is", async () => {
    await using guarded = await serveModels({ token });
    for (const path of paths) {
      for (const headers of [
        {},
        { authorization: "Bearer wrong" },
        { authorization: `Basic ${token}` },
        { cookie: "galen_token=x" },
      ]) {
        const response = await fetch(guarded.url + path, { headers: headers as Record<string, string> });
        expect([path, response.status]).toEqual([path, 401]);
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
      }
      const right = await fetch(guarded.url + path, { headers: { authorization: `bearer ${token}` } });
      expect(right.status).not.toBe(401);
    }
    const wrong = await post(`${guarded.url}/v1/completions`, "{", { authorization: "Bearer x" });
    expect(wrong.status).toBe(401);
  });

  test("a browser gets the token as a cookie once, and its address is rid of it", async () => {
    await using guarded = await serveModels({ token });
    expect((await fetch(`${guarded.url}/?token=wrong`, { redirect: "manual" })).status).toBe(401);
    const first = await fetch(`${guarded.url}/?token=${token}`, { redirect: "manual" });
    expect([first.status, first.headers.get("location")]).toEqual([302, "/"]);
    const cookie = first.headers.get("set-cookie")!;
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect((await fetch(`${guarded.url}/health`, { headers: { cookie: cookie.split(";")[0]! } })).status).toBe(200);
    expect((await fetch(`${guarded.url}/health?token=${token}`)).status).toBe(401);
  });

  test("a page of elsewhere reaches nothing, under whatever name", async () => {
    const { host } = new URL(server.url);
    const ask = async (lines: string, method = "GET"): Promise<string> =>
      (await raw(server.url, `${method} /health HTTP/1.1\r\n${lines}\r\nConnection: close\r\n\r\n`)).split("\r\n")[0]!;
    expect(await ask(`Host: ${host}`)).toContain("200");
    expect(await ask("Host: localhost:1")).toContain("200");
    expect(await ask("Host: evil.example")).toContain("421");
    expect(await ask(`Host: 127.0.0.1.evil.example`)).toContain("421");
    expect(await ask(`Host: ${host}\r\nOrigin: http://${host}`)).toContain("200");
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1", "file://"]) {
      expect(await ask(`Host: ${host}\r\nOrigin: ${origin}`)).toContain("403");
    }
    expect(await ask(`Host: ${host}\r\nSec-Fetch-Site: cross-site`)).toContain("403");
    expect(await ask(`Host: ${host}\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors`)).toContain("403");
    expect(await ask(`Host: ${host}\r\nSec-Fetch-Site: same-origin`)).toContain("200");
    expect(
      await ask(`Host: ${host}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document`),
    ).toContain("200");
    expect(
      await ask(`Host: ${host}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe`),
    ).toContain("403");
  });
});

describe("bodies", () => {
  const url = (): string => `${server.url}/v1/completions`;

  test("100 MB are refused before they are read, with or without a length", async () => {
    const before = process.memoryUsage.rss();
    const { hostname, port } = new URL(server.url);
    const head = `POST /v1/completions HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n`;
    expect(await raw(server.url, `${head}Content-Length: 104857600\r\n\r\n{`)).toContain("413");
    const mega = new Uint8Array(2 ** 20).fill(0x20);
    let sent = 0;
    const body = new ReadableStream({
      pull(controller): void {
        sent += 1;
        if (sent > 100) controller.close();
        else controller.enqueue(mega);
      },
    });
    const chunked = {
      method: "POST",
      body,
      duplex: "half",
      headers: { "content-type": "application/json" },
    } as RequestInit;
    const status = await fetch(url(), chunked).then(
      (response) => response.status,
      () => "closed",
    );
    expect([413, "closed"]).toContain(status);
    expect(sent).toBeLessThan(100);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6);
  });

  test("more at once than the server holds are told to come again", async () => {
    await using small = await serveModels({ limits: { bodies: 1000 } });
    const response = await post(`${small.url}/v1/completions`, { model: "none", prompt: "x".repeat(2000) });
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "1"]);
    expect((await post(`${small.url}/v1/completions`, { model: "none", prompt: "x" })).status).toBe(404);
  });

  test.each([
    ["", 400],
    ["{", 400],
    ["[]", 400],
    ["null", 400],
    ['"text"', 400],
    ["\u0000\uFFFF", 400],
    ['{"model":"tiny","prompt":1e999}', 400],
    [`{"model":"tiny","prompt":${"[".repeat(50_000)}${"]".repeat(50_000)}}`, 400],
    ['{"__proto__":{"model":"tiny"},"prompt":"x"}', 400],
    [`{"model":"tiny","prompt":"x","stop":${JSON.stringify(Array(99).fill("a"))}}`, 400],
    ['{"model":"../../etc/passwd","prompt":"x"}', 404],
  ])("wrong JSON is told so: %#", async (body, status) => {
    const response = await post(url(), body);
    const { error } = await answerOf(response);
    expect(response.status, error!.message).toBe(status);
    expect(error!.message).toMatch(/expected|there is none/);
    expect(JSON.stringify(error)).not.toMatch(/node_modules|\bat |\/work|\/tmp/);
  });

  test("other media types are refused", async () => {
    expect((await post(url(), "{}", { "content-type": "text/plain" })).status).toBe(415);
    expect((await post(url(), "a=b", { "content-type": "application/x-www-form-urlencoded" })).status).toBe(415);
  });

  test("texts that are no texts are text: lone surrogates, controls, markup", async () => {
    const prompt = '\ud800 \u0000 <script>alert(1)</script> ${{7*7}} %s "';
    const response = await post(url(), { model: "tiny", prompt, max_tokens: 2, echo: true });
    expect(response.headers.get("content-type")).toContain("application/json");
    expect((await answerOf(response)).choices[0]!.text).toContain("<script>");
    expect(server.faults).toEqual([]);
  });
});

test.each([
  "/page/../../package.json",
  "/page/%2e%2e/%2e%2e/package.json",
  "/page/..%2f..%2fpackage.json",
  "/assets/lib/uplot.js/../../../package.json",
  "/..%5c..%5cpackage.json",
  "//etc/passwd",
  "/page/app.ts%00.js",
  "/%",
  "/v1/models/..%2f..%2fetc%2fpasswd",
])("no path leaves the table of files: %s", async (path) => {
  const { host } = new URL(server.url);
  const said = await raw(server.url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  expect(said.split("\r\n")[0]).toMatch(/ 40[04] /);
  expect(said).not.toMatch(/"name": "galen"|root:/);
});

test("the page's files come with a strict policy, and are in no one's frame", async () => {
  const response = await fetch(`${server.url}/assets/lib/uplot.js`);
  expect(response.status).toBe(200);
  const policy = response.headers.get("content-security-policy")!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(response.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(response.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
});

describe("clients that are slow or gone", () => {
  test("headers or a body that do not come are not waited for", async () => {
    await using hasty = await serveModels({ limits: { headersTime: 300, requestTime: 600 } });
    const { host } = new URL(hasty.url);
    const start = performance.now();
    const [headers, body] = await Promise.all([
      raw(hasty.url, `GET /health HTTP/1.1\r\nHost: ${host}\r\nX-A: `),
      raw(
        hasty.url,
        `POST /tokenize HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"mod`,
      ),
    ]);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(headers).toMatch(/^(HTTP\/1\.1 408|$)/);
    expect(body).toMatch(/^(HTTP\/1\.1 (408|400|499)|$)/);
    expect((await fetch(`${hasty.url}/health`)).status).toBe(200);
    expect(hasty.faults).toEqual([]);
  });

  test("hundreds of half-open connections keep no one else out", async () => {
    const { hostname, port, host } = new URL(server.url);
    const sockets: Socket[] = Array.from({ length: 300 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => undefined);
      socket.write(`POST /v1/completions HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 50\r\n`);
      return socket;
    });
    const response = await post(`${server.url}/v1/completions`, { model: "tiny", prompt: "Aspirin", max_tokens: 3 });
    expect(response.status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });

  test("a client that leaves in the middle of a stream frees its rows", async () => {
    const before = await server.metric(cancelled);
    const controllers = Array.from({ length: 6 }, () => new AbortController());
    await Promise.all(
      controllers.map(async (controller) => {
        const body = JSON.stringify({ ...long, n: 4, temperature: 1, stream: true });
        const headers = { "content-type": "application/json" };
        const response = await fetch(`${server.url}/v1/completions`, {
          method: "POST",
          body,
          headers,
          signal: controller.signal,
        });
        const reader = response.body!.getReader();
        await reader.read();
        controller.abort();
      }),
    );
    await until(async () => (await server.metric(rows)) === 0, "rows of clients that left");
    expect((await server.metric(cancelled)) - before).toBeGreaterThanOrEqual(12);
    expect(await server.metric('galen_queue_length{model="tiny"}')).toBe(0);
    expect(server.faults).toEqual([]);
  });

  test("so does one that waits for a whole answer", async () => {
    const before = await server.metric(cancelled);
    const controller = new AbortController();
    const body = JSON.stringify({ ...long, n: 60, temperature: 1 });
    const headers = { "content-type": "application/json" };
    const asked = fetch(`${server.url}/v1/completions`, { method: "POST", body, headers, signal: controller.signal });
    await until(async () => (await server.metric(rows)) > 0, "a row");
    controller.abort();
    await expect(asked).rejects.toThrow();
    await until(async () => (await server.metric(rows)) === 0, "rows of the client that left");
    expect((await server.metric(cancelled)) - before).toBe(60);
  });
});

test("1,000 requests at once: each gets the answer that it gets alone, and memory stays bounded", async () => {
  await using many = await serveModels({ models: [`tiny=${source}`] });
  await using model = await loadModel(source, { threads: 1 });
  const tokenizer = await loadTokenizer(source);
  const before = process.memoryUsage.rss();
  const asked = Array.from({ length: 1000 }, (_, i) => ({
    prompt: `Aspirin ${i} inhibits`,
    chat: i % 3 === 0,
    drawn: i % 2 === 0,
  }));
  const answers = await Promise.all(
    asked.map(async ({ prompt, drawn }, i) => {
      const body = { model: "tiny", prompt, max_tokens: 4 + (i % 7), seed: i, temperature: drawn ? 1 : 0 };
      const response = await post(`${many.url}/v1/completions`, body);
      expect(response.status).toBe(200);
      return (await answerOf(response)).choices[0]!.text;
    }),
  );
  expect(process.memoryUsage.rss() - before).toBeLessThan(600e6);
  expect(await many.metric('galen_requests_total{route="/v1/completions",method="POST",status="200"}')).toBe(1000);
  for (const [i, { prompt, drawn }] of asked.entries()) {
    const ids = tokenizer.encodeIds(prompt);
    const options = { ids: [ids], maxNewTokens: 4 + (i % 7), ...(drawn ? { doSample: true, seed: i, topK: 0 } : {}) };
    const { sequences } = await model.generate(options);
    const text = tokenizer.decode(sequences[0]!.slice(ids.length), { skipSpecialTokens: true });
    expect(answers[i], `request ${i}`).toBe(text);
  }
}, 120_000);

test("a queue that is full says when to come again", async () => {
  await using small = await serveModels({ models: [`tiny=${source}`], limits: { rows: 2, waiting: 5 } });
  const url = `${small.url}/v1/completions`;
  const many = await post(url, { ...long, n: 6, temperature: 1 });
  expect(many.status).toBe(429);
  expect(Number(many.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await answerOf(many)).error).toMatchObject({ type: "rate_limit_error", code: "queue_full" });
  const responses = await Promise.all(Array.from({ length: 20 }, () => post(url, long)));
  const statuses = responses.map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set([200, 429]));
  await Promise.all(responses.map((response) => response.arrayBuffer()));
  expect((await post(url, { ...long, max_tokens: 2 })).status).toBe(200);
});

test("a model that nobody asks is unloaded, and loaded again", async () => {
  await using brief = await serveModels({ models: [`tiny=${source}`, `other=${source}`], limits: { idleTime: 200 } });
  const ask = (model: string): Promise<Response> =>
    post(`${brief.url}/v1/completions`, { model, prompt: "Aspirin", max_tokens: 2, temperature: 0 });
  const first = await answerOf(await ask("tiny"));
  await until(async () => (await brief.metric("galen_models_loaded")) === 0, "the model to be unloaded");
  expect(await answerOf(await ask("tiny"))).toMatchObject({ choices: first.choices });
  expect(await brief.metric('galen_model_loads_total{model="tiny"}')).toBe(2);
  expect(await brief.metric('galen_model_loads_total{model="other"}')).toBe(0);
});

describe("the end", () => {
  test("what runs may end, nothing new is begun", async () => {
    const ending = await serveModels({ models: [`tiny=${source}`] });
    const running = await post(`${ending.url}/v1/completions`, { ...long, stream: true });
    const stopped = ending.stop();
    const text = await running.text();
    expect(text).toContain("data: [DONE]");
    expect(text).toContain('"finish_reason":"length"');
    await stopped;
    await expect(fetch(`${ending.url}/health`)).rejects.toThrow();
    expect(ending.faults).toEqual([]);
  });

  test("what does not end in time is ended", async () => {
    const ending = await serveModels({ models: [`tiny=${source}`], limits: { stopTime: 50, rows: 1 } });
    const asked = post(`${ending.url}/v1/completions`, { ...long, n: 1, prompt: Array(64).fill("Aspirin inhibits") });
    await until(async () => (await ending.metric(rows)) > 0, "a row");
    await ending.stop();
    const response = await asked.catch(() => undefined);
    if (response !== undefined) expect(response.status).toBe(503);
    expect(ending.faults).toEqual([]);
  });

  test("galen serve ends in order when it is told to", async () => {
    const bin = fileURLToPath(new URL("../bin/galen.js", import.meta.url));
    const child = spawn(process.execPath, [bin, "serve", "--port", "0", "--model", `tiny=${source}`, "--json"], {
      env: { ...process.env, GALEN_SOURCE: "1", GALEN_TOKEN: "long-enough-token" },
    });
    let out = "";
    let errors = "";
    child.stdout.on("data", (part: Buffer) => (out += String(part)));
    child.stderr.on("data", (part: Buffer) => (errors += String(part)));
    const ended = new Promise<number | null>((resolve) => child.on("exit", resolve));
    await until(async () => out.includes("\n"), `the address (${errors})`, 60);
    const { url } = JSON.parse(out) as { url: string };
    const headers = { authorization: "Bearer long-enough-token" };
    const running = await post(`${url}/v1/completions`, { ...long, stream: true }, headers);
    child.kill("SIGTERM");
    expect(await running.text()).toContain("[DONE]");
    expect(await ended, errors).toBe(0);
  }, 90_000);
});

test.each([
  [["--host", "0.0.0.0"], /host 0\.0\.0\.0: expected a token/],
  [["--token", "short"], /token: expected 8 characters/],
  [["--model", "nowhere/at/all"], /nowhere/],
])("galen serve refuses %j", async (args, message) => {
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0);
  expect(await main(["serve", "--port", "0", ...args])).toBeGreaterThan(0);
  spy.mockReturnValue(true);
  expect(written.join("")).toMatch(message);
});

test("a model is called by its folder, its hub's name or what it is given", () => {
  expect(namedSource("./runs/nano")).toEqual({ name: "nano", source: "./runs/nano" });
  expect(namedSource("runs/nano/model").name).toBe("nano");
  expect(namedSource("chat=runs/nano")).toEqual({ name: "chat", source: "runs/nano" });
  expect(namedSource("NeuML/biomedbert-small-embeddings")).toMatchObject({ name: "NeuML/biomedbert-small-embeddings" });
});

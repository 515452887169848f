/** Routes of literature over HTTP: what they give, and what they refuse of hostile or wrong requests. */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDecisions } from "../src/serve/literature/decisions.ts";
import type { Answer, AnswerEvent } from "../src/answers/types.ts";
import type { ReviewDocument } from "../src/serve/literature/replies.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { hostileId, type PageWorld, pageWorld, writeMined } from "./support/page-world.ts";
import { writeTinyTask } from "./support/tiny-task.ts";
import { trainBy } from "./support/training.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-routes-"));
const decisionsPath = join(folder, "reviews/ddi/decisions.jsonl");
let world: PageWorld;
beforeAll(async () => {
  const tiny = await writeTinyTask(folder);
  const settings = ["tokensPerBatch=600", "accumulate=1", "threads=1", "epochs=1", "dropout=0", "evaluate.examples=0"];
  const { model } = await trainBy(tiny.schema, settings, {
    model: tiny.start,
    data: tiny.data,
    output: join(folder, "tuned"),
  });
  const chat = join(folder, "chat");
  mkdirSync(chat);
  const models = [`tuned=${model}`, `chat=${await makeChatModel(chat, 2048)}`];
  world = await pageWorld(folder, { models });
  writeMined(join(folder, "reviews/ddi"));
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${world.url}${path}`, { headers });
const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${world.url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const complaint = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { message: string } }).error.message;

describe("documents", () => {
  test("an id may hold anything, and is never a path", async () => {
    const found = await get(`/documents/${encodeURIComponent(hostileId)}`);
    expect(await found.json()).toMatchObject({ id: hostileId });
    for (const id of ["nobody", "..%2f..%2fetc%2fpasswd", "%00", "'%20or%201=1"]) {
      const response = await get(`/documents/${id}`);
      expect(response.status).toBe(404);
      expect(await complaint(response)).toMatch(/no such route|expected a document of the index/);
    }
  });

  test("wrong parameters are refused by name", async () => {
    for (const [query, named] of [
      ["mode=magic", "mode"],
      ["limit=0", "limit"],
      ["limit=5000", "limit"],
      ["year_from=soon", "year_from"],
      ["offset=-1", "offset"],
    ] as const) {
      const response = await get(`/search?q=aspirin&${query}`);
      expect(response.status).toBe(400);
      expect(await complaint(response)).toContain(named);
    }
    expect(await complaint(await get("/search?q=(aspirin"))).toMatch(/expected/);
  });

  test("filters are taken one by one and several times", async () => {
    const all = (await (await get("/search?q=heart&facets=1&limit=100")).json()) as { total: number };
    const some = (await (
      await get("/search?q=heart&type=Lecture&type=Retracted+Publication&retracted=&year_from=")
    ).json()) as { total: number; hits: { types: string[] }[] };
    expect(some.total).toBeGreaterThan(0);
    expect(some.total).toBeLessThan(all.total);
    for (const { types } of some.hits)
      expect(types.some((type) => ["Lecture", "Retracted Publication"].includes(type))).toBe(true);
  });
});

describe("questions", () => {
  const question = "Does aspirin increase the risk of bleeding?";

  test("a stream's last event is the answer that is kept, and each citation is in its document", async () => {
    const response = await post("/ask", { question, stream: true });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const events = [...(await response.text()).matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(
      ([, , data]) => JSON.parse(data!) as AnswerEvent,
    );
    expect(events[0]!.type).toBe("nearest");
    const last = events.at(-1)!;
    if (last.type !== "done") throw new Error("the stream has no end");
    const { answer } = last;
    expect(await (await get(response.headers.get("location")!)).json()).toMatchObject({ answer });
    expect(answer.sentences.length).toBeGreaterThan(0);
    for (const { id, start, end, quote } of answer.sentences.flatMap(({ citations }) => citations)) {
      const [document] = await world.index.documents([id]);
      expect(document!.text.slice(start, end)).toBe(quote);
    }
  });

  test("without a stream the answer comes whole", async () => {
    const response = await post("/ask", { question, sentences: 1 });
    const answer = (await response.json()) as Answer;
    expect(answer).toMatchObject({ question, found: true });
    expect(answer.sentences.length).toBeLessThanOrEqual(1);
    expect((await get(response.headers.get("location")!)).status).toBe(200);
  });

  test("a decoder of the server's writes, and what it writes is shown only beside its source", async () => {
    const response = await post("/ask", { question, model: "chat" });
    const answer = (await response.json()) as Answer;
    expect(answer).toMatchObject({ question, kind: "written" });
    const all = [...answer.sentences, ...answer.withheld];
    expect(all.length).toBeGreaterThan(0);
    for (const { id, start, end, quote } of all.flatMap(({ citations }) => citations)) {
      const [document] = await world.index.documents([id]);
      expect(document!.text.slice(start, end)).toBe(quote);
    }
    // A model with too few places for the evidence writes nothing: it is quoted.
    const small = (await (await post("/ask", { question, model: "tuned" })).json()) as Answer;
    expect(small.sentences.length).toBeGreaterThan(0);
    for (const { text, citations } of small.sentences) expect(citations.map(({ quote }) => quote)).toContain(text);
    const unknown = await post("/ask", { question, model: "nobody" });
    expect(unknown.status).toBe(404);
    expect(await complaint(unknown)).toContain("nobody");
  });

  test("what is no question is refused, streamed or not", async () => {
    for (const body of [{}, { question: "" }, { question: "x".repeat(6000) }, { question, filters: { when: 1 } }, "{"])
      expect((await post("/ask", body)).status).toBe(400);
    expect((await post("/ask", { question: "?!", stream: true })).status).toBe(400);
    expect((await get("/answers/..%2f1")).status).toBe(404);
  });
});

describe("reviews", () => {
  const decision = {
    document: "m1",
    original: { head: "Aspirin", relation: "effect", tail: "warfarin" },
    head: { name: "Aspirin", at: null },
    tail: { name: "warfarin", at: null },
    relation: "effect",
    decision: "accept",
  };
  const documentOf = async (id: string): Promise<ReviewDocument> =>
    (await (await get(`/reviews/ddi/documents/${id}`)).json()) as ReviewDocument;

  test("the last word of each person holds, half a line of a killed writer is dropped", async () => {
    await post("/reviews/ddi/decisions", { person: "Ann", decisions: [decision] });
    appendFileSync(decisionsPath, '{"person":"Kil');
    await post("/reviews/ddi/decisions", { person: "Bob", decisions: [decision] });
    expect((await documentOf("m1")).decisions).toMatchObject([
      { conflict: false, by: [{ person: "Ann" }, { person: "Bob" }] },
    ]);
    const other = { ...decision, relation: "mechanism" };
    await post("/reviews/ddi/decisions", { person: "Ann", decisions: [other] });
    expect((await documentOf("m1")).decisions).toMatchObject([
      { conflict: true, by: [{ person: "Bob" }, { person: "Ann", relation: "mechanism" }] },
    ]);
    await post("/reviews/ddi/decisions", { person: "Ann", decisions: [{ ...decision, decision: null }] });
    expect((await documentOf("m1")).decisions).toMatchObject([{ conflict: false, by: [{ person: "Bob" }] }]);
    expect(readFileSync(decisionsPath, "utf8").trim().split("\n")).toHaveLength(4);
  });

  test("fifty people at once, and a second server over the same file, lose nothing", async () => {
    const other = openDecisions(decisionsPath);
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 2 === 0) await other.append(`p${i}`, [{ document: "m3", none: true }]);
        else await post("/reviews/ddi/decisions", { person: `p${i}`, none: { document: "m3", none: true } });
      }),
    );
    expect((await documentOf("m3")).none.map(({ person }) => person).sort()).toEqual(
      Array.from({ length: 50 }, (_, i) => `p${i}`).sort(),
    );
  });

  test("reviewed documents become training data", async () => {
    const second = { head: "Statins", relation: "effect", tail: "aspirin" };
    const rejected = {
      ...decision,
      original: second,
      head: { name: "Statins", at: null },
      tail: { name: "aspirin", at: null },
      decision: "reject",
    };
    await post("/reviews/ddi/decisions", { person: "Bob", decisions: [rejected] });
    const lines = (await (await get("/reviews/ddi/training.jsonl")).text()).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { id: "m1", relations: [{ head: "Aspirin", relation: "effect", tail: "warfarin" }] },
      { id: "m3", relations: [] },
    ]);
  });

  test("names and bodies that do not fit are refused", async () => {
    for (const path of ["/reviews/..%2fddi", "/reviews/nobody", "/reviews/ddi/documents/nobody"])
      expect((await get(path)).status).toBe(404);
    const wrong = [
      {},
      { person: "Ann" },
      { person: " ", decisions: [decision] },
      { person: "Ann", decisions: [{ ...decision, decision: "perhaps" }] },
      { person: "Ann", decisions: [decision, { ...decision, document: "m2" }] },
    ];
    for (const body of wrong) expect((await post("/reviews/ddi/decisions", body)).status).toBe(400);
    const unknown = { person: "Ann", decisions: [{ ...decision, document: "nobody" }] };
    expect((await post("/reviews/ddi/decisions", unknown)).status).toBe(404);
  });
});

describe("extraction", () => {
  test("documents of the index are mined by id, a text by itself", async () => {
    const byId = await post("/extract", { ids: ["900000001"], max_new_tokens: 4 });
    expect(await byId.json()).toMatchObject({ model: "tuned", documents: [{ id: "900000001" }] });
    const byText = await post("/extract", { text: "Aspirin and warfarin.", model: "tuned", max_new_tokens: 4 });
    expect(await byText.json()).toMatchObject({ documents: [{ id: "text" }] });
  });

  test("unknown documents, unknown models and both kinds of input are refused", async () => {
    expect((await post("/extract", { ids: ["nobody"] })).status).toBe(404);
    expect(await complaint(await post("/extract", { text: "a", model: "nobody" }))).toContain("nobody");
    expect((await post("/extract", { text: "a", ids: ["1"] })).status).toBe(400);
    expect((await post("/extract", {})).status).toBe(400);
  });
});

describe("the page's files", () => {
  test("nothing but the table is served, and the policy names the import map", async () => {
    const page = await get("/");
    const policy = page.headers.get("content-security-policy")!;
    expect(policy).toMatch(/script-src 'self' 'sha256-[\w+/=]+';/);
    expect(policy).not.toContain("unsafe");
    const html = await page.text();
    for (const [, path] of html.matchAll(/(?:src|href)="(\/[^"]*)"/g)) expect((await get(path!)).status).toBe(200);
    for (const path of ["/assets/page/../../package.json", "/assets/page/", "/assets/serve/app.ts", "/assets/%2e%2e/x"])
      expect((await get(path)).status).toBe(404);
  });

  test("what has not changed is not sent again", async () => {
    const tag = (await get("/assets/page/style.css")).headers.get("etag")!;
    expect((await get("/assets/page/style.css", { "If-None-Match": tag })).status).toBe(304);
  });
});

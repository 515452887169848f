/** The page in Chromium: every view as a reader uses it, by mouse, by keys alone, on a phone, in the dark. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocuments } from "../src/corpus/index.ts";
import { buildTokenFiles } from "../src/corpus/tokenize.ts";
import { saveTokenizer } from "../src/tokenizers/files.ts";
import { trainBioGptTokenizer } from "../src/tokenizers/index.ts";
import {
  hasBrowser,
  hostileId,
  openBrowser,
  type PageWorld,
  pageWorld,
  retractedTitle,
  script,
  writeMined,
} from "./support/page-world.ts";
import { trainBy } from "./support/training.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-page-"));
let world: PageWorld;
let browser: Browser;

/** The folder of a job of 64 ranks, of which some are slow, one is dead and one failed, with last words that would be markup. */
function writeJob(output: string, time: number): void {
  mkdirSync(join(output, "ranks"), { recursive: true });
  const write = (name: string, value: object): void => writeFileSync(join(output, name), JSON.stringify(value));
  write("job.json", { version: 1, recipe: "biollm-nano", steps: 1000 });
  for (let rank = 0; rank < 64; rank++) {
    const host = rank === 9 ? script : `node${rank >> 3}`;
    const beat = { rank, host, pid: 1, step: 120, time: rank === 60 ? time - 300 : time, device: "an accelerator" };
    write(`ranks/${String(rank).padStart(5, "0")}.json`, {
      ...beat,
      probe: rank === 9 ? 25 : 10,
      waiting: 0.02,
      memory: 6e10,
    });
  }
  const traceback = `Traceback (most recent call last):\n  File "worker.py", line 1\n${script}`;
  write("ranks/00017.error.json", { rank: 17, time, step: 121, message: `out of memory ${script}`, traceback });
}

/** Trains a model of a few thousand weights for twelve updates, with samples on the way. */
async function trainTiny(output: string): Promise<void> {
  const texts = Array.from({ length: 200 }, (_, i) => `aspirin ${i % 7} lowers fever ${i % 5} in man ${i % 3}`);
  const path = join(folder, "texts.jsonl");
  writeFileSync(path, texts.map((text, i) => `${JSON.stringify({ id: `${i}`, text })}\n`).join(""));
  const tokenizer = await trainBioGptTokenizer(texts, { vocabSize: 100 });
  await saveTokenizer(tokenizer, join(folder, "bpe"));
  const tokens = { output: join(folder, "tokens"), heldOut: 0.1, seed: 1 };
  await buildTokenFiles(readDocuments([path]), tokenizer, tokens);
  const settings = ["threads=1", "steps=12", "sample.every=6", `sample.prompts=["aspirin"]`, "evaluate.every=6"];
  await trainBy("biogpt-nano", settings, {
    scale: "debug",
    data: tokens.output,
    tokenizer: join(folder, "bpe"),
    output,
  });
}

beforeAll(async () => {
  if (!hasBrowser) return console.warn("no Chromium here: the page's tests skip");
  world = await pageWorld(folder);
  writeMined(join(folder, "reviews/ddi"));
  await trainTiny(join(folder, "runs/tiny"));
  writeJob(join(folder, "runs/job"), Date.now() / 1000);
  browser = await openBrowser();
  return undefined;
});
afterAll(async () => {
  await browser?.close();
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens an address, does something there, and looks that nothing went wrong on the way. */
async function visit(
  address: string,
  act: (page: Page) => Promise<void>,
  { expected, ...options }: BrowserContextOptions & { readonly expected?: RegExp } = {},
): Promise<void> {
  const context = await browser.newContext(options);
  const wrong: string[] = [];
  try {
    const page = await context.newPage();
    // A busy machine is slow, not wrong.
    page.setDefaultTimeout(30_000);
    page.on("request", (request) => {
      if (!request.url().startsWith(world.url)) wrong.push(`request: ${request.url()}`);
    });
    page.on("console", (message) => {
      if (message.type() === "error" && expected?.test(message.text()) !== true) wrong.push(message.text());
    });
    page.on("pageerror", (error) => wrong.push(String(error)));
    await page.goto(`${world.url}/${address}`);
    await act(page);
    expect(await page.title()).not.toBe("broken");
  } finally {
    await context.close();
  }
  expect(wrong).toEqual([]);
}

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 } };
const views = [
  "#/search?q=heart+failure",
  `#/document/${encodeURIComponent(hostileId)}`,
  "#/similar/900000001",
  "#/ask",
  "#/review",
  "#/review/ddi",
  "#/runs",
  "#/runs?run=job&run=tiny",
  "#/corpus",
  "#/nothing",
];
const focused = (page: Page): Promise<string> => page.evaluate<string>("document.activeElement?.textContent ?? ''");
const ask = async (page: Page, question: string): Promise<void> => {
  await page.fill("#question", question);
  await page.press("#question", "Enter");
  await page.waitForSelector('.answer[aria-busy="false"]');
};

describe.skipIf(!hasBrowser)("search", () => {
  test("finds, marks words, and says what is retracted", async () => {
    await visit(
      "",
      async (page) => {
        await page.fill("#query", "heart failure");
        await page.press("#query", "Enter");
        await page.waitForSelector(".hit");
        expect(page.url()).toContain("#/search?q=heart+failure");
        expect(await page.textContent(".hit mark.found")).toMatch(/heart/i);
        expect(await page.textContent(".understood")).toContain("heart");
        const retracted = page.locator(".hit", { hasText: retractedTitle });
        expect(await retracted.locator(".retracted").textContent()).toBe("Retracted");
        await page.fill("#query", "(heart");
        await page.press("#query", "Enter");
        expect(await page.textContent(".notice.failure")).toMatch(/expected/);
      },
      { expected: /status of 400/ },
    );
  });

  test("filters narrow what is found, stand in the address, and are cleared", async () => {
    await visit("#/search?q=heart+failure", async (page) => {
      await page.waitForSelector(".hit");
      const all = await page.textContent(".summary strong");
      await page.getByLabel("from", { exact: true }).fill("2018");
      await page.getByLabel("to", { exact: true }).fill("2018");
      await page.getByRole("button", { name: "Set" }).click();
      await page.waitForURL(/year_from=2018&year_to=2018/);
      await page.locator(".summary strong", { hasText: all! }).waitFor({ state: "detached" });
      expect(await page.locator(".from").allTextContents()).toSatisfy((lines: string[]) =>
        lines.every((line) => line.includes("2018")),
      );
      await page.getByLabel("Retracted Publication").check();
      await page.locator(".summary strong", { hasText: "1–1 of 1 document" }).waitFor();
      await page.getByLabel("Left out").check();
      await page.getByText("Nothing found").first().waitFor();
      await page.getByRole("link", { name: "Clear all filters" }).click();
      await page.locator(".summary strong", { hasText: all! }).waitFor();
    });
  });

  test.each([
    ["RIS", "TY  - JOUR"],
    ["BibTeX", "@article"],
    ["CSV", "id,"],
  ])("saves what is found as %s", async (name, begins) => {
    await visit("#/search?q=warfarin", async (page) => {
      const [saved] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name, exact: true }).click(),
      ]);
      expect(readFileSync((await saved.path())!, "utf8").toLowerCase()).toContain(begins.toLowerCase());
    });
  });

  test("a document opens at its place, with what is like it", async () => {
    const [document] = await world.index.documents(["900000001"]);
    const start = document!.text.indexOf("Low-dose aspirin");
    await visit(`#/document/900000001?at=${start}-${start + 16}`, async (page) => {
      expect(await page.textContent("mark.cited")).toBe("Low-dose aspirin");
      expect((await page.locator("mark.cited").boundingBox())!.y).toBeLessThan(700);
      await page.waitForSelector(".similar .hit");
      await page.getByRole("link", { name: "More like this" }).click();
      await page.waitForURL(/#\/similar\/900000001/);
    });
  });
});

describe.skipIf(!hasBrowser)("ask", () => {
  test("sentences have sources, which open at their place; a reload changes nothing", async () => {
    await visit("#/ask", async (page) => {
      await ask(page, "Does aspirin increase the risk of bleeding?");
      expect(await page.textContent(".judgement")).toMatch(/evidence (says (yes|no|maybe)|is unclear)/);
      const source = page.locator(".answer .sources a").first();
      const said = await page.locator(".answer .said").first().textContent();
      await source.click();
      expect(await page.textContent(".source mark.cited")).toBe(said);
      const before = await page.locator(".answer").innerText();
      await page.reload();
      expect(await page.textContent(".source mark.cited")).toBe(said);
      await page.waitForSelector(".answer .said");
      expect(await page.locator(".answer").innerText()).toBe(before);
      await page.keyboard.press("Escape");
      await page.waitForSelector(".source", { state: "detached" });
    });
  });

  test("what the index does not say is said to be not found, with the nearest", async () => {
    await visit("#/ask", async (page) => {
      await ask(page, "How many moons has Jupiter?");
      expect(await page.textContent(".not-found")).toMatch(/^Not found in these 20\d documents\./);
      expect(await page.locator(".nearest .hit").count()).toBeGreaterThan(0);
      expect(await page.locator(".answer .said").count()).toBe(0);
    });
  });

  test("an answer that is not kept can be asked for again", async () => {
    await visit(
      "#/ask/0123?q=Does+aspirin+increase+the+risk+of+bleeding",
      async (page) => {
        await page.getByRole("button", { name: "Ask again" }).click();
        await page.waitForSelector('.answer[aria-busy="false"] .said');
        expect(page.url()).not.toContain("/0123?");
      },
      { expected: /status of 404/ },
    );
  });
});

describe.skipIf(!hasBrowser)("review", () => {
  const begin = async (page: Page, name: string): Promise<void> => {
    await page.fill("#person", name);
    await page.press("#person", "Enter");
    await page.waitForSelector(".triple.current");
  };

  test("two people decide, disagree, and see it; decisions lie in one file", async () => {
    await visit("#/review/ddi", async (page) => {
      await begin(page, "Ann");
      await page.keyboard.press("a");
      await page.locator(".triple.accept").waitFor();
      expect(await page.locator(".triple.accept").textContent()).toContain("Ann accepted");
      // The name is not asked for again.
      await page.reload();
      await page.waitForSelector(".triple.accept");
    });
    await visit("#/review/ddi", async (page) => {
      await begin(page, "Bob");
      expect(await page.locator(".triple").first().textContent()).toContain("Ann accepted");
      await page.keyboard.press("r");
      await page.locator(".triple .conflict", { hasText: "People disagree" }).waitFor();
      await page.getByText("1 disagreement").waitFor();
      // On to the second triple, then past the last one to the next document.
      await page.keyboard.press("a");
      await page.waitForURL(/document=m2/);
      await page.waitForSelector("[data-field=text]");
      expect(await page.textContent("[data-field=text]")).toContain(script);
      await page.goto(`${world.url}/#/review/ddi?show=conflicts`);
      await page.getByText("1 of 1").waitFor();
    });
    const lines = readFileSync(join(folder, "reviews/ddi/decisions.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line)).map(({ person, decision }) => [person, decision])).toEqual([
      ["Ann", "accept"],
      ["Bob", "reject"],
      ["Bob", "accept"],
    ]);
  });

  test("a missed relation is added from the selection, changed, and taken away by keys", async () => {
    await visit("#/review/ddi?document=m3", async (page) => {
      await page.fill("#person", "Cleo");
      await page.press("#person", "Enter");
      await page.waitForSelector("[data-field=text]");
      await page.keyboard.press("m");
      await page.fill("#form-head", "Patients");
      await page.fill("#form-tail", "hour");
      await page.fill("#form-relation", "effect");
      await page.press("#form-relation", "Enter");
      await page.locator(".triple", { hasText: "added" }).waitFor();
      expect(await page.locator("[data-field=text] mark.head").textContent()).toBe("Patients");
      await page.keyboard.press("e");
      await page.fill("#form-tail", "day");
      await page.press("#form-tail", "Enter");
      await page.locator(".triple mark.tail", { hasText: "day" }).waitFor();
      expect(await page.locator(".triple").count()).toBe(1);
      await page.keyboard.press("u");
      await page.getByText("The run found no relation here").waitFor();
      await page.keyboard.press("a");
      await page.getByText("Cleo says that it states none").waitFor();
    });
  });
});

describe.skipIf(!hasBrowser)("runs and corpus", () => {
  test("a training's curves and samples are shown, and grow", async () => {
    await visit("#/runs?run=tiny", async (page) => {
      await page.waitForSelector(".chart canvas");
      expect(await page.locator(".chart figcaption").allTextContents()).toEqual([
        "Loss",
        "Held-out loss",
        "Learning rate",
        "Speed, a second",
      ]);
      expect(await page.locator(".runs tbody tr", { hasText: "tiny" }).textContent()).toContain("12 of 12");
      expect(await page.locator(".samples h3").first().textContent()).toBe("update 6");
      const path = join(folder, "runs/tiny/metrics.jsonl");
      const before = readFileSync(path, "utf8");
      const step = before.split("\n").findLast((line) => line.includes('"step","step":12'))!;
      writeFileSync(path, step.replace('"step":12', '"step":13').replace(/"loss":[^,]*/, '"loss":1.25') + "\n", {
        flag: "a",
      });
      await page.waitForSelector('.plot[aria-label*="1.250 at 13"]');
      writeFileSync(path, before);
      await page.waitForSelector('.plot[aria-label*="1.250 at 13"]', { state: "detached" });
    });
  });

  test("a job's state, slow and dead ranks and the first failure stand beside its curves, as text", async () => {
    await visit("#/runs?run=job&run=tiny", async (page) => {
      await page.waitForSelector(".job h2");
      expect(await page.locator(".runs tbody tr", { hasText: "biollm-nano" }).textContent()).toMatch(
        /120 of 1,000.*failed, 1 dead rank/s,
      );
      expect(await page.textContent(".job h2")).toContain("job: failed");
      expect(await page.textContent(".job .failure")).toContain(
        "Rank 17 failed first, in update 121: out of memory <script>",
      );
      await page.getByText("Its last words").click();
      expect(await page.textContent(".job pre")).toContain("<img src=x");
      const tables = await page.locator(".ranks").allTextContents();
      expect(tables[0]).toMatch(/Dead ranks.*60node7120300 s/s);
      expect(tables[1]).toMatch(/Slow ranks.*9<script>.*2\.50 ×/s);
      expect(await page.locator(".job").count()).toBe(1);
      await page.waitForSelector(".chart canvas");
      writeJob(join(folder, "runs/job"), Date.now() / 1000);
      rmSync(join(folder, "runs/job/ranks/00017.error.json"));
      await page.locator(".job h2", { hasText: "training" }).waitFor();
      expect(await page.locator(".job .failure").count()).toBe(0);
      writeJob(join(folder, "runs/job"), Date.now() / 1000);
    });
  });

  test("a dataset's report says what is in it and what failed", async () => {
    await visit("#/corpus", async (page) => {
      await page.waitForSelector(".corpus");
      expect(await page.textContent(".corpus")).toMatch(/202 records/);
      expect(await page.textContent(".failures")).toContain("broken.xml");
    });
  });
});

describe.skipIf(!hasBrowser)("for everyone", () => {
  test("keys alone: skip link, search, next hit, open, help", async () => {
    await visit("#/corpus", async (page) => {
      await page.waitForSelector(".corpus");
      // The view has taken the focus: back to where a reader begins.
      await page.evaluate("document.activeElement.blur()");
      await page.evaluate("document.querySelector('.skip').focus()");
      expect((await page.locator(".skip").boundingBox())!.y).toBeGreaterThanOrEqual(0);
      await page.keyboard.press("Enter");
      expect(await page.evaluate("document.activeElement?.id")).toBe("main");
      await page.keyboard.press("/");
      await page.waitForSelector("#query:focus");
      await page.keyboard.type("warfarin");
      await page.keyboard.press("Enter");
      await page.waitForSelector(".hit");
      await page.evaluate("document.activeElement.blur()");
      await page.keyboard.press("j");
      const first = await focused(page);
      await page.keyboard.press("ArrowDown");
      expect(await focused(page)).not.toBe(first);
      await page.keyboard.press("k");
      expect(await focused(page)).toBe(first);
      await page.keyboard.press("Enter");
      await page.waitForURL(/#\/document\//);
      await page.keyboard.press("?");
      expect(await page.locator("dialog").isVisible()).toBe(true);
      await page.keyboard.press("Escape");
      expect(await page.locator("dialog").isVisible()).toBe(false);
    });
  });

  test.each(views)("%s fits a phone, light and dark", async (view) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await visit(
        view,
        async (page) => {
          await page.waitForSelector("main h1, main h2, .record");
          await page.waitForTimeout(300);
          const over = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth",
          );
          expect(over).toBe(0);
          const paper = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
          const [red] = paper.match(/\d+/g)!.map(Number);
          if (colorScheme === "dark") expect(red).toBeLessThan(60);
          else expect(red).toBeGreaterThan(200);
        },
        { ...phone, colorScheme },
      );
    }
  });

  test("a script in titles, names, ids and passages is text", async () => {
    await visit(`#/document/${encodeURIComponent(hostileId)}`, async (page) => {
      await page.waitForSelector(".record");
      expect(await page.textContent(".record .title")).toBe(`Scripts in titles ${script}`);
      expect(await page.textContent(".facts")).toContain(hostileId);
      expect(await page.locator("main script, main img, main b").count()).toBe(0);
      await page.goto(`${world.url}/#/search?q=zanubrutinib`);
      await page.waitForSelector(".hit");
      expect(await page.textContent(".hit")).toContain(script);
      expect(await page.locator("main script, main img, main b").count()).toBe(0);
    });
  });

  test("the policy allows nothing inline and nothing of elsewhere", async () => {
    await visit(
      "",
      async (page) => {
        const blocked = await page.evaluate(`new Promise((resolve) => {
        addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective), { once: true });
        const element = document.createElement("script");
        element.textContent = "document.title = 'broken'";
        document.body.append(element);
      })`);
        expect(blocked).toBe("script-src-elem");
      },
      { expected: /Content Security Policy/ },
    );
  });
});

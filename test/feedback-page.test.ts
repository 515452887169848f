/** The page of `galen feedback` in Chromium: judged by keys alone, by several people, on a phone, in the dark. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serveFeedback, type ServingFeedback } from "../src/serve/index.ts";
import { hasBrowser, openBrowser, script } from "./support/page-world.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-feedback-page-"));
const prompts = join(folder, "prompts.jsonl");
const rows = [
  { prompt: "Does aspirin thin the blood?", chosen: "It keeps platelets apart.", rejected: "No." },
  { prompt: `Hostile ${script}`, answers: [`One ${script}`, "<b>Two</b>"] },
  {
    prompt: [
      { role: "system", content: "Be short." },
      { role: "user", content: "Which?" },
    ],
    answers: ["a", "b", "c"],
  },
  { prompt: "Long", answers: [`${"wordwithoutspaces".repeat(40)}`, `${"Many words stand here. ".repeat(200)}`] },
];
let browser: Browser;
let number = 0;

beforeAll(async () => {
  writeFileSync(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  if (hasBrowser) browser = await openBrowser();
  else console.warn("no Chromium here: the page's tests skip");
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const outputOf = (name: string): string => join(folder, `${name}.jsonl`);
const serving = (output: string, token?: string): Promise<ServingFeedback> =>
  serveFeedback({ prompts, output, port: 0, token });
const linesOf = (output: string): Record<string, unknown>[] =>
  readFileSync(output, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Opens the page as somebody, does something there, and looks that nothing went wrong on the way. */
async function visit(
  server: ServingFeedback,
  name: string,
  act: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext(options);
  const wrong: string[] = [];
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) wrong.push(`request: ${request.url()}`);
    });
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("pageerror", (error) => wrong.push(String(error)));
    await page.goto(server.url);
    await page.fill("#person", name);
    await page.press("#person", "Enter");
    await page.waitForSelector(".judged, .start h1:has-text('judged')");
    await act(page);
    expect(await page.title()).not.toBe("broken");
  } finally {
    await context.close();
  }
  expect(wrong).toEqual([]);
}

const at = (page: Page, item: number): Promise<unknown> => page.waitForSelector(`.where:has-text("Item ${item} of 4")`);
const keys = async (page: Page, ...all: readonly string[]): Promise<void> => {
  for (const key of all) await page.keyboard.press(key);
};
const words = (page: Page): Promise<string[]> => page.locator(".pick span").allTextContents();

describe.skipIf(!hasBrowser)("judging", () => {
  test("by keys alone, from the first to the last: picks, ties, marks, a reason", async () => {
    const output = outputOf("keys");
    await using server = await serving(output);
    await visit(server, "Ann", async (page) => {
      await at(page, 1);
      await keys(page, "Enter");
      await page.getByText("Say first which is best: 1, 2, or t").waitFor();
      await keys(page, "2");
      expect(await words(page)).toEqual(["worse", "better"]);
      await keys(page, "1");
      expect(await words(page)).toEqual(["better", "worse"]);
      await keys(page, "w", "2", "r");
      await page.keyboard.type("says 1 thing, and why");
      await keys(page, "Enter");
      await at(page, 2);
      await keys(page, "t", "Enter");
      await at(page, 3);
      // The third is left, and so the last; a tie takes the last two.
      await keys(page, "3", "1");
      expect(await words(page)).toEqual(["2nd", "3rd", "1st"]);
      await keys(page, "t");
      expect(await words(page)).toEqual(["2nd, equal", "2nd, equal", "1st"]);
      await keys(page, "u", "u", "t", "2");
      expect(await words(page)).toEqual(["2nd", "1st, equal", "1st, equal"]);
      await keys(page, "Enter");
      await at(page, 4);
      await keys(page, "w", "1", "w", "2", "Enter");
      await page.waitForSelector("text=All 4 judged");
    });
    const lines = linesOf(output);
    expect(lines.map(({ rater, act }) => `${String(rater)} ${String(act)}`)).toEqual(Array(4).fill("Ann judge"));
    const shown = lines.map(({ ranks, wrong, order }) => {
      const inPlaces = <T>(all: unknown): T[] => (order as number[]).map((i) => (all as T[])[i]!);
      return [inPlaces(ranks), inPlaces(wrong)];
    });
    expect(shown).toEqual([
      [
        [1, 2],
        [false, true],
      ],
      [
        [1, 1],
        [false, false],
      ],
      [
        [2, 1, 1],
        [false, false, false],
      ],
      [
        [null, null],
        [true, true],
      ],
    ]);
    expect(lines[0]).toMatchObject({ reason: "says 1 thing, and why" });
    for (const { seconds } of lines) expect(seconds).toBeGreaterThan(0);
  });

  test("a reload and a restart go on where one stopped; what is saved is changed and taken back", async () => {
    const output = outputOf("resumed");
    let first = "";
    {
      await using server = await serving(output);
      await visit(server, "Ann", async (page) => {
        await at(page, 1);
        first = (await page.locator(".answer-card").allTextContents()).join();
        await keys(page, "1", "Enter");
        await at(page, 2);
        await page.reload();
        await at(page, 2);
        expect(await page.textContent(".far")).toContain("1 of 4");
        // Nothing is drafted: back to what was saved, which can be taken back.
        await keys(page, "p");
        await at(page, 1);
        expect(await words(page)).toEqual(["better", "worse"]);
        await keys(page, "2", "n");
        await page.getByText("Not saved yet").waitFor();
        await keys(page, "Enter");
        await at(page, 2);
        await keys(page, "u");
        await at(page, 1);
        expect(await words(page)).toEqual(["worse", "better"]);
        await keys(page, "u");
        await page.getByText("Taken back").waitFor();
        await page.waitForSelector('.far:has-text("0 of 4")');
        await keys(page, "1", "Enter");
        await at(page, 2);
        await keys(page, "n");
        await at(page, 3);
      });
    }
    expect(linesOf(output).map(({ act }) => act)).toEqual(["judge", "judge", "take back", "judge"]);
    await using server = await serving(output);
    await visit(server, "Ann", async (page) => {
      await at(page, 2);
      await keys(page, "p");
      await at(page, 1);
      expect((await page.locator(".answer-card .whole").allTextContents()).join()).not.toBe("");
      expect(await words(page)).toEqual(["better", "worse"]);
      const texts = await page.locator(".answer-card .whole").allTextContents();
      for (const text of texts) expect(first).toContain(text);
    });
  });

  test("two people see an order of their own, and each other's judgement after their own, when they ask", async () => {
    const output = outputOf("two");
    await using server = await serving(output);
    await visit(server, "Ann", async (page) => {
      await keys(page, "1", "r");
      await page.keyboard.type("Ann's reason");
      await keys(page, "Enter");
      await at(page, 2);
    });
    await visit(server, "Bob", async (page) => {
      await at(page, 1);
      expect(await page.textContent("main")).not.toContain("Ann");
      expect(await page.textContent("main")).not.toMatch(/chosen|rejected/);
      await keys(page, "o");
      await page.getByText("shown when you have judged").waitFor();
      await keys(page, "2", "Enter");
      await at(page, 2);
      await keys(page, "p");
      await at(page, 1);
      expect(await page.textContent("main")).not.toContain("Ann's reason");
      await keys(page, "o");
      await page.getByText("Ann's reason").waitFor();
      expect((await page.locator(".card-head .quiet").allTextContents()).toSorted()).toEqual([
        "by chosen",
        "by rejected",
      ]);
    });
    expect(linesOf(output).map(({ rater, act }) => [rater, act])).toEqual([
      ["Ann", "judge"],
      ["Bob", "judge"],
      ["Bob", "reveal"],
    ]);
  });

  test("by hand: buttons do what keys do, and Enter then saves", async () => {
    await using server = await serving(outputOf("hand"));
    await visit(server, "Ann", async (page) => {
      await at(page, 1);
      await page.getByRole("button", { name: "2 Better" }).click();
      expect(await words(page)).toEqual(["worse", "better"]);
      await page.getByRole("button", { name: "Wrong" }).first().click();
      await keys(page, "Enter");
      await at(page, 2);
      await page.getByRole("button", { name: "Equal" }).click();
      await page.getByRole("button", { name: "Save" }).click();
      await at(page, 3);
      await page.getByRole("button", { name: "Ann" }).click();
      await page.fill("#person", "Bob");
      await page.press("#person", "Enter");
      await at(page, 1);
    });
  });
});

describe.skipIf(!hasBrowser)("for everyone", () => {
  test("hostile texts are text, of prompts and of answers", async () => {
    await using server = await serving(outputOf("hostile"));
    await visit(server, script.slice(0, 80), async (page) => {
      await keys(page, "n");
      await at(page, 2);
      expect(await page.textContent(".turns")).toContain(script);
      expect((await page.locator(".answer-card .whole").allTextContents()).toSorted()).toEqual([
        "<b>Two</b>",
        `One ${script}`,
      ]);
      expect(await page.locator("main script, main img, main b").count()).toBe(0);
    });
  });

  test.each(["light", "dark"] as const)("every item fits a phone, %s", async (colorScheme) => {
    await using server = await serving(outputOf(`phone-${number++}`));
    const options = { viewport: { width: 360, height: 740 }, colorScheme };
    await visit(
      server,
      "A person with a rather long name, as names go",
      async (page) => {
        for (let item = 1; item <= 4; item++) {
          await at(page, item);
          const over = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
          expect(await page.evaluate(over)).toBe(0);
          const bar = (await page.locator(".saying").boundingBox())!;
          expect(bar.y + bar.height).toBeLessThanOrEqual(741);
          await keys(page, "ArrowRight");
        }
        const paper = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
        const [red] = paper.match(/\d+/g)!.map(Number);
        if (colorScheme === "dark") expect(red).toBeLessThan(60);
        else expect(red).toBeGreaterThan(200);
      },
      options,
    );
  });

  test("a token is asked for, and lets in", async () => {
    await using server = await serving(outputOf("token"), "a-token-of-mine");
    const context = await browser.newContext();
    const page = await context.newPage();
    const loaded: string[] = [];
    page.on("request", (request) => loaded.push(new URL(request.url()).pathname));
    expect((await page.goto(server.url))!.status()).toBe(401);
    // The form is all that comes: nothing of the page is seen, or asked for, before it.
    expect(await page.textContent("main")).toMatch(/wants a token/);
    expect(await page.evaluate("document.activeElement.id")).toBe("token");
    await page.fill("#token", "not-the-token");
    await page.press("#token", "Enter");
    await page.waitForSelector("[role=alert]");
    expect(loaded.filter((path) => path !== "/" && path !== "/favicon.ico")).toEqual([]);
    await page.fill("#token", "a-token-of-mine");
    await page.press("#token", "Enter");
    await page.waitForSelector("#person");
    expect(page.url()).not.toContain("token");
    await context.close();
  });

  test("a page that is open when the token changes asks for the new one", async () => {
    await using first = await serving(outputOf("changed"), "a-token-of-mine");
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${first.url}/?token=a-token-of-mine`);
    await page.waitForSelector("#person");
    await context.clearCookies();
    await page.fill("#person", "Ann");
    await page.press("#person", "Enter");
    await page.waitForSelector("#token");
    await context.close();
  });
});

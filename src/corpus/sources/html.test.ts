import { describe, expect, test } from "vitest";
import { outline, readAs } from "../../../test/support/sources.ts";

const sentence = "This sentence is of the page's main text, which is long enough for a reader to be meant by it. ";
const page = `<!DOCTYPE html><html lang="de-CH"><head><title>Heart failure | Site</title><meta charset="utf-8">
<meta property="article:published_time" content="2020-05-04T10:00:00Z"><style>p { color: red }</style><script>var x = "<p>no</p>";</script></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/x">Topics</a></li></ul></nav>
<main><article><h1>Heart failure</h1><p>${sentence.repeat(4)}</p><h2>Causes</h2><p>There are <b>many</b>.<br>${sentence.repeat(4)}</p>
<ul><li>High blood pressure of many years, which is common.</li><li>Valves that do not close, which is rare.</li></ul>
<h3>Rare ones</h3><p>${sentence.repeat(3)}</p><table><caption>Doses</caption><tr><th>Drug</th><th>mg</th></tr><tr><td>X</td><td>5</td></tr></table>
<p hidden>Hidden.</p></article></main><footer><p>All rights reserved.</p></footer></body></html>`;

describe("HTML", () => {
  test("the main content is taken, under its headings", async () => {
    const { documents, failures } = await readAs("page.html", page);
    expect(failures).toEqual([]);
    const [document] = documents;
    expect(document).toMatchObject({ id: "page.html", kind: "html", language: "de", date: "2020-05-04" });
    expect(document!.title).toContain("Heart failure");
    const lines = outline(document!);
    expect(lines.find((line) => line.includes("There are many."))).toContain("Causes: There are many.");
    expect(lines.find((line) => line.includes("High blood pressure"))).toContain("\n\nValves that do not close");
    expect(lines).toContainEqual(expect.stringMatching(/^\[table\] .*Causes > Rare ones: Drug\tmg\nX\t5$/));
    expect(lines).toContainEqual(expect.stringMatching(/^\[caption\] .*: Doses$/));
    expect(lines.join("\n")).not.toMatch(/Home|Topics|rights reserved|var x|color|Hidden/);
  });

  test("a page of little text is read all the same, without what stands around it", async () => {
    const { documents } = await readAs(
      "a.htm",
      "<html><body><header>Site</header><p>One&nbsp;two &lt;3.</p><footer>End</footer></body></html>",
    );
    expect(outline(documents[0]!)).toEqual(["[text] : One two <3."]);
  });

  test("a page in the encoding that it declares is read, one in none is a failure", async () => {
    const latin = Buffer.from(
      '<html><head><meta charset="iso-8859-1"></head><body><p>caf\xe9</p></body></html>',
      "latin1",
    );
    expect(outline((await readAs("a.html", latin)).documents[0]!)).toEqual(["[text] : café"]);
    const none = Buffer.from("<html><body><p>caf\xe9</p></body></html>", "latin1");
    expect((await readAs("a.html", none)).failures).toEqual([
      "a.html: cannot be read on: expected UTF-8, got other bytes",
    ]);
  });

  test("elements nested without end are a failure, in bounded time", async () => {
    const { failures } = await readAs("deep.html", `<html><body>${"<div>".repeat(100_000)}text</body></html>`);
    expect(failures).toEqual(["deep.html: cannot be read on: elements nested more than 256 deep"]);
  });
});

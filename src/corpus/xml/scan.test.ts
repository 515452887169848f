import { readdirSync, readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { damaged, fuzzRuns } from "../../../test/support/fuzz.ts";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { DataError } from "../../errors.ts";
import { hasAllowedCharacters, readBySaxes, readXml, type XmlHandler } from "./scan.ts";

type Event = readonly [kind: string, ...rest: unknown[]];

/** Events with neighbouring texts as one, since they may come in any number of pieces. */
function createRecorder(): XmlHandler & { readonly events: Event[] } {
  const events: Event[] = [];
  return {
    events,
    takesText: true,
    open: (name, attributes) => void events.push(["open", name, { ...attributes }]),
    close: () => void events.push(["close"]),
    text(text) {
      const last = events.at(-1);
      if (text === "") return;
      if (last?.[0] === "text") events[events.length - 1] = ["text", `${last[1] as string}${text}`];
      else events.push(["text", text]);
    },
  };
}

/** What a reader makes of a text: its events, or that it refuses it, and how. */
function outcome(read: () => readonly Event[]): readonly Event[] | string {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
}

/** Outside of the root there is only white space, which nobody reads. */
const inRoot = (events: readonly Event[]): readonly Event[] =>
  events.filter(([kind], i) => kind !== "text" || (i > 0 && i < events.length - 1));

/** The same, of elements that hold nothing but text in one call. */
function createLeafRecorder(): ReturnType<typeof createRecorder> {
  const recorder = createRecorder();
  return {
    ...recorder,
    leaf(name, attributes, text) {
      recorder.open(name, attributes);
      recorder.text(text);
      recorder.close();
    },
  };
}

function expectSame(xml: string, characters: Readonly<Record<string, string>> = {}): void {
  const ours = outcome(() => inRoot(readXml(xml, createRecorder, characters).events));
  const theirs = outcome(() => {
    const recorder = createRecorder();
    readBySaxes(xml, recorder, characters);
    return inRoot(recorder.events);
  });
  expect(ours).toEqual(theirs);
  expect(outcome(() => inRoot(readXml(xml, createLeafRecorder, characters).events))).toEqual(theirs);
}

const name = fc.stringMatching(/^[A-Za-z_][\w.-]{0,6}$/).filter((text) => text !== "__proto__");
const piece = fc.oneof(
  fc
    .stringMatching(/^[ -;=?-~\u00e4\u03b1\u{1F600}]{0,12}$/u)
    .map((text) => text.replace(/&/g, "&amp;").replaceAll("]]>", "")),
  fc.constantFrom(
    "\n",
    "\r\n",
    "\r",
    "\t",
    "&lt;",
    "&amp;",
    "&gt;",
    "&quot;",
    "&apos;",
    "&#65;",
    "&#x3b1;",
    "&#xD;",
    "]]",
    ">",
  ),
  fc.constantFrom("<!-- c -->", "<?pi some data?>", "<?pi?>", "<![CDATA[a < b & c]]>", "<![CDATA[]]>"),
);
const attribute = fc
  .tuple(
    name,
    fc.stringMatching(/^[ !#-%'-;=?-~\u00e4]{0,8}$/u),
    fc.constantFrom(" ", "\n", "  "),
    fc.constantFrom("=", " = "),
  )
  .map(([name, value, space, equals]) => `${space}${name}${equals}"${value}"`);
const element = fc.letrec<{ node: string; content: string }>((tie) => ({
  node: fc
    .tuple(name, fc.array(attribute, { maxLength: 3 }), tie("content"), fc.boolean(), fc.constantFrom("", " ", "\n"))
    .map(([name, attributes, content, isEmpty, space]) =>
      isEmpty
        ? `<${name}${attributes.join("")}${space}/>`
        : `<${name}${attributes.join("")}${space}>${content}</${name}${space}>`,
    ),
  content: fc
    .array(fc.oneof({ maxDepth: 4, withCrossShrink: true }, piece, tie("node")), { maxLength: 5 })
    .map((parts) => parts.join("")),
})).node;

describe("readXml", () => {
  test("says of any XML what saxes says", () => {
    fc.assert(
      fc.property(element, (xml) => expectSame(xml)),
      fuzzRuns(1500),
    );
  });

  test("says of damaged XML what saxes says, and refuses it in the same words", () => {
    const marks = [
      "<",
      ">",
      "&",
      "<!--",
      "-->",
      "--",
      "<![CDATA[",
      "]]>",
      "<?",
      "?>",
      "<?xml?>",
      "=",
      "'",
      "/>",
      "</a>",
      "<a>",
      "\uFFFE",
      "\u0001",
      "&#0;",
      "&x;",
      "&#xD800;",
    ];
    const contents = element.chain((xml) => damaged(Buffer.from(xml), marks)).map((bytes) => bytes.toString("utf8"));
    fc.assert(
      fc.property(contents, (xml) => expectSame(xml)),
      fuzzRuns(3000),
    );
  });

  test.each([
    ["<a>&alpha;&#945;</a>", { alpha: "α" }],
    ["<a b='&alpha;'/>", { alpha: "α" }],
    ["<a>&constructor;</a>", {}],
    ["<a>&toString;</a>", {}],
    ['<a x="1" x="2"/>', {}],
    ['<a x="1"y="2"/>', {}],
    ["<a b='1\n2'/>", {}],
    ["<a b='<'/>", {}],
    ["<a></b>", {}],
    ["<a/><b/>", {}],
    ["text<a/>", {}],
    ["<a/>text", {}],
    ["<!-- c --><a/><!-- d -->", {}],
    ["<!DOCTYPE a><a/>", {}],
    ['<?xml version="1.0"?><a/>', {}],
    ["<a><?xml version='1.0'?></a>", {}],
    ["<a>x]]>y</a>", {}],
    ["<a><!-- a -- b --></a>", {}],
    ["", {}],
    [" ", {}],
    ["<a", {}],
    ["<a b", {}],
    ["<a b='", {}],
    ["<é/>", {}],
  ])("of %j too", (xml, characters) => {
    expectSame(xml, characters);
  });

  test("characters that XML allows nowhere are found in bytes as in text, wherever they begin", () => {
    const character = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0, 9, 10, 11, 13, 31, 32, 127, 0xfffd, 0xfffe, 0xffff, 0x1f600),
    );
    fc.assert(
      fc.property(fc.array(character, { maxLength: 40 }), fc.nat(5), (codes, skip) => {
        const text = String.fromCodePoint(...codes);
        const bytes = Buffer.concat([Buffer.alloc(skip, 1), Buffer.from(text)]).subarray(skip);
        // oxlint-disable-next-line no-control-regex
        expect(hasAllowedCharacters(bytes)).toBe(!/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(text));
      }),
      fuzzRuns(3000),
    );
  });

  test("expands no entity that a document declares", () => {
    const bomb = `<!DOCTYPE a [<!ENTITY b "${"x".repeat(100)}"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>`;
    expect(() => readXml(bomb, createRecorder)).toThrow("not well-formed XML: undefined entity");
  });

  test.runIf(hasShared("data/pubmed-xml"))("says of real records and articles what saxes says", () => {
    let count = 0;
    for (const folder of ["data/pubmed-xml", "data/pmc-jats"]) {
      for (const file of readdirSync(shared(folder)).filter((one) => one.endsWith("xml"))) {
        const text = readFileSync(shared(`${folder}/${file}`), "utf8");
        for (const [xml] of text.matchAll(/<PubmedArticle>[^]*?<\/PubmedArticle>|<article [^]*<\/article>/g)) {
          expectSame(xml);
          count += 1;
        }
      }
    }
    expect(count).toBe(358);
  });
});

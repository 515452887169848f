/** Texts by JSON schemas, written by a model that knows nothing: random scores over a vocabulary of ugly tokens. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { createConstraint, type Vocabulary, vocabularyOf } from "./constraint.ts";
import { createAutomaton, type Element } from "./grammar.ts";
import { anyObject, schemaGrammar } from "./json-schema.ts";

const endId = 0;
/** Id 0 ends a text; the last is part of a character. Ids of texts are the longest tokens that fit. */
const tokens = [
  "",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"',
  "\\",
  "\\u",
  " ",
  "\n",
  "\t",
  ".",
  "-",
  "+",
  "e",
  "E",
  "d",
  "D",
  "b",
  ..."0123456789",
  ..."acfghijklmnopqrstuvwxyzABC",
  '{"',
  '":',
  '": ',
  '", "',
  '"}',
  "},",
  "}]",
  "]}",
  "true",
  "false",
  "null",
  "name",
  "age",
  "dose",
  "12",
  "007",
  "0.5",
  " the",
  " mg",
  "\n  ",
  "é",
  "漢",
  "x-y (z)",
  "\uFFFD",
];
const codec = {
  vocabSize: tokens.length,
  encodeIds(text: string): number[] {
    const ids: number[] = [];
    for (let at = 0; at < text.length;) {
      const fits = tokens.map((_, id) => id).filter((id) => tokens[id] !== "" && text.startsWith(tokens[id]!, at));
      const id = fits.sort((a, b) => tokens[b]!.length - tokens[a]!.length)[0]!;
      ids.push(id);
      at += tokens[id]!.length;
    }
    return ids;
  },
  decode: (ids: Iterable<number>) => Array.from(ids, (id) => tokens[id]).join(""),
};
const vocabulary: Vocabulary = vocabularyOf(codec);

/** What a model without sense writes, held to the grammar; undefined where it has not come to an end. */
function write(grammar: Element, seed: number, most = 400): string | undefined {
  const constraint = createConstraint(vocabulary, grammar, [endId]);
  const process = constraint.processor(0);
  const next = random(seed);
  const ids: number[] = [];
  // Marks that close are liked, so that texts end.
  const liked = new Set(['"', "}", "]", '"}', ","].map((one) => tokens.indexOf(one)));
  while (ids.length < most) {
    const scores = Float32Array.from(tokens, (_, id) => next.next() + (liked.has(id) ? 0.6 : 0));
    process(ids, scores);
    const id = scores.indexOf(Math.max(...scores));
    expect(scores[id]).toBeGreaterThan(-Infinity);
    if (id === endId) return codec.decode(ids);
    ids.push(id);
    if (constraint.isDone(ids, 0)) return codec.decode(ids);
  }
  return undefined;
}

const patient = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 12 },
    age: { type: "integer" },
    drugs: {
      type: "array",
      minItems: 1,
      maxItems: 3,
      items: {
        type: "object",
        properties: { dose: { type: "number" }, route: { enum: ["oral", "iv", null] } },
        required: ["dose", "route"],
      },
    },
    alive: { type: "boolean" },
    note: { anyOf: [{ type: "string" }, { type: "null" }] },
  },
  required: ["name", "drugs"],
  additionalProperties: false,
} as const;

function isPatient(value: Record<string, unknown>): boolean {
  const { name, age, drugs, alive, note, ...others } = value;
  const list = drugs as { dose: unknown; route: unknown }[];
  return (
    Object.keys(others).length === 0 &&
    typeof name === "string" &&
    name.length >= 1 &&
    [...name].length <= 12 &&
    (age === undefined || Number.isInteger(age)) &&
    list.length >= 1 &&
    list.length <= 3 &&
    list.every(
      ({ dose, route, ...rest }) =>
        typeof dose === "number" && ["oral", "iv", null].includes(route as null) && Object.keys(rest).length === 0,
    ) &&
    ["boolean", "undefined"].includes(typeof alive) &&
    (note === undefined || note === null || typeof note === "string")
  );
}

describe("what is written", () => {
  test("fits its schema, whatever the scores", () => {
    let ended = 0;
    for (let seed = 0; seed < 150; seed++) {
      const text = write(schemaGrammar(patient), seed);
      if (text === undefined) continue;
      ended += 1;
      expect(isPatient(JSON.parse(text) as Record<string, unknown>), text).toBe(true);
    }
    expect(ended).toBeGreaterThan(100);
  });

  test("is an object where no more is asked", () => {
    const texts = Array.from({ length: 60 }, (_, seed) => write(anyObject(), seed)).filter(
      (text) => text !== undefined,
    );
    expect(texts.length).toBeGreaterThan(30);
    for (const text of texts) expect(JSON.parse(text), text).toBeTypeOf("object");
  });

  test("may hold itself, as a schema does that refers to itself", () => {
    const tree = {
      $ref: "#/$defs/node",
      $defs: {
        node: {
          type: "object",
          properties: { name: { const: "n" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
          required: ["name"],
        },
      },
    };
    const texts = Array.from({ length: 40 }, (_, seed) => write(schemaGrammar(tree), seed)).filter(
      (text) => text !== undefined,
    );
    expect(texts.some((text) => (JSON.parse(text) as { children?: unknown[] }).children?.length === 1)).toBe(true);
  });
});

/** Whether the grammar takes a text whole. */
function takes(grammar: Element, text: string): boolean {
  const automaton = createAutomaton(grammar);
  let state: ReturnType<typeof automaton.step> = automaton.start;
  for (let i = 0; i < text.length && state !== undefined; i++) state = automaton.step(state, text.charCodeAt(i));
  return state?.ends === true;
}

test("every JSON object is taken, as it is written with and without spaces", () => {
  const value = fc.dictionary(
    fc.string({ unit: "grapheme" }),
    fc
      .jsonValue({ maxDepth: 4, noNegativeZero: true } as object)
      .filter((one) => !/\d{16}|e[+-]?\d{3}|\.\d{17}|\\ud[89a-f]/i.test(JSON.stringify(one))),
  );
  fc.assert(
    fc.property(value, (object) => {
      fc.pre(!/\\ud[89a-f]/i.test(JSON.stringify(object)));
      return takes(anyObject(), JSON.stringify(object)) && takes(anyObject(), JSON.stringify(object, null, 2));
    }),
  );
});

test.each([
  "{",
  '{"a":}',
  '{"a":1,}',
  "{'a':1}",
  '{"a":01}',
  '{"a":.5}',
  '{"a":"\n"}',
  "[1]",
  '{"a":"\\x"}',
  '{"a":"\\ud800"}',
  '{"a" 1}',
  "{}}",
])("no object: %s", (text) => expect(takes(anyObject(), text)).toBe(false));

test.each([
  [{ type: "string", pattern: "a+" }, /"pattern"/],
  [{ type: "number", minimum: 3 }, /"minimum"/],
  [{ type: "text" }, /schema\.type: expected one of object/],
  [{ type: "object", properties: { a: { allOf: [] } } }, /schema\.properties\.a: .*"allOf"/],
  [{ type: "object", properties: {}, required: ["a"] }, /schema\.required/],
  [{ type: "array", minItems: 3, maxItems: 2 }, /schema\.maxItems: expected at least minItems, 3, got 2/],
  [{ $ref: "http://elsewhere/x" }, /schema\.\$ref: expected a place in the schema/],
  [{ $ref: "#/$defs/none" }, /a place that there is/],
  [{ type: "string", enum: [1] }, /schema\.enum: expected values of type string, got 1/],
  [{ anyOf: [{ type: "string" }], type: "string" }, /anyOf without what narrows it/],
  [7, /expected a schema, got 7/],
] as const)("what cannot be followed is refused by name: %j", (schema, message) => {
  expect(() => schemaGrammar(schema)).toThrow(message);
});

test("a schema that is nothing but itself is refused, not followed for ever", () => {
  expect(() =>
    createAutomaton(schemaGrammar({ $ref: "#/$defs/a", $defs: { a: { anyOf: [{ $ref: "#/$defs/a" }] } } })),
  ).not.toThrow();
  const widening = { $ref: "#/$defs/a", $defs: { a: { anyOf: [{ $ref: "#/$defs/b" }] }, b: { $ref: "#/$defs/a" } } };
  expect(takes(schemaGrammar(widening), "1")).toBe(false);
});

test("a tokenizer whose tokens are not the text is refused", () => {
  const spaced = { ...codec, decode: (ids: Iterable<number>) => Array.from(ids, (id) => tokens[id]).join(" ") };
  expect(() => vocabularyOf(spaced)).toThrow(/tokens are parts of the text/);
});

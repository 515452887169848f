/**
 * JSON Schema (2020-12) as a grammar: the part of it whose every text can be told from others character by character. Known are
 * `type`, `properties` (in their order), `required`, `additionalProperties`, `items`, `minItems`, `maxItems`, `minLength`,
 * `maxLength`, `enum`, `const`, `anyOf`, `oneOf` (as anyOf) and `$ref` within the schema; what else would narrow a value is
 * refused by name, so that nothing is written that the schema forbids.
 */
import { ConfigError } from "../errors.ts";
import { isTooDeep } from "../schema.ts";
import { character, type Element, either, later, optional, repeat, sequence, text } from "./grammar.ts";

type Schema = Readonly<Record<string, unknown>>;

/** Say something of a value and narrow nothing. */
const annotations = new Set(
  "$schema $id $anchor $comment $defs definitions title description default examples example deprecated readOnly writeOnly format".split(
    " ",
  ),
);
const known = new Set(
  "type properties required additionalProperties items minItems maxItems minLength maxLength enum const anyOf oneOf $ref".split(
    " ",
  ),
);
const types = ["object", "array", "string", "number", "integer", "boolean", "null"] as const;
type Type = (typeof types)[number];

const among = (set: string): Element => {
  const codes = new Set(Array.from(set, (one) => one.charCodeAt(0)));
  return character((code) => codes.has(code));
};

/** White space as JSON is usually written, of bounded length: a model that pads would never end. */
const space = either(
  text(""),
  text(" "),
  sequence(text("\n"), either(repeat(text(" "), 0, 32), repeat(text("\t"), 0, 8))),
);
const digit = among("0123456789");
const hex = among("0123456789abcdefABCDEF");
const plain = character((code) => code >= 0x20 && code !== 0x22 && code !== 0x5c && (code < 0xd800 || code > 0xdfff));
const pair = sequence(
  character((code) => code >= 0xd800 && code <= 0xdbff),
  character((code) => code >= 0xdc00 && code <= 0xdfff),
);
const escape = sequence(
  text("\\"),
  either(
    among('"\\/bfnrt'),
    // Not half of a pair.
    sequence(
      text("u"),
      either(sequence(among("0123456789abcefABCEF"), hex), sequence(among("dD"), among("01234567"))),
      hex,
      hex,
    ),
  ),
);
const anyCharacter = either(plain, pair, escape);
const integer = sequence(optional(text("-")), either(text("0"), sequence(among("123456789"), repeat(digit, 0, 15))));
const number = sequence(
  integer,
  optional(sequence(text("."), repeat(digit, 1, 16))),
  optional(sequence(among("eE"), optional(among("+-")), repeat(digit, 1, 2))),
);
const stringOf = (least: number, most: number): Element =>
  sequence(text('"'), repeat(anyCharacter, least, most), text('"'));
const anyString = stringOf(0, Infinity);

/** Objects and lists in one another, of values that no schema describes. */
const mostLevels = 16;

/** Any JSON object. */
export function anyObject(levels: number = mostLevels): Element {
  return objectOf(anyValue(levels - 1));
}

function anyValue(levels: number): Element {
  const simple = [anyString, number, text("true"), text("false"), text("null")];
  if (levels <= 0) return either(...simple);
  return later(() => either(...simple, anyObject(levels), listOf(anyValue(levels - 1), 0, Infinity)));
}

function objectOf(value: Element): Element {
  const member = sequence(anyString, text(":"), space, value);
  return sequence(text("{"), space, optional(separated(member, 1, Infinity)), text("}"));
}

/** Members or items with commas between, and white space behind. */
function separated(item: Element, least: number, most: number): Element {
  const more = repeat(sequence(text(","), space, item), Math.max(0, least - 1), most - 1);
  return sequence(item, more, space);
}

function listOf(item: Element, least: number, most: number): Element {
  const items = most === 0 ? text("") : separated(item, least, most);
  return sequence(text("["), space, least === 0 ? optional(items) : items, text("]"));
}

/** @throws ConfigError that names the place in the schema, and what was expected there. */
export function schemaGrammar(schema: unknown): Element {
  if (isTooDeep(schema)) throw new ConfigError("schema: expected at most 100 levels, got more");
  let size = 0;
  const referred = new Map<string, Element>();

  const compile = (given: unknown, where: string): Element => {
    if (++size > 5000) throw new ConfigError("schema: expected at most 5,000 parts, got more");
    if (given === true) return anyValue(mostLevels);
    if (typeof given !== "object" || given === null || Array.isArray(given)) throw wrong(where, "a schema", given);
    const own = given as Schema;
    refuseUnknown(own, where);
    if (own["$ref"] !== undefined) return reference(own["$ref"], where);
    const options = own["anyOf"] ?? own["oneOf"];
    if (options !== undefined) {
      const beside = Object.keys(own).find((key) => known.has(key) && key !== "anyOf" && key !== "oneOf");
      if (beside !== undefined) throw wrong(where, "anyOf without what narrows it", beside);
      if (!Array.isArray(options) || options.length === 0) throw wrong(`${where}.anyOf`, "a list of schemas", options);
      return either(...options.map((one, i) => compile(one, `${where}.anyOf.${i}`)));
    }
    if (own["const"] !== undefined) return text(JSON.stringify(own["const"]));
    const named = typesOf(own, where);
    if (own["enum"] !== undefined) return enumeration(own["enum"], named, where);
    if (named.length === 0) return anyValue(mostLevels);
    return either(...named.map((type) => ofType(type, own, where)));
  };

  const reference = (ref: unknown, where: string): Element => {
    if (typeof ref !== "string" || !/^#(?:\/|$)/.test(ref))
      throw wrong(`${where}.$ref`, 'a place in the schema, "#/…"', ref);
    const found = referred.get(ref);
    if (found !== undefined) return found;
    const element = later(() => compile(pointed(schema, ref, where), ref));
    referred.set(ref, element);
    pointed(schema, ref, where);
    return element;
  };

  const ofType = (type: Type, own: Schema, where: string): Element => {
    switch (type) {
      case "string":
        return stringOf(...range(own, "minLength", "maxLength", where));
      case "number":
        return number;
      case "integer":
        return integer;
      case "boolean":
        return either(text("true"), text("false"));
      case "null":
        return text("null");
      case "array":
        return listOf(
          own["items"] === undefined ? anyValue(mostLevels) : compile(own["items"], `${where}.items`),
          ...range(own, "minItems", "maxItems", where),
        );
      default:
        return objectElement(own, where);
    }
  };

  const objectElement = (own: Schema, where: string): Element => {
    const properties = own["properties"] ?? {};
    const required = own["required"] ?? [];
    if (typeof properties !== "object" || Array.isArray(properties))
      throw wrong(`${where}.properties`, "an object", properties);
    if (!Array.isArray(required)) throw wrong(`${where}.required`, "a list of names", required);
    const names = Object.keys(properties as object);
    const missing = required.find((name) => !names.includes(name as string));
    const others = own["additionalProperties"];
    if (missing !== undefined) throw wrong(`${where}.required`, "names of properties", missing);
    if (names.length === 0) {
      if (others === undefined || others === true) return anyObject();
      return others === false
        ? sequence(text("{"), space, text("}"))
        : objectOf(compile(others, `${where}.additionalProperties`));
    }
    const values = names.map((name) => compile((properties as Schema)[name], `${where}.properties.${name}`));
    return sequence(text("{"), space, members(names, values, required as string[]), text("}"));
  };

  const element = compile(schema, "schema");
  for (const one of referred.values()) if (one.kind === "later") one.make();
  return sequence(space, element);
}

/** An object's properties in their order, those that are not required left out or not. */
function members(names: readonly string[], values: readonly Element[], required: readonly string[]): Element {
  /** What may follow once those before `i` are done with, by whether one of them is there. */
  let rest = { none: text(""), some: space };
  for (let i = names.length - 1; i >= 0; i--) {
    const { none, some } = rest;
    const own = sequence(text(`${JSON.stringify(names[i])}:`), space, values[i]!, some);
    const behind = sequence(text(","), space, own);
    rest = required.includes(names[i]!)
      ? { none: own, some: behind }
      : { none: either(own, none), some: either(behind, some) };
  }
  return rest.none;
}

function refuseUnknown(own: Schema, where: string): void {
  const other = Object.keys(own).find((key) => !known.has(key) && !annotations.has(key));
  if (other === undefined) return;
  throw new ConfigError(`${where}: expected what can be followed while a text is written, got "${other}"`, {
    hint: `known are ${[...known].join(", ")}`,
  });
}

function typesOf(own: Schema, where: string): Type[] {
  const { type } = own;
  if (type === undefined) {
    if (own["properties"] !== undefined || own["required"] !== undefined) return ["object"];
    if (own["items"] !== undefined) return ["array"];
    return own["minLength"] !== undefined || own["maxLength"] !== undefined ? ["string"] : [];
  }
  const named = [type].flat();
  const bad = named.find((one) => !types.includes(one as Type));
  if (named.length === 0 || bad !== undefined) throw wrong(`${where}.type`, `one of ${types.join(", ")}`, bad ?? type);
  return named as Type[];
}

function enumeration(values: unknown, named: readonly Type[], where: string): Element {
  if (!Array.isArray(values) || values.length === 0) throw wrong(`${where}.enum`, "a list of values", values);
  const fits = (value: unknown): boolean => named.length === 0 || named.some((type) => isOf(type, value));
  const fitting = values.filter(fits);
  if (fitting.length === 0) throw wrong(`${where}.enum`, `values of type ${named.join(" or ")}`, values[0]);
  return either(...fitting.map((value) => text(JSON.stringify(value))));
}

function isOf(type: Type, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}

function range(own: Schema, least: string, most: string, where: string): [least: number, most: number] {
  const bound = (name: string, otherwise: number): number => {
    const value = own[name] ?? otherwise;
    if (value === otherwise || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number;
    throw wrong(`${where}.${name}`, "a whole number from 0", value);
  };
  const [from, to] = [bound(least, 0), bound(most, Infinity)];
  if (from > to) throw wrong(`${where}.${most}`, `at least ${least}, ${from}`, to);
  return [from, to];
}

/** What "#/$defs/name" names. */
function pointed(schema: unknown, ref: string, where: string): unknown {
  let found: unknown = schema;
  for (const part of ref.slice(1).split("/").slice(1)) {
    const key = decodeURIComponentSafely(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) {
      throw wrong(`${where}.$ref`, "a place that there is", ref);
    }
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

function decodeURIComponentSafely(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function wrong(where: string, expected: string, got: unknown): ConfigError {
  return new ConfigError(
    `${where.slice(0, 200)}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 80) ?? "nothing"}`,
  );
}

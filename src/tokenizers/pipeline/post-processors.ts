/**
 * Post-processors of tokenizer.json: templates of special tokens, and ByteLevel and RobertaProcessing, which take white
 * space off the offsets of words, as Hugging Face tokenizers 0.22 runs them.
 */
import { fieldError, fieldsOf, type Fields, type Json } from "../json.ts";
import type { Template, TemplatePart } from "../layout.ts";
import { readTemplate } from "../tokenizer-json.ts";
import { byteCharacters } from "./bytes.ts";

export interface PostProcessor {
  /** undefined: nothing is added. */
  readonly template: Template | undefined;
  /** White space is no part of a token's offsets; undefined: it is. */
  readonly trim: { readonly addPrefixSpace: boolean } | undefined;
}

/** @throws DataError that names a component which is not understood. */
export function readPostProcessor(file: string, value: Json, ids: ReadonlyMap<string, number>): PostProcessor {
  const type = typeof value === "object" && value !== null && !Array.isArray(value) ? value["type"] : undefined;
  if (type !== "Sequence" && type !== "ByteLevel" && type !== "RobertaProcessing") {
    return { template: readTemplate(file, value, ids), trim: undefined };
  }
  const path = "post_processor";
  const fields = fieldsOf(file, path, value);
  fields.raw("type");
  const read = (): PostProcessor => {
    if (type === "ByteLevel") return { template: undefined, trim: readTrim(fields) };
    if (type === "RobertaProcessing") return { template: roberta(file, path, fields, ids), trim: readTrim(fields) };
    const list = fields.raw("processors");
    if (!Array.isArray(list) || list.length > 20) throw fieldError(file, `${path}.processors`, "a list", list);
    const all = list.map((item) => readPostProcessor(file, item, ids));
    const templates = all.flatMap(({ template }) => (template === undefined ? [] : [template]));
    const trims = all.flatMap(({ trim }) => (trim === undefined ? [] : [trim]));
    if (templates.length > 1 || trims.length > 1) {
      throw fieldError(file, `${path}.processors`, "one template and one ByteLevel", list);
    }
    return { template: templates[0], trim: trims[0] };
  };
  const result = read();
  fields.close();
  return result;
}

function readTrim(fields: Fields): PostProcessor["trim"] {
  const addPrefixSpace = fields.boolean("add_prefix_space", true);
  fields.boolean("use_regex", true);
  return fields.boolean("trim_offsets", true) ? { addPrefixSpace } : undefined;
}

/** <s> A </s>, and <s> A </s></s> B </s>, all of type 0. */
function roberta(file: string, path: string, fields: Fields, ids: ReadonlyMap<string, number>): Template {
  const token = (name: string): TemplatePart => {
    const pair = fields.raw(name);
    if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || ids.get(pair[0]) !== pair[1]) {
      throw fieldError(file, `${path}.${name}`, "[token, its id in the vocabulary]", pair);
    }
    return { special: pair[0], ids: [pair[1] as number], typeId: 0 };
  };
  const [cls, sep] = [token("cls"), token("sep")];
  const single: TemplatePart[] = [cls, { sequence: 0, typeId: 0 }, sep];
  return { single, pair: [...single, sep, { sequence: 1, typeId: 0 }, sep] };
}

const spaces = new RegExp(`[${byteCharacters[0x20]!}\\p{White_Space}]`, "u");

/** How much white space a token begins with and ends with. */
export function spaceAround(token: string): [leading: number, trailing: number] {
  let leading = 0;
  while (leading < token.length && spaces.test(token[leading]!)) leading++;
  let end = token.length;
  while (end > 0 && spaces.test(token[end - 1]!)) end--;
  return [leading, token.length - end];
}

/** Offsets in `text` without the white space, counted in characters; `first`: of a text's first token. */
export function trimmed(
  text: string,
  [start, end]: readonly [number, number],
  [leading, trailing]: readonly [number, number],
  first: boolean,
  addPrefixSpace: boolean,
): [start: number, end: number] {
  let from = start;
  let to = end;
  // The one space that was put before the text is in no offset.
  const taken = leading === 1 && addPrefixSpace && (first || start === 0) ? 0 : leading;
  for (let i = 0; i < taken && from < end; i++) from += text.codePointAt(from)! > 0xffff ? 2 : 1;
  for (let i = 0; i < trailing && to > from; i++) to -= isPairBefore(text, to) ? 2 : 1;
  return [from, to];
}

function isPairBefore(text: string, at: number): boolean {
  return at > 1 && text.codePointAt(at - 2)! > 0xffff;
}

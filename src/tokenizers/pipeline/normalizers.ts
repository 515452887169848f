/**
 * Normalizers of tokenizer.json that byte pair encoding has: Prepend, Replace, NFC and sequences of them, as Hugging Face
 * tokenizers 0.22 runs them (normalizers/).
 */
import { component, fieldError, type Json } from "../json.ts";
import { type Aligned, composed, prepend, replaceAll } from "./aligned.ts";
import { readPattern } from "./pre-tokenizers.ts";

/** `tracked`: places are wanted. */
export type Normalizer = (text: Aligned, tracked: boolean) => Aligned;

/** Undefined where there is none. @throws DataError that names a component which is not understood. */
export function readNormalizer(file: string, value: Json, path = "normalizer"): Normalizer | undefined {
  if (value === null) return undefined;
  const [type, fields] = component(file, path, value, ["Sequence", "Prepend", "Replace", "NFC"]);
  const read = (): Normalizer | undefined => {
    if (type === "NFC") return composed;
    if (type === "Prepend") {
      const prefix = fields.string("prepend");
      return (text, tracked) => (text.text === "" || prefix === "" ? text : prepend(text, prefix, tracked));
    }
    if (type === "Replace") {
      const [kind, old] = readPattern(file, `${path}.pattern`, fields.raw("pattern"));
      if (kind === "Regex") throw fieldError(file, `${path}.pattern`, "a String", fields.raw("pattern"));
      const content = fields.string("content");
      return (text, tracked) => replaceAll(text, old, content, tracked);
    }
    const list = fields.raw("normalizers");
    if (!Array.isArray(list) || list.length > 20) throw fieldError(file, `${path}.normalizers`, "a list", list);
    const all = list.map((item, i) => readNormalizer(file, item, `${path}.normalizers[${i}]`));
    return (text, tracked) => all.reduce((done, one) => one?.(done, tracked) ?? done, text);
  };
  const normalizer = read();
  fields.close();
  return normalizer;
}

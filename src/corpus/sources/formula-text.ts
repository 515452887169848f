/** Formulas as text: TeX without the document around it, MathML without what annotates it. */
import { clean, rawText, within, type XmlElement } from "../xml/tree.ts";

/** TeX without the document that PMC wraps around it. */
function plainTex(text: string): string {
  const body = /\\begin\{document\}([^]*?)\\end\{document\}/.exec(text)?.[1] ?? text;
  return clean(body).replace(/^(?:\$\$?|\\\[)\s*([^]*?)\s*(?:\$\$?|\\\])$/, "$1");
}

function mathText(element: XmlElement): string {
  let text = "";
  for (const one of element.children) {
    if (typeof one === "string") text += one;
    else if (!one.name.startsWith("annotation")) text += mathText(one);
  }
  return text;
}

/** Text of the first TeX, else of the first MathML in an element, itself included; undefined where there is neither. */
export function formulaIn(element: XmlElement): string | undefined {
  const first = (name: string): XmlElement | undefined => (element.name === name ? element : within(element, name)[0]);
  const tex = first("tex-math");
  if (tex !== undefined) return plainTex(rawText(tex));
  const math = first("math");
  return math === undefined ? undefined : clean(mathText(math));
}

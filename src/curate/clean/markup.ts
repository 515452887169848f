/**
 * Rests of HTML and JATS in text: entities and tags. Only names that are known are entities or tags, so that "p<0.05", "a<b"
 * and "R&D;" stay; nothing is expanded that a text could define itself.
 */
import { repeatedly, replaceAll, type CleanRule } from "./rule.ts";

/** Names of HTML 4 that occur in the literature; Greek letters below. */
const named = new Map<string, string>(
  `amp & lt < gt > quot " apos ' ndash – mdash — minus − hyphen ‐ lsquo ‘ rsquo ’ ldquo “ rdquo ” sbquo ‚ bdquo „ laquo « raquo »
  hellip … bull • middot · deg ° plusmn ± times × divide ÷ micro µ le ≤ ge ≥ ne ≠ asymp ≈ sim ∼ cong ≅ equiv ≡ prop ∝ infin ∞
  radic √ sum ∑ prod ∏ int ∫ part ∂ nabla ∇ isin ∈ cap ∩ cup ∪ sub ⊂ sup ⊃ larr ← rarr → uarr ↑ darr ↓ harr ↔ prime ′ Prime ″
  copy © reg ® trade ™ para ¶ sect § dagger † Dagger ‡ permil ‰ euro € pound £ yen ¥ cent ¢ frac12 ½ frac14 ¼ frac34 ¾ sup1 ¹
  equals = plus + percnt % lowbar _ num # lpar ( rpar ) comma , period . colon : semi ; quest ? excl ! sol / ast * lsqb [ rsqb ]
  verbar | sup2 ² sup3 ³ ordf ª ordm º szlig ß aring å Aring Å aelig æ AElig Æ oslash ø Oslash Ø ccedil ç Ccedil Ç ntilde ñ Ntilde Ñ
  auml ä Auml Ä ouml ö Ouml Ö uuml ü Uuml Ü euml ë iuml ï agrave à egrave è ugrave ù igrave ì ograve ò aacute á eacute é Eacute É
  iacute í oacute ó uacute ú acirc â ecirc ê icirc î ocirc ô ucirc û atilde ã otilde õ eth ð thorn þ yacute ý scaron š Scaron Š`
    .split(/\s+/)
    .flatMap((word, i, words) => (i % 2 === 0 ? [[word, words[i + 1]!] as const] : [])),
);
const greek =
  `alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi
  chi psi omega`.split(/\s+/);
for (const [i, name] of greek.entries()) {
  named.set(name, String.fromCharCode(0x3b1 + i));
  if (name !== "sigmaf") named.set(name[0]!.toUpperCase() + name.slice(1), String.fromCharCode(0x391 + i));
}
for (const [name, space] of Object.entries({
  nbsp: "\u00a0",
  ensp: " ",
  emsp: " ",
  thinsp: " ",
  hairsp: "",
  zwj: "",
  zwnj: "",
  shy: "",
}))
  named.set(name, space);

function characterOf(entity: string): string | undefined {
  if (!entity.startsWith("#")) return named.get(entity);
  const code = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number.parseInt(entity.slice(1), 10);
  const isText = code === 9 || code === 10 || (code >= 32 && code < 0xd800) || (code >= 0xe000 && code <= 0x10ffff);
  return isText && (code < 0x7f || code > 0x9f) ? String.fromCodePoint(code) : undefined;
}

/** Tags that end a line where they stand, then those inside lines. */
const blocks = "p|br|div|li|ul|ol|dl|dt|dd|tr|table|tbody|thead|h[1-6]|hr|section|sec|title|list|list-item|blockquote";
const inline =
  "b|i|u|s|a|em|strong|sub|sup|inf|span|font|small|big|tt|code|sc|italic|bold|underline|monospace|xref|ext-link|uri|th|td|col|colgroup|img|center|cite|abbr|label|email|inline-formula|named-content|styled-content|abstracttext|jats:[a-z-]+";
const attributes = `(?:\\s+[A-Za-z_:][\\w:.-]{0,60}\\s*=\\s*(?:"[^"<>]{0,500}"|'[^'<>]{0,500}'|[^\\s"'<>=]{1,300})){0,20}`;
const tag = new RegExp(`<(/?)(${blocks}|${inline})(${attributes})\\s*(/?)>`, "gi");
const isBlock = new RegExp(`^(?:${blocks})$`, "i");

/** A single letter in angle brackets may be a comparison ("a<b>c"); a tag has its end somewhere. */
function isTag(name: string, attributes: string, isClosing: boolean, text: string): boolean {
  if (name.length > 1 || isClosing || attributes !== "") return true;
  return text.includes(`</${name}>`) || name.toLowerCase() === "p";
}

function withoutTag(match: RegExpExecArray): string | undefined {
  const [whole, closing, name, attributes] = match as unknown as [string, string, string, string];
  const text = match.input;
  if (!isTag(name, attributes, closing !== "", text)) return undefined;
  if (isBlock.test(name)) return "\n";
  // 10<sup>-3</sup> is no 10-3.
  const end = match.index + whole.length;
  const isPower = /\d/.test(text[match.index - 1] ?? "") && /^[-−–+]?\d/.test(text.slice(end, end + 3));
  if (name.toLowerCase() === "sup" && closing === "" && isPower) return "^";
  // "subtypes.<b>IMPORTANCE</b> Influenza": the heading of a part of an abstract.
  const isHeading = /^(?:b|strong)$/i.test(name) && /[.?!]$/.test(text[match.index - 1] ?? "") && closing === "";
  return isHeading ? " " : "";
}

export const markupRules: readonly CleanRule[] = [
  {
    name: "entities",
    about: "entities of HTML become their characters, twice escaped ones too",
    proseOnly: false,
    apply: (text) =>
      text.includes("&")
        ? repeatedly(text, (one) =>
            replaceAll(
              one,
              /&(?:(?:amp|#38|#x26);){0,9}(#x[\da-f]{1,6}|#\d{1,7}|[A-Za-z][A-Za-z\d]{1,8});/gi,
              ([, entity]) => characterOf(entity!),
            ),
          )
        : { text, count: 0 },
  },
  {
    name: "markup",
    about: "tags and comments of HTML and JATS go; paragraphs, items and rows become lines",
    proseOnly: false,
    apply: (text) => {
      if (!text.includes("<")) return { text, count: 0 };
      const comments = replaceAll(text, /<!--[^]{0,2000}?-->|<!\[CDATA\[|\]\]>|<\?xml[^<>]{0,200}\?>/g, () => "");
      const tags = repeatedly(comments.text, (one) => replaceAll(one, tag, withoutTag));
      return { text: tags.text, count: comments.count + tags.count };
    },
  },
];

/** Telephone, fax, e-mail; addresses of the web and of computers: 45 CFR 164.514(b)(2)(i)(D), (E), (F), (N), (O). */
import { digitsIn, type Pattern } from "./pattern.ts";

const digitBefore = String.raw`(?<![\d.:/#-])(?<!\d[, ])`;
const extension = String.raw`(?:,?[ ]?(?:x|ext\.?|extension)[ ]?\d{1,6})?`;
const ten = String.raw`(?:\+?1[-. ]{0,2})?(?:\(\d{3}\)[-. ]{0,2}|\d{3}[-. /]{1,2})\d{3}[-. ]\d{4}`;
const faxLabel = /\b(?:fax|facsimile|telefax|f)(?:[ ]?(?:number|no\.?|#))?[ :.#=]{0,4}$/i;
const phoneWords = String.raw`phone|telephone|tel|cell|cellular|mobile|home|work|office|pager|beeper|pgr|fax|facsimile|voicemail|call(?:ed|ing)?|reached|contact|hotline|number`;

const isFax = (_: string, { text, start }: { text: string; start: number }): boolean =>
  faxLabel.test(text.slice(Math.max(0, start - 24), start));
const isPhone = (value: string, place: { text: string; start: number }): boolean => !isFax(value, place);

/** Of each form two patterns, as what stands before it makes it one or the other. */
const telephone = (rule: string, source: string, flags = "g", least = 3): Pattern[] =>
  (["FAX", "PHONE"] as const).map((name) => ({
    class: name,
    rule,
    pattern: new RegExp(source, flags),
    check: (value, place) => digitsIn(value) >= least && (name === "FAX" ? isFax : isPhone)(value, place),
  }));

const inOctets = (value: string): boolean => {
  const octets = value.split(".").map(Number);
  return octets.every((octet) => octet <= 255) && octets.some((octet) => octet >= 20);
};

export const contactPatterns: readonly Pattern[] = [
  {
    class: "URL",
    rule: "url",
    needs: /:\/\//,
    pattern: /(?<![a-z])(?:https?|ftp|sftp):\/\/[^\s<>"')\]]{2,2000}(?<![.,;:!?])/gi,
  },
  { class: "URL", rule: "www", needs: /www\./i, pattern: /(?<![\w.@-])www\.[^\s<>"')\]]{3,2000}(?<![.,;:!?])/gi },
  {
    class: "URL",
    rule: "domain",
    needs: /\.(?:com|org|net|edu|gov|io|info|health)/,
    pattern:
      /(?<![\w.@-])[a-z0-9][a-z0-9-]{1,62}(?:\.[a-z0-9-]{1,63}){0,3}\.(?:com|org|net|edu|gov|io|info|health)(?![\w@-])(?:\/[^\s<>"')\]]{0,2000}(?<![.,;:!?]))?/g,
  },
  {
    class: "EMAIL",
    rule: "email",
    needs: /@/,
    pattern: /(?<![\w.%+-])[\w.%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}(?![a-z0-9-])/gi,
  },
  {
    class: "EMAIL",
    rule: "handle",
    pattern:
      /\b(?:twitter|instagram|facebook|tiktok|snapchat|skype|linkedin)[ ]{0,2}(?:handle|id|account|name)?[: ]{1,3}(@?[\w.]{3,40}(?<!\.))/gi,
    check: (value) => value.startsWith("@") || /\d|_/.test(value),
  },
  {
    class: "IP",
    rule: "ipv4",
    pattern: /(?<![\w.-])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w-]|\.\d)/g,
    check: inOctets,
  },
  {
    class: "IP",
    rule: "ipv6",
    pattern:
      /(?<![\w:.])(?:[0-9a-f]{1,4}:){1,7}(?::|[0-9a-f]{1,4}(?![\w:]))(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?![\w:])/gi,
    check: (value) => (value.includes("::") || value.split(":").length === 8) && value.length > 6 && /\d/.test(value),
  },
  ...telephone("phone", `${digitBefore}${ten}${extension}(?![\\d]|[-/]\\d)`),
  ...telephone("international", String.raw`(?<![\w+])\+\d{1,3}(?:[ .-]{0,2}\(?\d{1,5}\)?){2,6}(?!\d)`, "g", 8),
  ...telephone(
    "labelled-phone",
    String.raw`\b(?:${phoneWords})\b\.?(?:[ ]?(?:number|no|#|at|is|phone|on)){0,2}[ :.#=@]{1,4}(\(?\d[\d ().-]{5,20}\d${extension})(?!\d|[-/]\d)`,
    "gi",
    7,
  ),
  ...telephone("local", String.raw`(?<=(?:\bat|\bcall|;|:)[ ])\d{3}-\d{4}(?![\d-])`),
  ...telephone(
    "extension",
    String.raw`\b(?:pager|beeper|pgr|ext|extension|voicemail)\b\.?(?:[ ]?(?:number|no|id|is))?[ :.#]{1,3}(\d[\d-]{1,9}\d)(?![\d-])`,
    "gi",
  ),
];

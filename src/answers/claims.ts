/**
 * What a sentence claims, as far as rules can read it: numbers with their units, names, negation, direction, comparison.
 * The check of written sentences stands on these, and so does the test whether two sentences say the same.
 */

export interface NumberClaim {
  /** As a plain decimal: "1,200" is "1200", "0.50" is "0.5", "·5" is "0.5". */
  readonly value: string;
  /** Lower-case, "" where none follows. */
  readonly unit: string;
}

const units =
  "%|per ?cent|percent|mg\\/kg(?:\\/day)?|mg\\/dl|mg\\/l|mmol\\/l|mmol\\/mol|µg\\/ml|μg\\/ml|ng\\/ml|pg\\/ml|g\\/dl|g\\/l|iu\\/l|mg|µg|μg|mcg|ng|kg|g|ml|dl|l|mmhg|mm ?hg|mmol|µmol|nmol|nm|µm|μm|mm|cm|m|kcal|kj|iu|u|hz|khz|mhz|gy|°c|seconds?|s|minutes?|min|hours?|hrs?|h|days?|d|weeks?|wk|months?|mo|years?|yrs?|y|fold|times|patients?|participants?|subjects?|women|men|children|adults|cases|controls|trials|studies|points?|copies|bp|kb|mb|kda|da";
const number = new RegExp(
  `(?<![\\p{L}\\p{N}.,])([-−]?(?:\\d{1,3}(?:,\\d{3})+|\\d+)?(?:[.·]\\d+)?)(?:\\s?[-–]?\\s?(${units})(?![\\p{L}\\p{N}]))?`,
  "giu",
);
const words: Readonly<Record<string, string>> = {
  one: "1",
  two: "2",
  three: "3",
  four: "4",
  five: "5",
  six: "6",
  seven: "7",
  eight: "8",
  nine: "9",
  ten: "10",
  twice: "2",
  half: "0.5",
  thirds: "3",
  quarter: "0.25",
  doubled: "2",
  tripled: "3",
};
const sameUnit: Readonly<Record<string, string>> = {
  percent: "%",
  "per cent": "%",
  mcg: "µg",
  hr: "hour",
  h: "hour",
  yr: "year",
  y: "year",
  d: "day",
  wk: "week",
  mo: "month",
  min: "minute",
  s: "second",
};

/** Numbers of a text with their units, in its order; those inside of names ("CYP2D6", "HbA1c") belong to the names. */
export function numbersIn(text: string): NumberClaim[] {
  const found: NumberClaim[] = [];
  for (const [, digits, unit = ""] of text.matchAll(number)) {
    if (digits === undefined || !/\d/.test(digits)) continue;
    const value = String(Number(digits.replaceAll(",", "").replace("·", ".").replace("−", "-")));
    const lower = unit.toLowerCase().replaceAll("μ", "µ");
    const singular = sameUnit[lower] ?? lower.replace(/(?<=[a-z]{3})s$/, "");
    found.push({ value, unit: sameUnit[singular] ?? singular });
  }
  for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) {
    const value = Object.hasOwn(words, word) ? words[word] : undefined;
    if (value !== undefined) found.push({ value, unit: "" });
  }
  return found;
}

const negation =
  /\b(?:no|not(?! (?:only|just|merely)\b)|never|neither|nor|none|without|cannot|lacks?|lacked|lacking|absence|absent|fail(?:s|ed|ure to)?|unable|unlikely|ineffective|insufficient|unchanged|unaffected|rather than|instead of)\b|n['’]t\b|\bnon-?significant/gi;

/** Whether it denies anything. A second denial does not undo the first: "No, it does not" denies. */
export function isNegated(text: string): boolean {
  return text.search(negation) !== -1;
}

/** What is denied: of each denial the rest of its clause. */
export function deniedIn(text: string): string[] {
  return [...text.matchAll(negation)].map(
    ({ index, 0: word }) => /^[^.,;:()]*/.exec(text.slice(index + word.length))![0],
  );
}

const directions: readonly (readonly [name: string, pattern: RegExp])[] = [
  [
    "up",
    /\b(?:increas\w*|elevat\w*|rais(?:e|es|ed|ing)|rise[ns]?|rose|higher|greater|more|enhanc\w*|upregulat\w*|up-regulat\w*|stimulat\w*|activat\w*|promot\w*|induc(?:e|es|ed|ing|tion)|longer|prolong\w*|accelerat\w*|gain(?:s|ed)?|grew|stronger)\b/i,
  ],
  [
    "down",
    /\b(?:decreas\w*|reduc\w*|lower(?:s|ed|ing)?|declin\w*|fell|fall(?:s|ing)?|less|fewer|smaller|attenuat\w*|downregulat\w*|down-regulat\w*|suppress\w*|inhibit\w*|block(?:s|ed|ing)?|diminish\w*|shorter|shorten\w*|slow(?:s|ed|ing)?|loss(?:es)?|lost|deplet\w*|weaker|deplet\w*)\b/i,
  ],
  ["better", /\b(?:improv\w*|better|benefi\w*|superior\w*|effective\w*|efficac\w*|protect\w*|prevent\w*|safe)\b/i],
  [
    "worse",
    /\b(?:worse\w*|worsen\w*|inferior\w*|harm\w*|detriment\w*|toxic\w*|adverse\w*|impair\w*|exacerbat\w*|deteriorat\w*|unsafe)\b/i,
  ],
];

/** Which ways its words point: up, down, better, worse. */
export function directionsIn(text: string): string[] {
  return directions.flatMap(([name, pattern]) => (pattern.test(text) ? [name] : []));
}

const comparison =
  /\b(?:than|versus|vs\.?|compared (?:with|to)|in comparison|relative to|as (?:effective|safe|good|well) as|superior to|inferior to|non-?inferior|equivalent)\b/i;

export function compares(text: string): boolean {
  return comparison.test(text);
}

/** Words that look like names of genes, variants, trials or codes: with a digit or a capital inside, or in capitals. */
export function namesIn(text: string): string[] {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\-/′'’.+]*[\p{L}\p{N}+]|\p{L}/gu)) {
    const isCode = /\p{L}/u.test(word) && /\p{N}/u.test(word);
    const isCapitals = /^(?:[^\p{Ll}]*\p{Lu}){2}/u.test(word) || /\p{Ll}\p{Lu}/u.test(word);
    if (isCode || isCapitals) found.add(word);
  }
  return [...found];
}

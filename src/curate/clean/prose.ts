/**
 * Rules on prose: words broken at a line's end, marks of citations, spaces. Numbers in brackets are citations only where nothing
 * speaks for a range, an interval, an isotope, a formula or an equation; where in doubt they stay.
 */
import { replaceAll, type CleanContext, type CleanRule } from "./rule.ts";

/** First parts that keep their hyphen: "non-\nspecific" is "non-specific". */
const keepsHyphen =
  /^(?:anti|non|post|pre|self|well|co|re|long|short|high|low|cross|multi|inter|intra|sub|over|under|double|single|one|two|three|four|half|cell|dose|time|case|meta|follow|age|risk|life|health|semi|quasi|pro|ex|all|case|beta|alpha|gamma)$/i;

const broken = /(?<![\p{L}-])(\p{L}*\p{Ll})[-‐][ \t]*\n[ \t]*(\p{Ll}{2,})/gu;

/** What a document's prose says of its words. */
interface Usage {
  /** Words, and words joined by hyphens. */
  readonly words: ReadonlySet<string>;
  /** Whether many lines end in a hyphen between small letters. */
  readonly breaksWords: boolean;
}
const usages = new WeakMap<CleanContext, Usage>();

function usageOf(context: CleanContext): Usage {
  const known = usages.get(context);
  if (known !== undefined) return known;
  const words = new Set<string>();
  for (const [joined] of context.prose().matchAll(/\p{L}+(?:-\p{L}+)*/gu)) {
    words.add(joined);
    if (joined.includes("-")) for (const word of joined.split("-")) words.add(word);
  }
  const breaks = [...context.prose().matchAll(/\p{Ll}[-‐][ \t]*\n[ \t]*\p{Ll}/gu)].length;
  const usage = { words, breaksWords: breaks >= 5 };
  usages.set(context, usage);
  return usage;
}

/** The word that was broken, as the document has it elsewhere, or as most are; undefined where nothing says that it was one. */
function joined(match: RegExpExecArray, context: CleanContext): string | undefined {
  const [, first, second] = match as unknown as [string, string, string];
  const { words, breaksWords } = usageOf(context);
  if (words.has(`${first}-${second}`)) return `${first}-${second}`;
  if (words.has(first + second)) return first + second;
  // A line that breaks a word is full, and not the only one: a dash, or a speaker who was interrupted, ends others.
  const isFull = match.index - match.input.lastIndexOf("\n", match.index) > 30;
  if (!breaksWords || !isFull) return undefined;
  return keepsHyphen.test(first) ? `${first}-${second}` : first + second;
}

const numbers = String.raw`\d{1,3}(?: ?[-–,;] ?\d{1,3})*`;
const squareCitation = new RegExp(String.raw`(?<![ \t\u00a0])[ \t\u00a0]*\[(${numbers})\]`, "g");
const roundCitation = new RegExp(String.raw`(?<=\p{Ll}{3}[)"”’]?)[ \t\u00a0]\((${numbers})\)`, "gu");
/** Words before a number in brackets that is no citation. */
const measured =
  /(?:\b(?:range|ranges|ranging|interval|intervals|CI|CIs|IQR|SD|SE|SEM|median|mean|average|score|scores|scale|between|from|in|on|of|to|at|by|with|equation|equations|eq|eqs|fig|figs|figure|figures|table|tables|ref|refs|reference|references|formula|step|steps|stage|grade|class|type|phase|group|groups|item|items|day|days|week|weeks|month|months|year|years|age|aged|number|no|and|or|the|a|an|is|was|are|were|than|over|under|about)\b\.?|[\d%=<>±≤≥×/:([+*]|\d ?[a-zµ%]{1,3})$/i;

/** Numbers of a citation grow, begin at 1, and a range is one of a few. */
function isCitation(list: string): boolean {
  let before = 0;
  for (const part of list.split(/ ?[,;] ?/)) {
    const range = part.split(/ ?[-–] ?/).map(Number);
    if (range.length > 2 || range[0]! <= before) return false;
    if (range.length === 2 && (range[1]! <= range[0]! || range[1]! - range[0]! > 30)) return false;
    before = range.at(-1)!;
  }
  return true;
}

function withoutSquare(match: RegExpExecArray): string | undefined {
  const before = match.input.slice(Math.max(0, match.index - 24), match.index);
  const end = match.index + match[0].length;
  // "[14]C", "[1,2]oxazine", "[2,3]-shift", "[3](x)" are names; further brackets are citations in a row.
  const isPart = /^[\p{L}\d(^]|^[-–‐][\p{L}\d]|^\s*[=<>≤≥≈~×]/u.test(match.input.slice(end, end + 3));
  // "F[1,23]" and "λ ∈ [650, 800]" are of one letter; a line does not begin with its citation.
  const isOfLetter = /(?:^|[^\p{L}\p{N}])[\p{L}\p{S}]$|\n\s*$/u.test(before) || before === "";
  return isPart || isOfLetter || !isCitation(match[1]!) || measured.test(before) ? undefined : "";
}

/** Round brackets are citations where a text has many that end clauses, from the first on. */
function citesRound({ prose }: CleanContext): boolean {
  const cited = new Set<number>();
  // A zero is a code or a count.
  if (prose().includes("(0)")) return false;
  for (const match of prose().matchAll(roundCitation))
    if (endsClause(match)) for (const number of match[1]!.split(/\D+/)) cited.add(Number(number));
  return cited.size >= 8 && [1, 2, 3, 4].every((number) => cited.has(number));
}

function endsClause(match: RegExpExecArray): boolean {
  const end = match.index + match[0].length;
  const after = match.input.slice(end, end + 2);
  const before = match.input.slice(Math.max(0, match.index - 24), match.index);
  return /^[.,;](?:\s|$)|^$/.test(after) && isCitation(match[1]!) && !measured.test(before);
}

export const proseRules: readonly CleanRule[] = [
  {
    name: "hyphenation",
    about:
      "words broken at a line's end are whole; the hyphen stays where the document, or a first part such as non-, has it",
    proseOnly: true,
    apply: (text, context) =>
      text.includes("\n") ? replaceAll(text, broken, (match) => joined(match, context)) : { text, count: 0 },
  },
  {
    name: "citations",
    about: 'marks of citations go, "[1,2]" and, where a text cites so, "(1–3)"',
    proseOnly: true,
    apply(text, context) {
      // Where there is a zero, numbers in brackets are points of a scale.
      const square =
        text.includes("[") && !context.prose().includes("[0]")
          ? replaceAll(text, squareCitation, withoutSquare)
          : { text, count: 0 };
      if (!text.includes("(") || !citesRound(context)) return square;
      const round = replaceAll(square.text, roundCitation, (match) => (endsClause(match) ? "" : undefined));
      return { text: round.text, count: square.count + round.count };
    },
  },
  {
    name: "spaces",
    about: "spaces of other widths are spaces, several are one, none ends a line, and one blank line parts paragraphs",
    proseOnly: true,
    apply(text) {
      const widths = replaceAll(text, /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, () => " ");
      const runs = replaceAll(widths.text, / {2,}/g, () => " ");
      const ends = replaceAll(runs.text, /(?<![ \t])[ \t]+(?=\n|$)|\n{3,}/g, ([found]) =>
        found.startsWith("\n") ? "\n\n" : "",
      );
      const trimmed = ends.text.trim();
      const count = widths.count + runs.count + ends.count + Number(trimmed !== ends.text);
      return { text: trimmed, count };
    },
  },
];

/**
 * Regular expressions of tokenizer.json, written for Oniguruma, as JavaScript's: the subset that pre-tokenizers of
 * published models use. Categories are those of Unicode 16, which Oniguruma 6.9.10 has: characters that are newer
 * belong to none. What is not understood is refused, and so is what could take time without bound on some text.
 */
import { fieldError } from "../json.ts";

// Assigned after Unicode 16: letters, digits, punctuation, symbols and marks.
const newer =
  String.raw`\u{88f}\u{c5c}\u{cdc}\u{1acf}-\u{1add}\u{1ae0}-\u{1aeb}\u{20c1}\u{2b96}\u{a7ce}-\u{a7cf}\u{a7d2}\u{a7d4}\u{a7f1}` +
  String.raw`\u{fbc3}-\u{fbd2}\u{fd90}-\u{fd91}\u{fdc8}-\u{fdce}\u{10940}-\u{10959}\u{10ec5}-\u{10ec7}\u{10ed0}-\u{10ed8}` +
  String.raw`\u{10efa}-\u{10efb}\u{11b60}-\u{11b67}\u{11db0}-\u{11ddb}\u{11de0}-\u{11de9}\u{16ea0}-\u{16eb8}\u{16ebb}-\u{16ed3}` +
  String.raw`\u{16ff2}-\u{16ff6}\u{187f8}-\u{187ff}\u{18d09}-\u{18d1e}\u{18d80}-\u{18df2}\u{1ccfa}-\u{1ccfc}\u{1ceba}-\u{1ced0}` +
  String.raw`\u{1cee0}-\u{1cef0}\u{1e6c0}-\u{1e6ff}\u{1f6d8}\u{1f777}-\u{1f77a}\u{1f8d0}-\u{1f8d8}\u{1fa54}-\u{1fa57}\u{1fa8a}` +
  String.raw`\u{1fa8e}\u{1fac8}\u{1facd}\u{1faea}\u{1faef}\u{1fbfa}\u{2b73a}-\u{2b73f}\u{2cea2}-\u{2cead}\u{323b0}-\u{33479}`;

const categories = /^(?:L[ulmot]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?)$/;

/** `\p{L}` as Unicode 16 has it. */
function category(name: string): string {
  // A lower-case letter until Unicode 17.
  if (name === "Ll") return String.raw`[[\p{Ll}\u{295}]--[${newer}]]`;
  if (name === "Lo") return String.raw`[\p{Lo}--[${newer}\u{295}]]`;
  return String.raw`[\p{${name}}--[${newer}]]`;
}

/** The expression with JavaScript's flag v, for `new RegExp`. @throws DataError that names what is not understood. */
export function translated(file: string, field: string, pattern: string): string {
  const refuse = (what: string): never => {
    const hint = "this tokenizer splits text by an expression that is not understood";
    throw fieldError(
      file,
      field,
      "an expression of the kind that published tokenizers use",
      `${what} in ${pattern}`,
      hint,
    );
  };
  if (pattern.length > 2000) refuse("more than 2,000 characters");
  const state: State = { pattern, at: 0, depth: 0, refuse };
  const source = alternatives(state, false);
  if (state.at < pattern.length) refuse(")");
  try {
    if (new RegExp(source, "v").test("")) refuse("a match of no characters");
  } catch (error) {
    if (error instanceof SyntaxError) refuse("a mistake");
    throw error;
  }
  return source;
}

interface State {
  readonly pattern: string;
  at: number;
  depth: number;
  readonly refuse: (what: string) => never;
}

/** How many repetitions without limit a sequence may have: the time for a text grows with this power of its length. */
const MOST_REPETITIONS = 3;

function alternatives(state: State, ignoresCase: boolean): string {
  if (++state.depth > 5) state.refuse("groups five deep");
  const all: string[] = [];
  for (;;) {
    all.push(sequence(state, ignoresCase));
    if (state.pattern[state.at] !== "|") break;
    state.at++;
  }
  state.depth--;
  return all.join("|");
}

function sequence(state: State, ignoresCase: boolean): string {
  let source = "";
  let repetitions = 0;
  while (state.at < state.pattern.length && state.pattern[state.at] !== "|" && state.pattern[state.at] !== ")") {
    const isGroup = state.pattern[state.at] === "(";
    const item = atom(state, ignoresCase);
    const [quantifier] = /^(?:[?*+]|\{\d{1,3}(?:,\d{0,3})?\})?/.exec(state.pattern.slice(state.at))!;
    state.at += quantifier.length;
    if (quantifier !== "" && /[?*+]/.test(state.pattern[state.at] ?? ""))
      state.refuse(`${quantifier}${state.pattern[state.at]}`);
    const isUnlimited = /^[*+]|,\}$/.test(quantifier);
    if (isGroup && quantifier !== "" && quantifier !== "?") state.refuse("a repeated group");
    if (isUnlimited && ++repetitions > MOST_REPETITIONS)
      state.refuse(`more than ${MOST_REPETITIONS} repetitions in a row`);
    source += item + quantifier;
  }
  return source;
}

function atom(state: State, ignoresCase: boolean): string {
  const { pattern, refuse } = state;
  const character = String.fromCodePoint(pattern.codePointAt(state.at)!);
  if (character === "(") return group(state, ignoresCase);
  if (character === "[") return characterClass(state, ignoresCase);
  if (character === "\\") return escape(state);
  if (/[*+?{}.^$\]]/.test(character)) refuse(character);
  state.at += character.length;
  return ignoresCase ? eitherCase(character, refuse) : literal(character);
}

function group(state: State, ignoresCase: boolean): string {
  const [open] = /^\((?:\?(?:i:|:|=|!|<=|<!))?/.exec(state.pattern.slice(state.at))!;
  if (open === "(" && state.pattern[state.at + 1] === "?") state.refuse(state.pattern.slice(state.at, state.at + 4));
  state.at += open.length;
  const inner = alternatives(state, ignoresCase || open === "(?i:");
  if (state.pattern[state.at] !== ")") state.refuse("(");
  state.at++;
  return `${open === "(" || open === "(?i:" ? "(?:" : open}${inner})`;
}

function literal(character: string): string {
  return /^[\p{L}\p{N} '"<>!]$/u.test(character) ? character : `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** Simple case folding of ASCII letters, to which two characters beyond ASCII fold. */
function eitherCase(character: string, refuse: State["refuse"]): string {
  if (character.codePointAt(0)! > 0x7f) refuse(`${character} without regard to case`);
  if (!/[a-z]/i.test(character)) return literal(character);
  const lower = character.toLowerCase();
  const more = lower === "s" ? "\\u{17f}" : lower === "k" ? "\\u{212a}" : "";
  return `[${lower}${lower.toUpperCase()}${more}]`;
}

const escapes: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  r: "\\r",
  n: "\\n",
  t: "\\t",
};

function escape(state: State): string {
  const rest = state.pattern.slice(state.at);
  const property = /^\\(p|P)\{(\^?)(\w+)\}/.exec(rest);
  if (property !== null && categories.test(property[3]!)) {
    state.at += property[0].length;
    const isNegative = (property[1] === "P") !== (property[2] === "^");
    return isNegative ? `[^${category(property[3]!)}]` : category(property[3]!);
  }
  const [, code] = /^\\x\{([0-9a-fA-F]{1,6})\}/.exec(rest) ?? /^\\[ux]([0-9a-fA-F]{4})/.exec(rest) ?? [];
  if (code !== undefined && Number.parseInt(code, 16) <= 0x10ffff) {
    state.at += rest.startsWith("\\x{") ? code.length + 4 : 6;
    return `\\u{${code}}`;
  }
  const [, name = ""] = /^\\(.)/su.exec(rest) ?? [];
  state.at += 1 + name.length;
  if (name === "d") return category("Nd");
  if (name === "D") return `[^${category("Nd")}]`;
  const known = Object.hasOwn(escapes, name) ? escapes[name] : undefined;
  if (known !== undefined) return known;
  if (!/^[!-/:-@[-`{-~ ]$/.test(name)) state.refuse(`\\${name}`);
  return literal(name);
}

function characterClass(state: State, ignoresCase: boolean): string {
  const { pattern, refuse } = state;
  state.at++;
  const isNegative = pattern[state.at] === "^";
  if (isNegative) state.at++;
  let source = "";
  for (let first = true; pattern[state.at] !== "]" || first; first = false) {
    if (state.at >= pattern.length) refuse("[");
    const character = String.fromCodePoint(pattern.codePointAt(state.at)!);
    if (character === "[" || (character === "&" && pattern[state.at + 1] === "&") || (first && character === "]")) {
      refuse(`${character} in a class`);
    }
    if (character === "\\") {
      source += escape(state);
    } else {
      state.at += character.length;
      const isRange = character === "-" && source !== "" && pattern[state.at] !== "]";
      source += isRange ? "-" : ignoresCase ? eitherCase(character, refuse) : literal(character);
    }
  }
  state.at++;
  return `[${isNegative ? "^" : ""}${source}]`;
}

/**
 * Arguments checked against what a command declares, on Node's own parser: unknown options, missing or wrong values
 * and words too many are errors that say what is allowed.
 */
import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { didYouMean } from "../suggest.ts";
import { type Command, fewChoices, type Option } from "./command.ts";

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];
type Parsed = Record<string, string | number | boolean | string[] | undefined>;

/** Every command has these. */
export const commonOptions: Readonly<Record<string, Option>> = {
  json: { type: "flag", about: "Results as JSON lines on stdout, nothing else" },
  help: { type: "flag", about: "Show this help" },
};

/** @throws UsageError */
export function parseArguments(raw: readonly string[], command: Command): Parsed {
  const options: Readonly<Record<string, Option>> = { ...command.options, ...commonOptions };
  const tokens = tokenise(raw, options);
  const values: Parsed = {};
  for (const [name, option] of Object.entries(options)) {
    values[name] = option.type === "flag" ? false : option.many === undefined ? option.default : [];
  }
  const words: string[] = [];
  let greedy: string[] | undefined;
  for (const token of tokens) {
    refuseRenamed(token, command);
    if (token.kind === "option") greedy = setOption(token, options, values);
    else if (token.kind === "positional") {
      // Behind files a setting is the command's; behind a setting it is the option's, too.
      const own = !isSetting(token.value) || isSetting(greedy?.at(-1) ?? "");
      (own ? (greedy ?? words) : words).push(token.value);
    } else greedy = undefined;
  }
  setPositionals(words, command, values);
  for (const [name, option] of Object.entries(options)) {
    const value = values[name];
    if (option.required && (value === undefined || (Array.isArray(value) && value.length === 0))) {
      throw new UsageError(`expected --${name} ${option.hint}, got none`);
    }
  }
  return values;
}

/** @throws UsageError for an option that has another name now. */
function refuseRenamed(token: Token, { renamed = {} }: Command): void {
  if (token.kind !== "option" || !Object.hasOwn(renamed, token.name)) return;
  throw new UsageError(`${token.rawName}: unknown option`, { hint: `it is called --${renamed[token.name]} now` });
}

/** `schedule.peak=1e-3` is no file's name, wherever it stands; ./a=b is. */
function isSetting(word: string): boolean {
  return /^[a-z][\w.]*=/i.test(word);
}

function tokenise(raw: readonly string[], options: Readonly<Record<string, Option>>): readonly Token[] {
  const declared = Object.entries(options).map(([name, { type }]) => {
    const short = name === "help" ? { short: "h" } : {};
    return [
      name,
      { type: type === "flag" ? ("boolean" as const) : ("string" as const), multiple: true, ...short },
    ] as const;
  });
  return parseArgs({
    args: [...raw],
    options: Object.fromEntries(declared),
    strict: false,
    allowPositionals: true,
    tokens: true,
  }).tokens;
}

/** Stores one option; returns the list that the next words belong to, if they do. */
function setOption(
  { name, rawName, value }: Extract<Token, { kind: "option" }>,
  options: Readonly<Record<string, Option>>,
  values: Parsed,
): string[] | undefined {
  const option = Object.hasOwn(options, name) ? options[name]! : undefined;
  if (option === undefined || !(rawName.startsWith("--") || rawName === "-h")) {
    const known = Object.keys(options).map((known) => `--${known}`);
    const meant = didYouMean(rawName, known).hint;
    const hint = [...(meant === undefined ? [] : [meant]), `the options are ${known.join(", ")}`].join(" ");
    throw new UsageError(`${rawName}: unknown option`, { hint });
  }
  if (option.type === "flag") {
    if (value !== undefined) throw new UsageError(`${rawName}: expected no value, got "${value}"`);
    values[name] = true;
    return undefined;
  }
  if (value === undefined || /^--[a-z]/.test(value)) {
    throw new UsageError(
      `${rawName} ${option.hint}: expected a value, got ${value === undefined ? "none" : `"${value}"`}`,
    );
  }
  if (option.many !== undefined) {
    const list = values[name] as string[];
    list.push(value);
    return option.many === "greedy" ? list : undefined;
  }
  values[name] = valueOf(rawName, option, value);
  return undefined;
}

function valueOf(rawName: string, { type, choices, least }: Option, text: string): string | number {
  if (choices !== undefined && !choices.includes(text)) {
    throw new UsageError(`${rawName}: expected one of ${choices.join(", ")}, got "${text}"`, didYouMean(text, choices));
  }
  if (type === "text") return text;
  const value = Number(text);
  const right = text.trim() !== "" && (type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (!right || (least !== undefined && value < least)) {
    const kind = type === "integer" ? "a whole number" : "a number";
    throw new UsageError(`${rawName}: expected ${kind}${least === undefined ? "" : ` from ${least}`}, got "${text}"`);
  }
  return value;
}

function setPositionals(words: readonly string[], { positionals = {} }: Command, values: Parsed): void {
  let taken = 0;
  for (const [name, { required, many, choices, orFile }] of Object.entries(positionals)) {
    const rest = words.slice(taken, many ? undefined : taken + 1);
    taken += rest.length;
    values[name] = many ? rest : rest[0];
    const file = orFile === undefined ? "" : `, or a ${orFile} file`;
    const listed = choices === undefined || choices.length <= fewChoices ? choices?.join(", ") : "those in its help";
    const expected = name.toUpperCase() + (listed === undefined ? "" : `, one of ${listed}${file}`);
    if (required && rest.length === 0) throw new UsageError(`expected ${expected}, got none`);
    const isFile = (word: string): boolean => orFile !== undefined && word.endsWith(orFile);
    const wrong = rest.find((word) => choices?.includes(word) === false && !isFile(word));
    if (wrong !== undefined) throw new UsageError(`expected ${expected}, got "${wrong}"`, didYouMean(wrong, choices!));
  }
  if (taken === words.length) return;
  const names = Object.entries(positionals).map(([name, { many }]) => `${name.toUpperCase()}${many ? "…" : ""}`);
  throw new UsageError(
    `expected ${names.length === 0 ? "options only" : names.join(" ")}, got "${words[taken]}" as well`,
  );
}

/** The options of generation as the command line has them: the library's names with hyphens. */
import { ConfigError, UsageError } from "../errors.ts";
import type { GenerateOptions } from "../generate/index.ts";
import type { Option } from "./command.ts";
import { lookupOptions, repeatGuardOf, repeatGuardOptions } from "./decoding-options.ts";
import { parseRows } from "./rows.ts";

const integer = (about: string, least = 0): { type: "integer"; hint: "N"; least: number; about: string } => ({
  type: "integer",
  hint: "N",
  least,
  about,
});
const number = (about: string): { type: "number"; hint: "X"; about: string } => ({ type: "number", hint: "X", about });

export const generateOptions = {
  "max-length": integer("Most tokens, the prompt's included (default: the prompt's and 20)", 1),
  "max-new-tokens": integer("Most new tokens; goes before --max-length", 1),
  "min-length": integer("Fewest tokens, the prompt's included"),
  "min-new-tokens": integer("Fewest new tokens"),
  "num-beams": integer("Beams of beam search (default: 1, none)", 1),
  "length-penalty": number("Beam scores are divided by length to this power (default: 1)"),
  "early-stopping": { type: "text", hint: "WHEN", choices: ["true", "false", "never"], about: "When beam search ends" },
  "do-sample": { type: "flag", about: "Draw tokens instead of taking the most likely" },
  temperature: number("Of sampling; below 1: safer (default: 1)"),
  "top-k": integer("Sample from the K most likely; 0: all (default: 50)"),
  "top-p": number("Sample from the most likely that hold this share (default: 1)"),
  "min-p": number("Sample from those at least this share as likely as the first"),
  "repetition-penalty": number("Above 1: tokens that were used become less likely"),
  "no-repeat-ngram-size": integer("No run of N tokens twice"),
  "bad-words-ids": { type: "text", hint: "IDS", about: "Sequences never to be written: 5,6;7" },
  "num-return-sequences": integer("Texts for each prompt (default: 1)", 1),
  "stop-strings": { type: "text", hint: "TEXT", many: "repeat", about: "End where one of these was written" },
  "eos-token-id": { type: "text", hint: "IDS", about: "Ids that end a text: 2 or 2,5" },
  "pad-token-id": integer("Id of padding"),
  seed: integer("Of sampling (default: 0)"),
  scoring: { type: "text", hint: "NAME", choices: ["huggingface", "fairseq"], about: "How beams are scored" },
  ...lookupOptions,
  ...repeatGuardOptions,
} as const satisfies Readonly<Record<string, Option>>;

/** The options that were given, under the library's names. */
export function toGenerateOptions(args: Readonly<Record<string, unknown>>): Partial<GenerateOptions> {
  const options: Record<string, unknown> = { repeatGuard: repeatGuardOf(args) ?? "beams" };
  if (args["no-lookup"] === true) options["lookup"] = false;
  for (const name of Object.keys(generateOptions)) {
    if (Object.hasOwn(repeatGuardOptions, name) || Object.hasOwn(lookupOptions, name)) continue;
    const value = args[name];
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) continue;
    options[camelCase(name)] = convert(name, value);
  }
  return options;
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function convert(name: string, value: unknown): unknown {
  if (name === "early-stopping") return value === "never" ? value : value === "true";
  if (name === "bad-words-ids") return parseRows(`--${name}`, value as string);
  if (name !== "eos-token-id") return value;
  const rows = parseRows(`--${name}`, value as string);
  if (rows.length > 1) throw new UsageError(`--${name}: expected one row of ids, got ${rows.length}`);
  return rows[0];
}

/** The library's message with its option names as the command line has them. */
export function inOptionNames(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  let { message } = error;
  for (const name of Object.keys(generateOptions)) {
    const camel = camelCase(name);
    if (camel !== name) message = message.replace(new RegExp(`\\b${camel}\\b(: true)?`, "g"), `--${name}`);
  }
  return new ConfigError(message, { cause: error });
}

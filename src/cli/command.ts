/**
 * What a command is: a description, options, examples and a function. Files under `commands/` import the library
 * inside `run`, so that help comes without loading ONNX Runtime.
 */
import { UsageError } from "../errors.ts";
import type { Output } from "./output.ts";
import type { Progress } from "./progress.ts";

export interface Option {
  readonly type: "flag" | "text" | "integer" | "number";
  readonly about: string;
  /** What stands for the value in help: FILE, N. */
  readonly hint?: string;
  readonly required?: true;
  readonly default?: string | number;
  readonly choices?: readonly string[];
  readonly least?: number;
  /** It is a model's: a name of Hugging Face's hub is fetched before the command runs, all of it or the tokenizer. */
  readonly part?: "model" | "tokenizer";
  /** Where it is a model's: an address of a server is taken, too. */
  readonly servers?: true;
  /** May be given several times; "greedy": and takes every word up to the next option, as a shell's *.xml gives. */
  readonly many?: "repeat" | "greedy";
}

/** So many choices are listed where one is expected; more have a section of their own in help. */
export const fewChoices = 12;

export interface Positional {
  readonly about: string;
  readonly required?: true;
  readonly choices?: readonly string[];
  /** As of options. */
  readonly part?: "model" | "tokenizer";
  /** Or a file whose name ends so. */
  readonly orFile?: string;
  /** The last one may take all that is left. */
  readonly many?: true;
}

type Options = Readonly<Record<string, Option>>;
type Positionals = Readonly<Record<string, Positional>>;

type Given<O, T> = T | (O extends { required: true } | { default: string | number } ? never : undefined);
type OptionValue<O extends Option> = O["type"] extends "flag"
  ? boolean
  : O extends { many: string }
    ? string[]
    : Given<O, O["type"] extends "text" ? string : number>;
type PositionalValue<P extends Positional> = P extends { many: true } ? string[] : Given<P, string>;

/** Values by name: options as they are declared, positionals in their own lower-case names. */
export type Values<O extends Options, P extends Positionals> = { readonly [K in keyof O]: OptionValue<O[K]> } & {
  readonly [K in keyof P]: PositionalValue<P[K]>;
};

export interface Context<Arguments> {
  readonly args: Arguments;
  /** --json was given. */
  readonly json: boolean;
  readonly output: Output;
  /** A line on stderr that is redrawn; nothing with --json. */
  progress(label: string): Progress;
  /** Aborted by the first Ctrl-C, where the command is `stoppable`. */
  readonly signal: AbortSignal;
}

export interface Definition<O extends Options, P extends Positionals> {
  readonly about: string;
  /** More than a line, for the command's own help. */
  readonly details?: string;
  readonly positionals?: P;
  readonly options: O;
  /** What options were called before, and are called now. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Without the leading "galen", each with what it does. */
  readonly examples: readonly (readonly [command: string, about: string])[];
  /** More tables for its help: a title, and rows of two columns each. */
  readonly sections?: readonly (readonly [title: string, rows: readonly (readonly [string, string])[]])[];
  /** Help about what the words name, such as a recipe; undefined: the command's own. */
  topicHelp?(words: readonly string[]): Promise<string | undefined>;
  /** Ends in order when its signal is aborted. */
  readonly stoppable?: boolean;
  run(context: Context<Values<O, P>>): Promise<void>;
}

export type Command = Definition<Options, Positionals>;

/** Types `run`'s arguments by the options and positionals declared. */
export function command<const O extends Options, const P extends Positionals = Record<never, Positional>>(
  definition: Definition<O, P>,
): Command {
  return definition as unknown as Command;
}

/** What is taken wherever a model is. */
export const modelSources =
  "MODEL is a folder, a file such as model.gguf, or a name of Hugging Face's hub: org/name, org/name@revision, org/name:file.gguf.";
export const modelOption = { type: "text", hint: "MODEL", part: "model" } as const satisfies Omit<Option, "about">;
export const tokenizerOption = { type: "text", hint: "MODEL", part: "tokenizer" } as const satisfies Omit<
  Option,
  "about"
>;

/** Where a model runs. The names are `devices` of the runtime, which help must not load. */
export const deviceOptions = {
  device: { type: "text", hint: "NAME", choices: ["cpu", "webgpu", "cuda", "auto"], about: "Where the model runs" },
  threads: { type: "integer", hint: "N", least: 1, about: "Threads within an operation (default: one a core)" },
} as const satisfies Options;

/** Of commands that run a model: where, and how many bits its weights are held in. */
export const modelOptions = {
  ...deviceOptions,
  bits: {
    type: "integer",
    hint: "N",
    choices: ["4", "8"],
    about: "Hold weights in 4 or 8 bits: less memory, faster generation (galen quantize does it once)",
  },
  "any-memory": { type: "flag", about: "Load a model that is larger than the free memory" },
} as const satisfies Options;

/** Of commands that generate. The names are `engines` of the library's `loadModel`. */
export const engineOption = {
  engine: {
    type: "text",
    hint: "NAME",
    choices: ["onnx", "llama.cpp"],
    about: "What runs a .gguf model: ONNX Runtime (default), or llama.cpp where node-llama-cpp is installed",
  },
} as const satisfies Options;

/** Of commands that read documents, which may be tables. */
export const columnOptions = {
  "text-column": {
    type: "text",
    hint: "NAME",
    about: "Column of a table (CSV, TSV, Parquet) with the texts (default: text)",
  },
  "id-column": { type: "text", hint: "NAME", about: "Column with their identifiers (default: id)" },
} as const satisfies Options;

/** Of commands that read texts with labels. */
export const labelColumnOptions = {
  "text-column": columnOptions["text-column"],
  "label-column": {
    type: "text",
    hint: "NAME",
    about: "Column of a table (CSV, TSV, Parquet) with the labels (default: label)",
  },
} as const satisfies Options;

/** Which examples a recipe learns from, and how much of it. */
export const recipeOptions = {
  ...labelColumnOptions,
  limit: { type: "integer", hint: "N", least: 1, about: "Learn from the first N examples only" },
  scale: {
    type: "text",
    hint: "SCALE",
    choices: ["full", "debug"],
    default: "full",
    about: "debug: the same code in seconds",
  },
} as const satisfies Options;

type ColumnValues = { readonly [Name in "id-column" | "text-column" | "label-column"]?: string | undefined };

/** `columnOptions` as readers take them. */
export function columnsOf(values: ColumnValues): { id?: string; text?: string; label?: string } {
  const names = (["id", "text", "label"] as const).map((field) => [field, values[`${field}-column`]]);
  return Object.fromEntries(names.filter(([, name]) => name !== undefined));
}

/** Of commands that are applied to texts: theirs as words, or those of a file (`textsOf` in texts.ts). */
export const fileOptions = {
  file: {
    type: "text",
    hint: "FILE",
    about: 'Texts of a file: one a line, JSON lines with "text", or a table (CSV, TSV, Parquet); - is stdin',
  },
  ...columnOptions,
} as const satisfies Options;

/** Of commands that write a file: without it none that is there is replaced, which `main` sees to. */
export const overwriteOption = {
  overwrite: { type: "flag", about: "Replace a file that is there" },
} as const satisfies Options;

/** Of evaluations on a benchmark. */
export const exampleOptions = {
  split: {
    type: "text",
    hint: "NAME",
    choices: ["train", "valid", "test"],
    default: "test",
    about: "Which examples",
  },
  limit: { type: "integer", hint: "N", least: 1, about: "The first N examples only" },
} as const satisfies Options;

/** Of evaluations that are kept and resumed. */
export const folderOptions = {
  output: { type: "text", hint: "DIR", about: "Keep the report, and what is computed window by window, for --resume" },
  resume: { type: "flag", about: "Go on where the run in --output ended, with the same report in the end" },
} as const satisfies Options;

interface ModelValues {
  readonly device: string | undefined;
  readonly threads: number | undefined;
  readonly bits: number | undefined;
  readonly "any-memory": boolean;
  readonly engine?: string | undefined;
}

/** `modelOptions` as `loadModel` takes them. */
export function loadOptions({ device, threads, bits, engine, "any-memory": any }: ModelValues): {
  device?: "cpu" | "webgpu" | "cuda" | "auto";
  threads?: number;
  weights?: "int4" | "int8-groups";
  memory?: "any";
  engine?: "onnx" | "llama.cpp";
} {
  return {
    ...(device === undefined ? {} : { device: device as "cpu" }),
    ...(threads === undefined ? {} : { threads }),
    ...(any ? { memory: "any" } : {}),
    ...(engine === undefined ? {} : { engine: engine as "onnx" }),
    ...(bits === undefined ? {} : { weights: bits === 4 ? "int4" : "int8-groups" }),
  };
}

/** `loadOptions` of commands with `--int8`. @throws UsageError where both are given. */
export function batchLoadOptions(
  values: ModelValues & { readonly int8: boolean },
): Omit<ReturnType<typeof loadOptions>, "weights"> & { weights?: "int4" | "int8-groups" | "int8" } {
  if (!values.int8) return loadOptions(values);
  if (values.bits === undefined) return { ...loadOptions(values), weights: "int8" };
  throw new UsageError("--int8: expected it without --bits, got both", {
    hint: "--int8 multiplies in eight bits, for speed; --bits is how weights are held, for memory",
  });
}

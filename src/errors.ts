/**
 * Every error class of Galen. A message says where, what was expected, what came, and, where there is a next
 * step, what to do: `model.safetensors: tensor "x" expected shape [2, 3], got [3, 2]. Hint: ...`.
 * User mistakes throw these; broken invariants use `assert`.
 */

export type ErrorCode =
  | "SHAPE" // shapes or dtypes that do not fit, found while a graph is built
  | "DATA" // a text, corpus or dataset file that cannot be read as what it should be
  | "CONFIG" // a setting, recipe or config.json that is missing, unknown or out of range
  | "CHECKPOINT" // weights or training state that are missing, truncated, hostile or of another model
  | "RUNTIME" // ONNX Runtime, a device or a provider failed
  | "USAGE"; // a command was called the wrong way (exit code 2)

/** Most characters of a value in a message. */
const shown = 200;

/** A message whose values, in quotes or behind "got", are cut where they are long: one may be a whole file. */
function withShortValues(message: string): string {
  const cut = (value: string): string => (value.length <= shown ? value : `${value.slice(0, shown)}…`);
  return message
    .replace(/(got ")([^]*)"/, (_, before: string, value: string) => `${before}${cut(value)}"`)
    .replace(/(got )([[{][^]*)/, (_, before: string, value: string) => before + cut(value))
    .split('"')
    .map((part, i) => (i % 2 === 0 ? part : cut(part)))
    .join('"');
}

/** Base class: `instanceof GalenError` separates a mistake that can be explained from a bug. */
export class GalenError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    const short = withShortValues(message);
    super(options.hint === undefined ? short : `${short}\nHint: ${options.hint}`, { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
  }
}

type Options = { hint?: string | undefined; cause?: unknown };

export class ShapeError extends GalenError {
  constructor(message: string, options?: Options) {
    super("SHAPE", message, options);
  }
}

export class DataError extends GalenError {
  constructor(message: string, options?: Options) {
    super("DATA", message, options);
  }
}

export class ConfigError extends GalenError {
  constructor(message: string, options?: Options) {
    super("CONFIG", message, options);
  }
}

export class CheckpointError extends GalenError {
  constructor(message: string, options?: Options) {
    super("CHECKPOINT", message, options);
  }
}

export class RuntimeError extends GalenError {
  constructor(message: string, options?: Options) {
    super("RUNTIME", message, options);
  }
}

export class UsageError extends GalenError {
  constructor(message: string, options?: Options) {
    super("USAGE", message, options);
  }
}

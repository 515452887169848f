/**
 * Models by their names on Hugging Face's hub, wherever a model's folder is taken. Everything else takes the folder that
 * `resolveModel` gives; what speaks to the hub is loaded with the first name.
 */
import { UsageError } from "../errors.ts";
import { required } from "../schema.ts";
import { describeName, hubNameOf, parseHubName } from "./name.ts";
import type { Part } from "./needed.ts";
import type { HubProgress } from "./snapshot.ts";

export { hubNameOf, hubSourceOf } from "./name.ts";
export type { HubProgress } from "./snapshot.ts";

export interface ResolveOptions {
  /** "tokenizer": without the weights. Default "model". */
  readonly part?: Part | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: HubProgress) => void) | undefined;
}

/**
 * The path of a model that is given as a path, or as a name of Hugging Face's hub: `org/name`, `org/name@revision`, or
 * `org/name:file.gguf`. A path comes back as it is. A name's files are fetched into the cache that Python uses, those that
 * are needed and are not there; the environment says where that is and who asks (`HF_HOME`, `HF_TOKEN`, `HF_HUB_OFFLINE`).
 * @throws ConfigError for a model or revision that there is not; CheckpointError where it cannot be had.
 */
export async function resolveModel(source: string, options: ResolveOptions = {}): Promise<string> {
  required("model directory", source, "text");
  const name = hubNameOf(source);
  if (name === undefined) return source;
  const { fetchModel } = await import("./snapshot.ts");
  const { part = "model", signal = new AbortController().signal, onProgress } = options;
  return (await fetchModel(name, { part, signal, onProgress })).path;
}

export interface PullOptions extends Omit<ResolveOptions, "part"> {
  /** A folder to write the files to, instead of the cache. */
  readonly output?: string | undefined;
}

export interface Pulled {
  readonly name: string;
  readonly commit: string;
  /** What a model is opened by. */
  readonly path: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** Bytes that came now; the rest was there. */
  readonly fetched: number;
}

/** Fetches a model of the hub. @throws UsageError for what is no name; else as `resolveModel`. */
export async function pullModel(source: string, options: PullOptions = {}): Promise<Pulled> {
  required("pullModel: source", source, "text");
  const name = parseHubName(source);
  if (name === undefined) {
    throw new UsageError(`expected a name of Hugging Face's hub, org/name, got "${source}"`, {
      hint: "or org/name@revision, org/name:file.gguf; a folder needs no fetching",
    });
  }
  const { fetchModel } = await import("./snapshot.ts");
  const { output, signal = new AbortController().signal, onProgress } = options;
  return { name: describeName(name), ...(await fetchModel(name, { part: "model", output, signal, onProgress })) };
}

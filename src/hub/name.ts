/**
 * What is a name of Hugging Face's hub, and what is a path: `org/name`, `org/name@revision`, `org/name:file.gguf`. What
 * exists on disk is a path, and so is what lies in a folder that exists, or nearly does: that is a slip of the finger.
 */
import { existsSync } from "node:fs";
import { required } from "../schema.ts";
import { nearestFolder } from "../suggest.ts";

export interface HubName {
  /** "org/name"; a few old models have one part. */
  readonly repo: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** A GGUF file of it. */
  readonly file: string | undefined;
}

const part = String.raw`\w(?:[\w.-]{0,94}\w)?`;
const written = new RegExp(
  String.raw`^(?<repo>${part}(?:/${part})?)(?:@(?<revision>\w[\w./-]*))?(?::(?<file>\w[\w./-]*\.gguf))?$`,
);

/** The hub's rules for names; undefined for what cannot be one. */
export function parseHubName(text: string): HubName | undefined {
  const { repo, revision, file } = written.exec(text)?.groups ?? {};
  // Two dots lead out of folders, two hyphens separate the parts of a name in the cache.
  if (repo === undefined || text.includes("..") || repo.includes("--")) return undefined;
  return { repo, revision: revision ?? "main", file };
}

/** As it is written. */
export function describeName({ repo, revision, file }: HubName): string {
  return `${repo}${revision === "main" ? "" : `@${revision}`}${file === undefined ? "" : `:${file}`}`;
}

/** Files of models are given as paths. */
const file = /\.(?:gguf|safetensors|bin|pt|pth|model|json|jsonl|txt|onnx)$/i;

/** The name that `source` is; undefined where it is a path. */
export function hubNameOf(source: string): HubName | undefined {
  const name = parseHubName(source);
  if (name === undefined || existsSync(source)) return undefined;
  if (/[@:]/.test(source)) return name;
  const [folder, inside] = source.split("/");
  if (inside === undefined || file.test(inside) || existsSync(folder!)) return undefined;
  return nearestFolder(source) === undefined ? name : undefined;
}

/** `org/name@commit` of a folder in the hub's cache, with `:file.gguf` of a file there; undefined for other paths. */
export function hubSourceOf(path: string): string | undefined {
  required("hubSourceOf: path", path, "text");
  const parts = /(?:^|[\\/])models--([^\\/]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/](.+\.gguf))?[\\/]?$/.exec(path);
  if (parts === null) return undefined;
  const [, repo, commit, inside] = parts;
  return `${repo!.replaceAll("--", "/")}@${commit}${inside === undefined ? "" : `:${inside.replaceAll("\\", "/")}`}`;
}

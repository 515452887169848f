/**
 * What the hub says of a model, by @huggingface/hub: the commit of a revision, and its files. That library's requests go
 * through `answers.ts`, answers are bounded, and what a file is called, its size and its hash are looked at before use.
 */
import { setTimeout as wait } from "node:timers/promises";
import { listFiles, modelInfo } from "@huggingface/hub";
import * as z from "zod";
import { CheckpointError, GalenError } from "../errors.ts";
import { type Asked, isUnreachable, request } from "./answers.ts";
import { describeName } from "./name.ts";

/** A file of a commit. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** What names it in the cache: SHA-256 of large files, git's SHA-1 of the rest. */
  readonly etag: string;
}

const answerMs = 30_000;
const mostBytes = 64 << 20;
const mostFiles = 100_000;
const tries = 3;

const fileSchema = z.object({
  path: z.string().refine(isInside, { error: "expected a file inside its folder" }),
  size: z.int().min(0),
  oid: z.string().regex(/^[0-9a-f]{40}$/),
  lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0) }).nullish(),
});

/** By the rules of every system: what is made here may be read elsewhere. */
function isInside(path: string): boolean {
  const isName = (part: string): boolean => part !== "" && part !== "." && part !== ".." && !/[\\:\0]/.test(part);
  return path.split("/").every(isName);
}

/** The commit that the revision is now. @throws ConfigError where there is no such model or revision, or none for this asker. */
export function commitOf(asked: Asked, signal: AbortSignal): Promise<string> {
  const { repo, revision } = asked.name;
  return answered(asked, signal, async (common) => {
    const { sha } = await modelInfo({ ...common, name: repo, revision, additionalFields: ["sha"] });
    if (/^[0-9a-f]{40}$/.test(String(sha))) return sha;
    throw wrong(asked, `the commit ${JSON.stringify(sha)}`);
  });
}

/** All files of a commit. @throws CheckpointError where a path leads out of its folder, or a size or a hash is none. */
export function filesOf(asked: Asked, commit: string, signal: AbortSignal): Promise<HubFile[]> {
  return answered(asked, signal, async (common) => {
    const found: HubFile[] = [];
    for await (const entry of listFiles({ ...common, repo: asked.name.repo, revision: commit, recursive: true })) {
      if (entry.type === "directory") continue;
      const { data, error } = fileSchema.safeParse(entry);
      if (data === undefined) {
        const [issue] = error.issues;
        const shown = JSON.stringify(entry)?.slice(0, 120);
        throw wrong(asked, `a file whose ${issue!.path.join(".")} is none (${issue!.message}): ${shown}`);
      }
      const { path, size, oid, lfs } = data;
      found.push({ path, size: lfs?.size ?? size, etag: lfs?.oid ?? oid });
      if (found.length > mostFiles) throw wrong(asked, `more than ${mostFiles} files`);
    }
    return found;
  });
}

interface Common {
  readonly hubUrl: string;
  readonly fetch: typeof fetch;
}

/** What the hub answers; asked again after a moment where it does not. */
async function answered<T>(asked: Asked, signal: AbortSignal, ask: (common: Common) => Promise<T>): Promise<T> {
  const common = { hubUrl: asked.settings.endpoint, fetch: fetchOf(asked, signal) };
  for (let time = 1; ; time++) {
    try {
      return await ask(common);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GalenError)) throw wrong(asked, (error as Error).message, error);
      if (!isUnreachable(error) || time === tries) throw error;
      await wait(500 * 2 ** time, undefined, { signal });
    }
  }
}

function fetchOf(asked: Asked, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    // A list's next page is where the last one says.
    if (url.origin !== new URL(asked.settings.endpoint).origin)
      throw wrong(asked, `a list that goes on at ${url.origin}`);
    const headers = Object.fromEntries(new Headers(init?.headers));
    const response = await request(asked, url, headers, AbortSignal.any([signal, AbortSignal.timeout(answerMs)]));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw wrong(asked, `an answer of more than ${mostBytes} bytes`);
      parts.push(chunk);
    }
    return new Response(new Blob(parts), { headers: response.headers });
  };
}

function wrong({ name, settings }: Asked, got: string, cause?: unknown): CheckpointError {
  return new CheckpointError(`${describeName(name)}: expected answers as of Hugging Face's hub, got ${got}`, {
    cause,
    hint: `is ${settings.endpoint} a hub of models? HF_ENDPOINT names it`,
  });
}

/**
 * A hub of models on loopback, as Hugging Face's answers clients: models by name and revision, lists of files by page,
 * files by commit with their hashes, large ones from storage at another origin, gates and refusals by its own codes. It
 * can be told to break off, to lie, and to be silent. Python's huggingface_hub works against it, too.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";

export interface HubModel {
  /** Contents by path. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** "main" and others, with a commit each; default: main alone. */
  readonly revisions?: Readonly<Record<string, string>>;
  readonly gated?: boolean;
  /** What the list says instead of the truth. */
  readonly listed?: readonly object[];
}

/** What goes wrong with one answer of a file. */
export interface Fault {
  /** Bytes after which the connection breaks. */
  readonly breakAfter?: number;
  readonly body?: Uint8Array;
  /** The whole file whatever was asked for. */
  readonly ignoreRange?: boolean;
  /** More and more bytes. */
  readonly endless?: boolean;
  readonly status?: number;
  /** Before the answer. */
  readonly delayMs?: number;
}

export interface Hub extends AsyncDisposable {
  readonly url: string;
  /** Of models by name; may be changed. */
  readonly models: Map<string, HubModel>;
  /** "GET /path", as they came; of files with their range and whether a token came with it. */
  readonly requests: { method: string; path: string; range: string | undefined; token: string | undefined }[];
  /** Requests for the contents of files. */
  fetched(): string[];
  /** Of the time-th answer with this file's contents, from 0. */
  fault: ((path: string, time: number) => Fault | undefined) | undefined;
  pageSize: number;
}

export const mainCommit = "0123456789abcdef0123456789abcdef01234567";
export const goodToken = "hf_good";

const isLarge = (path: string): boolean => /\.(?:safetensors|bin|gguf|pt|h5|msgpack|onnx)$/.test(path);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const gitHash = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
export const etagOf = (path: string, bytes: Uint8Array): string => (isLarge(path) ? sha256 : gitHash)(bytes);

/** All files of a folder, as a model's. */
export function filesOfFolder(folder: string): Record<string, Uint8Array> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.map((name) => [name.replaceAll("\\", "/"), readFileSync(join(folder, name))]));
}

/** Starts a hub with these models. */
export async function startHub(models: Readonly<Record<string, HubModel>>): Promise<Hub> {
  const hub: Omit<Hub, "url" | typeof Symbol.asyncDispose> & { url: string; storage: string } = {
    url: "",
    storage: "",
    models: new Map(Object.entries(models)),
    requests: [],
    fetched: () =>
      hub.requests.flatMap(({ method, path }) => (method === "GET" && !path.startsWith("/api/") ? [path] : [])),
    fault: undefined,
    pageSize: 1000,
  };
  const times = new Map<string, number>();
  const send = async (path: string, bytes: Uint8Array, asked: IncomingMessage, to: ServerResponse): Promise<void> => {
    const time = times.get(path) ?? 0;
    times.set(path, time + 1);
    await sendFile(bytes, hub.fault?.(path, time) ?? {}, asked, to);
  };
  const note = ({ method = "", url = "", headers }: IncomingMessage): void => {
    hub.requests.push({ method, path: url, range: headers.range, token: headers.authorization });
  };
  const storage = createServer((asked, to) => {
    note(asked);
    const [, repo, path] = /^\/storage\/(.+?)\/-\/(.+?)(?:\?.*)?$/.exec(decodeURIComponent(asked.url ?? "")) ?? [];
    void send(path!, hub.models.get(repo!)!.files[path!]!, asked, to);
  });
  const server = createServer((asked, to) => {
    note(asked);
    void answer(hub, asked, to, send);
  });
  // Another host by its name: clients keep the token from it, and do not take it for the hub.
  hub.storage = (await listen(storage)).replace("127.0.0.1", "localhost");
  hub.url = await listen(server);
  return Object.assign(hub, {
    async [Symbol.asyncDispose](): Promise<void> {
      for (const one of [server, storage]) {
        one.closeAllConnections();
        await new Promise((done) => one.close(done));
      }
    },
  });
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

type Send = (path: string, bytes: Uint8Array, asked: IncomingMessage, to: ServerResponse) => Promise<void>;

async function answer(
  hub: Pick<Hub, "models" | "pageSize" | "url"> & { readonly storage: string },
  asked: IncomingMessage,
  to: ServerResponse,
  send: Send,
): Promise<void> {
  const { pathname, searchParams } = new URL(asked.url ?? "/", hub.url);
  const token = asked.headers.authorization?.replace("Bearer ", "");
  const refuse = (status: number, code: string | undefined, message: string): void => {
    const named = code === undefined ? {} : { "x-error-code": code };
    to.writeHead(status, { ...named, "x-error-message": message, "content-type": "application/json" });
    to.end(asked.method === "HEAD" ? undefined : JSON.stringify({ error: message }));
  };
  if (token !== undefined && !/^hf_(?:good|other)$/.test(token)) {
    return refuse(401, undefined, "Invalid credentials in Authorization header");
  }
  const api = /^\/api\/models\/(.+?)(?:\/(revision|tree)\/([^/]+))?$/.exec(pathname);
  const file = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(pathname);
  const repo = api?.[1] ?? file?.[1];
  const model = repo === undefined ? undefined : hub.models.get(repo);
  // Whether there is a private one is nobody's business.
  if (model === undefined) {
    const message = token === undefined ? "Invalid username or password." : "Repository not found";
    return refuse(token === undefined ? 401 : 404, "RepoNotFound", message);
  }
  const { revisions = { main: mainCommit } } = model;
  const revision = decodeURIComponent(api?.[3] ?? file?.[2] ?? "main");
  const commit =
    revisions[revision === "HEAD" ? "main" : revision] ?? Object.values(revisions).find((one) => one === revision);
  if (commit === undefined) return refuse(404, "RevisionNotFound", `Invalid rev id: ${revision}`);
  if (api !== null) {
    const body = api[2] === "tree" ? listed(hub, model, searchParams, to, pathname) : about(repo!, model, commit);
    to.writeHead(200, { "content-type": "application/json" });
    to.end(JSON.stringify(body));
    return;
  }
  if (model.gated === true && token !== goodToken) {
    return refuse(token === undefined ? 401 : 403, "GatedRepo", `Access to model ${repo} is restricted.`);
  }
  const path = decodeURIComponent(file![3]!);
  const bytes = model.files[path];
  to.setHeader("x-repo-commit", commit);
  if (bytes === undefined) return refuse(404, "EntryNotFound", "Entry not found");
  if (!isLarge(path)) {
    to.setHeader("etag", `"${gitHash(bytes)}"`);
    return send(path, bytes, asked, to);
  }
  to.writeHead(302, {
    location: `${hub.storage}/storage/${encodeURIComponent(repo!)}/-/${encodeURIComponent(path)}?signature=x`,
    "x-linked-etag": `"${sha256(bytes)}"`,
    "x-linked-size": String(bytes.length),
    "content-length": "0",
  });
  to.end();
}

function about(repo: string, { files, gated = false }: HubModel, sha: string): object {
  return {
    _id: "0123456789abcdef01234567",
    id: repo,
    modelId: repo,
    sha,
    private: false,
    gated: gated ? "manual" : false,
    downloads: 0,
    likes: 0,
    tags: [],
    lastModified: "2024-01-01T00:00:00.000Z",
    siblings: Object.keys(files).map((rfilename) => ({ rfilename })),
  };
}

/** One page of the list. */
function listed(
  { pageSize, url }: Pick<Hub, "pageSize" | "url">,
  { files, listed: told }: HubModel,
  search: URLSearchParams,
  to: ServerResponse,
  pathname: string,
): readonly object[] {
  const folders = new Set(Object.keys(files).flatMap((path) => (path.includes("/") ? [path.split("/")[0]!] : [])));
  const all = told ?? [
    ...[...folders].map((path) => ({ type: "directory", oid: "0".repeat(40), size: 0, path })),
    ...Object.entries(files).map(([path, bytes]) => entryOf(path, bytes)),
  ];
  const start = Number(search.get("cursor") ?? 0);
  const end = start + pageSize;
  if (end < all.length) to.setHeader("link", `<${url}${pathname}?recursive=true&cursor=${end}>; rel="next"`);
  return all.slice(start, end);
}

/** A file as the list has it. */
export function entryOf(path: string, bytes: Uint8Array): object {
  const size = bytes.length;
  if (!isLarge(path)) return { type: "file", oid: gitHash(bytes), size, path };
  const lfs = { oid: sha256(bytes), size, pointerSize: 134 };
  return { type: "file", oid: "1".repeat(40), size, lfs, path };
}

async function sendFile(whole: Uint8Array, fault: Fault, asked: IncomingMessage, to: ServerResponse): Promise<void> {
  if (fault.delayMs !== undefined) await new Promise((done) => setTimeout(done, fault.delayMs));
  if (fault.status !== undefined) return void to.writeHead(fault.status).end();
  const bytes = fault.body ?? whole;
  const range = fault.ignoreRange === true ? null : /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? "");
  const start = range === null ? 0 : Number(range[1]);
  const last = range === null || range[2] === "" ? bytes.length - 1 : Number(range[2]);
  if (start >= bytes.length && range !== null) return void to.writeHead(416).end();
  const part = bytes.subarray(start, last + 1);
  to.setHeader("accept-ranges", "bytes");
  if (range !== null) to.setHeader("content-range", `bytes ${start}-${last}/${bytes.length}`);
  if (fault.endless !== true) to.setHeader("content-length", part.length);
  to.writeHead(range === null ? 200 : 206);
  if (asked.method === "HEAD") return void to.end();
  if (fault.breakAfter !== undefined) {
    to.write(part.subarray(0, fault.breakAfter), () => setTimeout(() => to.destroy(), 20));
    return;
  }
  if (fault.endless === true) {
    to.write(part);
    const timer = setInterval(() => to.write(new Uint8Array(65_536)), 1);
    to.on("close", () => clearInterval(timer));
    return;
  }
  to.end(part);
}

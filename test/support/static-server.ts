/** A server of files as any is: of folders by the beginnings of paths, TypeScript with its types stripped. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import * as nodeModule from "node:module";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".ts": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Undefined where this Node strips no types: a test says that it skips. */
export const stripTypes: ((text: string) => string) | undefined = (
  nodeModule as { stripTypeScriptTypes?: (text: string) => string }
).stripTypeScriptTypes;

export interface StaticServer extends AsyncDisposable {
  readonly url: string;
}

/**
 * @param folders by the beginnings of paths, "/models/".
 * @param answers instead of files: bodies by paths, and how many bytes are announced.
 */
export async function serveFiles(
  folders: Readonly<Record<string, string>>,
  answers: Readonly<Record<string, { body: string; length?: number; type?: string; status?: number }>> = {},
): Promise<StaticServer> {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url!, "http://localhost").pathname);
    const answer = answers[path];
    if (answer !== undefined) {
      const { body, length, type = "application/octet-stream", status = 200 } = answer;
      response.writeHead(status, { "Content-Type": type, "Content-Length": length ?? Buffer.byteLength(body) });
      response.write(body);
      if (length === undefined) response.end();
      else response.destroy();
      return;
    }
    const [start, folder] = Object.entries(folders).find(([one]) => path.startsWith(one)) ?? [];
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const bytes =
      folder === undefined || path.includes("..")
        ? undefined
        : await readFile(join(folder, name.slice(start!.length))).catch(() => undefined);
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream" });
    response.end(extname(name) === ".ts" ? stripTypes!(bytes.toString()) : bytes);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

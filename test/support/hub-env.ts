/** A test's own place in the world of Hugging Face's hub: a server on loopback, an empty cache, nobody's token. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { type Hub, type HubModel, startHub } from "./hub-server.ts";

export interface HubWorld extends AsyncDisposable {
  readonly hub: Hub;
  /** HF_HOME. */
  readonly home: string;
  /** Folder of a model in its cache. */
  model(name: string): string;
}

const variables = [
  "HF_HUB_CACHE",
  "HUGGINGFACE_HUB_CACHE",
  "HF_TOKEN",
  "HUGGING_FACE_HUB_TOKEN",
  "HF_TOKEN_PATH",
  "HF_HUB_OFFLINE",
  "TRANSFORMERS_OFFLINE",
  "HF_HUB_DISABLE_SYMLINKS",
];

/** Starts the hub and turns the environment to it, until it is disposed of. */
export async function hubWorld(models: Readonly<Record<string, HubModel>>): Promise<HubWorld> {
  const hub = await startHub(models);
  const home = mkdtempSync(join(tmpdir(), "galen-hub-"));
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", home);
  for (const name of variables) vi.stubEnv(name, undefined);
  return {
    hub,
    home,
    model: (name) => join(home, "hub", `models--${name.replaceAll("/", "--")}`),
    async [Symbol.asyncDispose]() {
      vi.unstubAllEnvs();
      await hub[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

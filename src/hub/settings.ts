/** Where the hub is, where its cache is and who asks: the environment variables of Python's huggingface_hub, read as it does. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

export interface HubSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Folder of `models--org--name`. */
  readonly cache: string;
  readonly token: string | undefined;
  /** Nothing is asked: the cache alone. */
  readonly offline: boolean;
  readonly symlinks: boolean;
}

const isSet = (name: string): boolean => /^(?:1|on|yes|true)$/i.test(process.env[name] ?? "");
const pathOf = (path: string): string => path.replace(/^~(?=$|[\\/])/, homedir());

export async function hubSettings(): Promise<HubSettings> {
  const { HF_ENDPOINT, HF_HOME, XDG_CACHE_HOME, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_TOKEN_PATH } = process.env;
  const home = HF_HOME ?? join(XDG_CACHE_HOME ?? join(homedir(), ".cache"), "huggingface");
  return {
    endpoint: (HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, ""),
    cache: pathOf(HF_HUB_CACHE ?? HUGGINGFACE_HUB_CACHE ?? join(home, "hub")),
    token: isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN")
      ? undefined
      : await tokenOf(pathOf(HF_TOKEN_PATH ?? join(home, "token"))),
    offline: isSet("HF_HUB_OFFLINE") || isSet("TRANSFORMERS_OFFLINE"),
    symlinks: !isSet("HF_HUB_DISABLE_SYMLINKS"),
  };
}

/** Of the environment, else as `hf auth login` stored it. */
async function tokenOf(path: string): Promise<string | undefined> {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN } = process.env;
  const token = HF_TOKEN || HUGGING_FACE_HUB_TOKEN || (await readFile(path, "utf8").catch(() => ""));
  return token.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

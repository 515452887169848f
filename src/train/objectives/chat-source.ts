/**
 * A decoder with what it needs to be taught by conversations: the model's chat template or a given one, which is written
 * beside the weights, and the tokens that end an answer, which generation has to know.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { ConfigError, DataError, GalenError } from "../../errors.ts";
import { readText } from "../../io/files.ts";
import { readSettings } from "../../io/json.ts";
import { checked } from "../../schema.ts";
import { configText } from "../../models/index.ts";
import { openModelFolder } from "../../runtime/folder.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { chatTemplates } from "../../tokenizers/chat.ts";
import { loadTokenizer } from "../../tokenizers/files.ts";
import { type Exchange, openTurns, simpleTemplate, type Supervised, type Turns } from "../../tokenizers/turns.ts";
import { saveModel } from "../checkpoint.ts";
import type { Context } from "./objective.ts";
import type { Source } from "./source.ts";

export const templateSetting = z
  .string()
  .nullable()
  .describe(
    'Chat template: a file of Jinja, or "simple" ("User: …", "Assistant: …"); null: the model\'s own, else simple',
  );

const defaultsName = "generation_config.json";
const ending = z.looseObject({ eos_token_id: z.union([z.int(), z.array(z.int())]).nullish() });

export interface ChatSource extends Source {
  readonly turns: Turns;
  /** Messages have been seen: the model is one of conversations. */
  readonly chats: boolean;
  /** What is learned of an exchange. @throws DataError that begins with `where`. */
  supervise(exchange: Exchange, where: string): Supervised[];
  /** Where it is not the model's own. */
  readonly template: string | undefined;
}

/** @throws ConfigError for a model that does not write, or a template that is missing. */
export async function openChatSource(
  folder: string,
  setting: string | null,
  { note }: Pick<Context, "note">,
): Promise<ChatSource> {
  const { family, config, entries } = await openModelFolder(folder, { as: "language" });
  if (!family.causal) throw new ConfigError(`${folder}: expected a decoder, got ${family.modelType}`);
  const tokenizer = await loadTokenizer(folder);
  const own = chatTemplates(tokenizer).get("default");
  const isSimple = setting === "simple" || (setting === null && own === undefined);
  const template = isSimple ? simpleTemplate(tokenizer) : setting === null ? undefined : await templateFile(setting);
  const turns = await openTurns(tokenizer, { template });
  let chats = false;
  return {
    folder,
    family,
    config,
    entries,
    tokenizer,
    turns,
    template,
    get chats() {
      return chats;
    },
    supervise(exchange, where) {
      try {
        const isText = "prompt" in exchange && typeof exchange.prompt === "string";
        if (!isText && !chats && setting === null && isSimple) {
          note(
            'the model has no chat template: Galen\'s simple one ("User: …", "Assistant: …") is used and written with it',
          );
        }
        chats ||= !isText;
        return "messages" in exchange ? turns.conversation(exchange) : [turns.completion(exchange)];
      } catch (cause) {
        if (!(cause instanceof GalenError)) throw cause;
        throw new DataError(`${where}: ${cause.message}`, { cause });
      }
    },
  };
}

async function templateFile(path: string): Promise<string> {
  if (existsSync(path)) return readText(path);
  throw new ConfigError(`template: expected a file of Jinja, or simple, got ${path}`);
}

/**
 * The tokens at which generation ends: those that the model has, and the one that ends an answer, of one as an example,
 * since a template may have another. @throws ConfigError for generation_config.json that cannot be read.
 */
export async function endsOf(
  { folder, config, tokenizer }: Pick<ChatSource, "folder" | "config" | "tokenizer">,
  { ids, learned }: { readonly ids: readonly number[]; readonly learned: readonly number[] },
): Promise<{ readonly ids: readonly number[]; readonly note?: string }> {
  const said = await readSettings(join(folder, defaultsName), ending, {});
  const { eos_token_id: configured } = checked(ending, config, "config.json");
  const known = new Set([said.eos_token_id ?? configured ?? tokenizer.special.eos ?? []].flat());
  // White space may follow: a template's line feed.
  const last = learned.map((place) => ids[place]!).findLast((id) => tokenizer.decode([id]).trim() !== "");
  if (last === undefined || known.has(last)) return { ids: [...known] };
  if (tokenizer.decode([last], { skipSpecialTokens: true }) === "") return { ids: [...known, last] };
  const shown = JSON.stringify(tokenizer.decode([last]));
  const note = `the first answer ends in ${shown}, which is no special token: unless it was cut, the model does not learn where to end`;
  return { ids: [...known], note };
}

/** Writes the model with its template, and what answers stop at (`stops`) in generation_config.json. */
export async function saveChat(
  folder: string,
  { folder: from, family, config, tokenizer, template, chats }: ChatSource,
  weights: ReadonlyMap<string, Tensor<"float32">>,
  stops: readonly number[],
): Promise<void> {
  const files = new Map(tokenizer.files());
  files.set("config.json", configText({ architectures: [family.architecture], ...config }));
  if (chats && template !== undefined) files.set("chat_template.jinja", template);
  const defaults = await readSettings(join(from, defaultsName));
  const settings = {
    ...defaults,
    ...(stops.length > 0 ? { eos_token_id: stops.length === 1 ? stops[0] : stops } : {}),
  };
  files.set(defaultsName, `${JSON.stringify(settings, null, 2)}\n`);
  await saveModel(folder, weights, files);
}

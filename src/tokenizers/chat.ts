/**
 * Conversations as the text and ids that a model was trained on: its chat template (chat_template.jinja, or chat_template
 * in tokenizer_config.json) rendered by @huggingface/jinja, as transformers' apply_chat_template does. What messages hold
 * is data to the template and never becomes part of it. Left out: `return_assistant_tokens_mask`, templates in Python.
 */
import { ConfigError, DataError } from "../errors.ts";
import { required } from "../schema.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface ChatMessage {
  /** "system", "user", "assistant", or what else the template knows. */
  readonly role: string;
  readonly content: unknown;
  readonly [field: string]: unknown;
}

export interface ChatOptions {
  /** The beginning of an answer is put behind the messages; true unless said otherwise. */
  readonly addGenerationPrompt?: boolean;
  /** Which template, where there are several: "default", or "tool_use" where tools are given, unless said otherwise. */
  readonly template?: string;
  /** What the template knows by these names besides: `tools`, `documents`, a model's own switches. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface ChatIdsOptions extends ChatOptions {
  /**
   * Tokens such as `<|im_end|>` that a message's text spells out are text like any other, so that it cannot end its turn
   * or begin another's. Otherwise, as in transformers, they are the tokens that they spell. Tokens of one character are
   * found in any case.
   */
  readonly contentIsText?: boolean;
}

/** The templates of a tokenizer's files, by name; `default` is the one that is used where none is named. */
export function chatTemplates(tokenizer: Pick<Tokenizer, "files">): Map<string, string> {
  const files = tokenizer.files();
  const templates = new Map<string, string>();
  const name = "tokenizer_config.json";
  const text = files.get(name);
  const configured = (text === undefined ? {} : parseJsonObject(name, text))["chat_template"] ?? null;
  const wrong = (): DataError =>
    new DataError(`${name}: chat_template: expected a template, or a list of {name, template}`, {
      hint: "the file may be damaged: get it again from where the model came from",
    });
  if (typeof configured === "string") templates.set("default", configured);
  else if (Array.isArray(configured)) {
    for (const item of configured) {
      const { name: called, template } = (item ?? {}) as JsonObject;
      if (typeof called !== "string" || typeof template !== "string") throw wrong();
      templates.set(called, template);
    }
  } else if (configured !== null) throw wrong();
  // A file of its own goes before the configuration.
  const own = files.get("chat_template.jinja");
  if (own !== undefined) templates.set("default", own);
  return templates;
}

/** A template that is parsed once, for many conversations. */
export interface ChatTemplate {
  /** @throws ConfigError where the template refuses the messages. */
  render(messages: readonly ChatMessage[], options?: Omit<ChatOptions, "template">): string;
}

/**
 * The text of a conversation.
 * @throws ConfigError where the tokenizer has no such template, or the template refuses the messages; DataError where it
 * cannot be read.
 */
export async function chatPrompt(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  options: ChatOptions = {},
): Promise<string> {
  required("chatPrompt: messages", messages, "list");
  const name = options.template ?? (options.variables?.["tools"] === undefined ? "default" : undefined);
  return (await openChatTemplate(tokenizer, templateOf(tokenizer, name))).render(messages, options);
}

/** The template of this source (Jinja), with the tokenizer's special tokens by name. @throws DataError where it is none. */
export async function openChatTemplate(
  tokenizer: Pick<Tokenizer, "special" | "tokenOf">,
  source: string,
): Promise<ChatTemplate> {
  const { Template } = await import("@huggingface/jinja");
  const template = parsed(() => new Template(source));
  const tokens: Record<string, string> = {};
  for (const [role, id] of Object.entries(tokenizer.special)) {
    const token = id === undefined ? undefined : tokenizer.tokenOf(id);
    if (token !== undefined) tokens[`${role}_token`] = token;
  }
  return {
    render(messages, { addGenerationPrompt = true, variables = {} } = {}) {
      try {
        return template.render({
          tools: null,
          documents: null,
          ...tokens,
          ...variables,
          messages,
          add_generation_prompt: addGenerationPrompt,
        });
      } catch (cause) {
        throw new ConfigError(`chat template: ${shortened(cause)}`, {
          hint: "the model's template does not take these messages",
          cause,
        });
      }
    },
  };
}

/** The ids of a conversation, without the tokens that frame a text: the template puts its own. @throws as `chatPrompt`. */
export async function chatIds(
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  { contentIsText = false, ...options }: ChatIdsOptions = {},
): Promise<number[]> {
  if (!contentIsText) {
    const ids = tokenizer.encodeIds(await chatPrompt(tokenizer, messages, options));
    const { before, after } = tokenizer.frame;
    return ids.slice(before.length, ids.length - after.length);
  }
  const { literal } = tokenizer;
  if (literal === undefined) {
    throw new ConfigError(
      `chat: contentIsText: expected byte pair encoding, got a tokenizer of kind ${tokenizer.family}`,
    );
  }
  required("chatIds: messages", messages, "list");
  const written = messages.map((message) => ({ ...message, content: inTexts(message.content, literal.write) }));
  return literal.encodeIds(await chatPrompt(tokenizer, written, options));
}

function templateOf(tokenizer: Tokenizer, name: string | undefined): string {
  const templates = chatTemplates(tokenizer);
  const source = name === undefined ? (templates.get("tool_use") ?? templates.get("default")) : templates.get(name);
  if (source !== undefined) return source;
  const got = templates.size === 0 ? "none" : [...templates.keys()].join(", ");
  throw new ConfigError(`chat template: expected one called "${name ?? "default"}", got ${got}`, {
    hint: "this model was not trained on conversations: give it a prompt instead",
  });
}

function parsed<Template>(parse: () => Template): Template {
  try {
    return parse();
  } catch (cause) {
    throw new DataError(`chat template: ${shortened(cause)}`, {
      hint: "the template uses what @huggingface/jinja does not know, or is damaged",
      cause,
    });
  }
}

function shortened(error: unknown): string {
  return String((error as Error).message).slice(0, 300);
}

/** A message's content, a text or a list of parts, with every text in it changed. */
function inTexts(content: unknown, change: (text: string) => string): unknown {
  if (typeof content === "string") return change(content);
  if (Array.isArray(content)) return content.map((part) => inTexts(part, change));
  if (typeof content !== "object" || content === null) return content;
  const { text } = content as { text?: unknown };
  return typeof text === "string" ? { ...content, text: change(text) } : content;
}

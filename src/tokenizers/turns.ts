/**
 * What a model is to say, as tokens: of a prompt with its completion, or of a conversation, which tokens are the
 * assistant's own. They are found by their places in the rendered text: between `{% generation %}` and its end where the
 * template has such marks (as transformers' `return_assistant_tokens_mask`), else from where the rendered prompt and the
 * whole part (as TRL 1.16's SFTTrainer); never by looking for a string.
 */
import { ConfigError, DataError } from "../errors.ts";
import { type ChatMessage, type ChatTemplate, chatTemplates, openChatTemplate } from "./chat.ts";
import { commonLength } from "./ids.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A prompt and what follows it: both plain texts, or both messages for a chat template. All of the completion is learned. */
export type Completion =
  | { readonly prompt: string; readonly completion: string }
  | { readonly prompt: readonly ChatMessage[]; readonly completion: readonly ChatMessage[] };

/** Messages of which every one of the assistant's is learned. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
}

/** What a model is taught by. */
export type Exchange = Completion | Conversation;

/** A text as a model is trained on it. */
export interface Supervised {
  /** All tokens, those that frame a text included. */
  readonly ids: readonly number[];
  /** As long as `ids`: whether a token is the model's own to say. */
  readonly supervised: readonly boolean[];
  /**
   * The tokens of each prompt alone are the first of the whole's. Where not, the model writes after others than it was
   * trained on: a token that reaches from prompt into completion is the completion's.
   */
  readonly prefix: boolean;
}

export interface Turns {
  /** One text. @throws ConfigError where messages come and there is no template, or it refuses them. */
  completion(exchange: Completion): Supervised;
  /**
   * One text with all of the assistant's turns; or, where the template writes earlier turns otherwise than the last (some
   * leave out what was thought), one for each turn, as it is when it is written.
   */
  conversation(conversation: Conversation): Supervised[];
  /** The ids that a model goes on from: of a text, or of messages with the beginning of an answer. */
  prompt(prompt: string | readonly ChatMessage[]): number[];
}

/** Characters, the end exclusive. */
type Range = readonly [start: number, end: number];

/** @param template of Jinja; default: the tokenizer's own, if it has one. @throws DataError where it cannot be read. */
export async function openTurns(
  tokenizer: Tokenizer,
  { template }: { readonly template?: string | undefined } = {},
): Promise<Turns> {
  const source = template ?? chatTemplates(tokenizer).get("default");
  const chat = source === undefined ? undefined : await openSpans(tokenizer, source);
  const inChat = (): Chat => {
    if (chat !== undefined) return chat;
    throw new ConfigError("chat template: expected one for messages, got none", {
      hint: "this model was not trained on conversations: give a template, or prompts and completions as texts",
    });
  };
  return {
    completion(exchange) {
      if (isText(exchange)) return plainCompletion(tokenizer, exchange);
      const { text, start, whole } = inChat().completion(exchange.prompt, exchange.completion);
      return supervisedOf(tokenizer, text, [[start, text.length]], whole);
    },
    conversation: ({ messages }) =>
      inChat()
        .conversation(messages)
        .map(({ text, spans, whole }) => supervisedOf(tokenizer, text, spans, whole)),
    prompt: (prompt) =>
      typeof prompt === "string"
        ? withoutEnd(tokenizer, tokenizer.encodeIds(prompt))
        : unframedIds(tokenizer, inChat().render(prompt, true)),
  };
}

/**
 * A template for a model that has none: "User: …" and "Assistant: …" with the token that ends a text behind each answer,
 * in words that any vocabulary has. @throws ConfigError for a tokenizer without an end token.
 */
export function simpleTemplate({ special, frame, tokenOf }: Pick<Tokenizer, "special" | "frame" | "tokenOf">): string {
  if (special.eos === undefined) {
    throw new ConfigError("chat template: expected a tokenizer with an end token (eos), got one without", {
      hint: "an answer would have no end: give a template of your own",
    });
  }
  const begin = frame.before.map((id) => `{{ ${JSON.stringify(tokenOf(id))} }}`).join("");
  const system = "{% if message.role == 'system' %}{{ message.content | trim + '\\n\\n' }}";
  const user = "{% elif message.role == 'user' %}{{ 'User: ' + message.content | trim + '\\n' }}";
  const opened = "{% elif message.role == 'assistant' %}{{ 'Assistant:' }}";
  const said = "{% generation %}{{ ' ' + message.content | trim + eos_token }}{% endgeneration %}{{ '\\n' }}";
  const other =
    "{% else %}{{ raise_exception('expected the role system, user or assistant, got ' + message.role) }}{% endif %}";
  const prompt = "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}";
  return `${begin}{% for message in messages %}${system}${user}${opened}${said}${other}{% endfor %}${prompt}`;
}

function isText(exchange: Completion): exchange is Extract<Completion, { prompt: string }> {
  return typeof exchange.prompt === "string";
}

/** Rendered conversations with the places of what is learned in them. */
interface Chat {
  render(messages: readonly ChatMessage[], addGenerationPrompt: boolean): string;
  completion(
    prompt: readonly ChatMessage[],
    completion: readonly ChatMessage[],
  ): { readonly text: string; readonly start: number; readonly whole: boolean };
  conversation(messages: readonly ChatMessage[]): Rendered[];
}

interface Rendered {
  readonly text: string;
  readonly spans: readonly Range[];
  /** What the prompts are rendered as stands in `text` as it is. */
  readonly whole: boolean;
}

async function openSpans(tokenizer: Tokenizer, source: string): Promise<Chat> {
  const template = await openChatTemplate(tokenizer, source);
  const render: Chat["render"] = (messages, addGenerationPrompt) => template.render(messages, { addGenerationPrompt });
  const marked = await markedTemplate(tokenizer, source);
  const completion: Chat["completion"] = (prompt, said) => {
    const [before, text] = [render(prompt, true), render([...prompt, ...said], false)];
    const start = commonLength(before, text);
    return { text, start, whole: start === before.length };
  };
  return {
    render,
    completion,
    conversation(messages) {
      if (marked !== undefined) return [marked(messages)];
      const text = render(messages, false);
      const nested: Range[] = [];
      const alone: Rendered[] = [];
      let whole = true;
      messages.forEach(({ role }, i) => {
        if (role !== "assistant") return;
        if (i === 0) {
          throw new ConfigError("messages: expected a system's or a user's first, got the assistant's", {
            hint: "without a question the template does not say where the answer begins",
          });
        }
        const turn = completion(messages.slice(0, i), [messages[i]!]);
        const span: Range = [turn.start, turn.text.length];
        if (text.startsWith(turn.text)) {
          nested.push(span);
          whole &&= turn.whole;
        } else alone.push({ text: turn.text, spans: [span], whole: turn.whole });
      });
      return nested.length === 0 && alone.length > 0 ? alone : [...alone, { text, spans: nested, whole }];
    },
  };
}

const generation = /\{%(-?)\s*generation\s*(-?)%\}|\{%(-?)\s*endgeneration\s*(-?)%\}/g;
/** Code points that are for no text (Unicode, section 23.7); U+FDD0 is the tokenizers' own. */
const [BEGIN, END] = ["\ufdd1", "\ufdd2"];

/** What renders with the places of `{% generation %}`; undefined where the template has none. */
async function markedTemplate(
  tokenizer: Tokenizer,
  source: string,
): Promise<((messages: readonly ChatMessage[]) => Rendered) | undefined> {
  // Blocks again, so that the white space around them is treated alike.
  const written = source.replace(generation, (_, left?: string, right?: string, endLeft = "", endRight = "") =>
    left === undefined
      ? `{%${endLeft} if true %}${END}{% endif ${endRight}%}`
      : `{%${left} if true %}${BEGIN}{% endif ${right}%}`,
  );
  if (written === source) return undefined;
  const template: ChatTemplate = await openChatTemplate(tokenizer, written);
  return (messages) => {
    if (/[\ufdd1\ufdd2]/.test(JSON.stringify(messages))) {
      throw new DataError("messages: expected text, got U+FDD1 or U+FDD2, which are for no text");
    }
    const spans: [number, number][] = [];
    let text = "";
    for (const part of template.render(messages, { addGenerationPrompt: false }).split(/(?=[\ufdd1\ufdd2])/)) {
      if (part.startsWith(BEGIN)) spans.push([text.length, Infinity]);
      if (part.startsWith(END)) spans.at(-1)![1] = text.length;
      text += part.replace(/^[\ufdd1\ufdd2]/, "");
    }
    return { text, spans, whole: true };
  };
}

/** Texts as they stand, and the token that ends a text where the completion has none. */
function plainCompletion(
  tokenizer: Tokenizer,
  { prompt, completion }: { prompt: string; completion: string },
): Supervised {
  const text = prompt + completion;
  const { ids, offsets } = tokenizer.encode(text);
  const { before, after } = tokenizer.frame;
  const pieces = ids.length - before.length - after.length;
  const supervised = ids.map((_, t) => {
    if (t < before.length) return false;
    return t >= before.length + pieces || overlaps(offsets[t]!, [prompt.length, text.length]);
  });
  const { eos } = tokenizer.special;
  const ends = eos === undefined || ids.at(-1) === eos;
  return {
    ids: ends ? ids : [...ids, eos],
    supervised: ends ? supervised : [...supervised, true],
    prefix: startsWith(ids, withoutEnd(tokenizer, tokenizer.encodeIds(prompt))),
  };
}

/** A rendered conversation: its template puts the tokens that frame a text. */
function supervisedOf(tokenizer: Tokenizer, text: string, spans: readonly Range[], whole: boolean): Supervised {
  const { ids: framed, offsets: places } = tokenizer.encode(text);
  const { before, after } = tokenizer.frame;
  const [first, end] = [before.length, framed.length - after.length];
  const ids = framed.slice(first, end);
  let next = 0;
  const supervised = places.slice(first, end).map((place) => {
    while (next < spans.length && place[0] >= spans[next]![1]) next += 1;
    return next < spans.length && overlaps(place, spans[next]!);
  });
  const prefix = whole && spans.every(([start]) => startsWith(ids, unframedIds(tokenizer, text.slice(0, start))));
  return { ids, supervised, prefix };
}

/** A token without characters of its own is where it stands. */
function overlaps([start, end]: Range, [from, to]: Range): boolean {
  return start < to && (end > from || (start === end && start >= from));
}

function unframedIds({ encodeIds, frame: { before, after } }: Tokenizer, text: string): number[] {
  const ids = encodeIds(text);
  return ids.slice(before.length, ids.length - after.length);
}

function withoutEnd({ frame: { after } }: Tokenizer, ids: number[]): number[] {
  return ids.slice(0, ids.length - after.length);
}

function startsWith(ids: readonly number[], beginning: readonly number[]): boolean {
  return beginning.every((id, i) => ids[i] === id);
}

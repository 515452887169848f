/** Messages of a conversation as clients send them: texts, or lists of parts that are texts. */
import { z } from "@hono/zod-openapi";
import type { ChatMessage } from "../tokenizers/chat.ts";

const part = z.object({
  type: z.literal("text", "expected a text: models here read nothing else"),
  text: z.string(),
});

export const messageSchema = z
  .object({
    role: z.enum(["system", "developer", "user", "assistant"], "expected system, developer, user or assistant"),
    content: z.union([z.string(), z.array(part).min(1)], "expected a text, or a list of texts"),
    name: z.string().max(200).optional(),
  })
  .openapi("Message");

/** As chat templates take them. */
export function messagesOf(messages: readonly z.infer<typeof messageSchema>[]): ChatMessage[] {
  return messages.map(({ role, content, name }) => ({
    // OpenAI's newer name for the same.
    role: role === "developer" ? "system" : role,
    content: typeof content === "string" ? content : content.map(({ text }) => text).join("\n"),
    ...(name === undefined ? {} : { name }),
  }));
}

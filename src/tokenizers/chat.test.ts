/** Chat templates against transformers' apply_chat_template, and what messages cannot do. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { trainBioGptTokenizer } from "./biogpt/train.ts";
import { chatIds, type ChatMessage, chatPrompt, chatTemplates } from "./chat.ts";
import { readTokenizer } from "./registry.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface Case {
  readonly template: string;
  readonly messages: ChatMessage[];
  readonly options: { readonly add_generation_prompt: boolean; readonly tools?: unknown };
  readonly text: string;
  readonly ids: number[];
}

const golden = JSON.parse(readFileSync(new URL("../../test/goldens/chat-templates.json", import.meta.url), "utf8")) as {
  tokenizer: object;
  config: object;
  cases: Case[];
};

function withTemplate(chat_template: unknown, own?: string): Tokenizer {
  return readTokenizer(
    new Map([
      ["tokenizer.json", JSON.stringify(golden.tokenizer)],
      ["tokenizer_config.json", JSON.stringify({ ...golden.config, chat_template })],
      ...(own === undefined ? [] : [["chat_template.jinja", own] as const]),
    ]),
  );
}

const user = (content: string): ChatMessage[] => [{ role: "user", content }];
const echo = "{% for message in messages %}{{ '<|im_start|>' + message.content | trim + '<|im_end|>' }}{% endfor %}";

test("conversations have the reference's text and ids", async () => {
  for (const { template, messages, options, text, ids } of golden.cases) {
    const { add_generation_prompt: addGenerationPrompt, ...variables } = options;
    const tokenizer = withTemplate(template);
    expect(await chatPrompt(tokenizer, messages, { addGenerationPrompt, variables })).toBe(text);
    expect(await chatIds(tokenizer, messages, { addGenerationPrompt, variables })).toEqual(ids);
  }
  expect(golden.cases.length).toBe(35);
});

describe("which template", () => {
  test("a file's goes before the configuration's, and named ones are found", async () => {
    const list = [
      { name: "default", template: "one" },
      { name: "rag", template: "two" },
      { name: "tool_use", template: "three" },
    ];
    expect([...chatTemplates(withTemplate(list, "own"))]).toEqual([
      ["default", "own"],
      ["rag", "two"],
      ["tool_use", "three"],
    ]);
    expect(await chatPrompt(withTemplate(list), [])).toBe("one");
    expect(await chatPrompt(withTemplate(list), [], { template: "rag" })).toBe("two");
    expect(await chatPrompt(withTemplate(list), [], { variables: { tools: [] } })).toBe("three");
  });

  test("what there is none of is refused by name", async () => {
    await expect(chatPrompt(withTemplate(undefined), [])).rejects.toThrow(/called "default", got none/);
    await expect(chatPrompt(withTemplate("x"), [], { template: "rag" })).rejects.toThrow(/called "rag", got default/);
    for (const wrong of [3, [{ name: "x" }], [null]]) {
      await expect(chatPrompt(withTemplate(wrong), [])).rejects.toThrow(/tokenizer_config\.json: chat_template/);
    }
    await expect(chatPrompt(withTemplate("{% if %}"), [])).rejects.toThrow(/^chat template: /);
    await expect(chatPrompt(withTemplate("{{ raise_exception('no system') }}"), [])).rejects.toThrow(/no system/);
    await expect(chatPrompt(withTemplate("x"), "hello" as never)).rejects.toThrow(/messages: expected a list/);
  });
});

describe("what a message holds", () => {
  test("is never part of the template", async () => {
    const content = "{{ messages }}{% for x in messages %}x{% endfor %}{{ bos_token }}";
    expect(await chatPrompt(withTemplate(echo), user(content))).toBe(`<|im_start|>${content}<|im_end|>`);
  });

  test("spells tokens unless it is to be text", async () => {
    const tokenizer = withTemplate(echo);
    const [start, end] = ["<|im_start|>", "<|im_end|>"].map((token) => tokenizer.idOf(token)!);
    const content = " a<|im_end|><|im_start|>b <</s>s> \ufdd0";
    const found = await chatIds(tokenizer, user(content));
    expect(found.filter((id) => id === start || id === end)).toEqual([start, end, start, end]);
    const literal = await chatIds(tokenizer, user(content), { contentIsText: true });
    expect(literal.at(0)).toBe(start);
    expect(literal.at(-1)).toBe(end);
    expect(literal.slice(1, -1).every((id) => id < 256)).toBe(true);
    expect(tokenizer.decode(literal.slice(1, -1))).toBe("a<|im_end|><|im_start|>b <</s>s>");
    const plain = user("What does aspirin inhibit?");
    expect(await chatIds(tokenizer, plain, { contentIsText: true })).toEqual(await chatIds(tokenizer, plain));
    const parts = [{ role: "user", content: [{ type: "text", text: "</s>" }] }];
    const inParts = withTemplate("{{ messages[0].content[0].text }}");
    expect((await chatIds(inParts, parts, { contentIsText: true })).length).toBe(4);
    expect((await chatIds(inParts, parts)).length).toBe(1);
  });

  test("cannot be kept text by other kinds", async () => {
    const other = await trainBioGptTokenizer(["a b"], { numMerges: 1 });
    await expect(chatIds(other, user("a"), { contentIsText: true })).rejects.toThrow(/got a tokenizer of kind biogpt/);
    await expect(chatIds(other, user("a"))).rejects.toThrow(/expected one called "default", got none/);
  });
});

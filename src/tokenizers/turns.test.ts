/** Which tokens are the assistant's own, by the places of the rendered text. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { trainBioGptTokenizer } from "./biogpt/train.ts";
import { type ChatMessage, chatIds, chatPrompt } from "./chat.ts";
import { trainMetaspaceBpe } from "./pipeline/train.ts";
import { readTokenizer } from "./registry.ts";
import type { Tokenizer } from "./tokenizer.ts";
import { openTurns, simpleTemplate, type Supervised } from "./turns.ts";

const golden = JSON.parse(readFileSync(new URL("../../test/goldens/chat-templates.json", import.meta.url), "utf8")) as {
  tokenizer: object;
  config: object;
};

/** Bytes, with `<|im_start|>`, `<|im_end|>` and so on as tokens. */
function bytes(chat_template?: string): Tokenizer {
  return readTokenizer(
    new Map([
      ["tokenizer.json", JSON.stringify(golden.tokenizer)],
      ["tokenizer_config.json", JSON.stringify({ ...golden.config, chat_template })],
    ]),
  );
}

const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const marked =
  "{%- for message in messages %}\n  {%- if message.role == 'assistant' %}\n{{ '<|im_start|>assistant\\n' }}" +
  "{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}\n  {%- else %}" +
  "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}\n  {%- endif %}{% endfor %}";
/** Leaves out what was thought in all but the last turn. */
const forgetful =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}" +
  "{% if message.thought and loop.last %}{{ '(' + message.thought + ')' }}{% endif %}" +
  "{{ message.content + '<|im_end|>\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

const say = (role: string, content: string, more: object = {}): ChatMessage => ({ role, content, ...more });
const talk = [
  say("system", "Be kind."),
  say("user", "Hi"),
  say("assistant", "Hello"),
  say("user", "Ok"),
  say("assistant", "Bye"),
];

const learnedOf = (tokenizer: Tokenizer, { ids, supervised }: Supervised): string => {
  let text = "";
  ids.forEach((id, t) => (text += supervised[t] ? tokenizer.decode([id]) : supervised[t - 1] ? "|" : ""));
  return text;
};

describe("a conversation", () => {
  test("is learned where the assistant speaks, to the end of its turns", async () => {
    const tokenizer = bytes(chatml);
    const [row, ...more] = (await openTurns(tokenizer)).conversation({ messages: talk });
    expect(more).toEqual([]);
    expect(row!.ids).toEqual(await chatIds(tokenizer, talk, { addGenerationPrompt: false }));
    expect(learnedOf(tokenizer, row!)).toBe("Hello<|im_end|>\n|Bye<|im_end|>\n");
    expect(row!.prefix).toBe(true);
  });

  test("is learned between the template's marks, which change nothing that it writes", async () => {
    const tokenizer = bytes(marked);
    const [row] = (await openTurns(tokenizer)).conversation({ messages: talk });
    expect(row!.ids).toEqual(await chatIds(tokenizer, talk, { addGenerationPrompt: false }));
    expect(learnedOf(tokenizer, row!)).toBe("Hello<|im_end|>|Bye<|im_end|>|");
  });

  test("is several texts where the template forgets part of earlier turns", async () => {
    const tokenizer = bytes(forgetful);
    const messages = talk.map((one) => (one.role === "assistant" ? { ...one, thought: "hm" } : one));
    const rows = (await openTurns(tokenizer)).conversation({ messages });
    expect(rows.map((row) => learnedOf(tokenizer, row))).toEqual(["(hm)Hello<|im_end|>\n", "(hm)Bye<|im_end|>\n"]);
    expect(tokenizer.decode(rows[1]!.ids)).toBe(await chatPrompt(tokenizer, messages, { addGenerationPrompt: false }));
  });

  test("is learned in the completion alone where it is split, whoever spoke before", async () => {
    const tokenizer = bytes(chatml);
    const turns = await openTurns(tokenizer);
    const row = turns.completion({ prompt: talk.slice(0, 4), completion: talk.slice(4) });
    expect(learnedOf(tokenizer, row)).toBe("Bye<|im_end|>\n");
    expect(row.ids.slice(0, row.supervised.indexOf(true))).toEqual(turns.prompt(talk.slice(0, 4)));
  });

  test("may not begin with the assistant, spell marks, or lack a template", async () => {
    const turns = await openTurns(bytes(chatml));
    expect(() => turns.conversation({ messages: [say("assistant", "Hi")] })).toThrow(/expected a system's or a user's/);
    const spelled = [say("user", "\ufdd1"), say("assistant", "a")];
    expect((await openTurns(bytes(chatml))).conversation({ messages: spelled }).length).toBe(1);
    const withMarks = await openTurns(bytes(marked));
    expect(() => withMarks.conversation({ messages: spelled })).toThrow(/U\+FDD1/);
    const none = await openTurns(bytes());
    expect(() => none.conversation({ messages: talk })).toThrow(/expected one for messages, got none/);
  });
});

describe("a prompt", () => {
  test("that renders otherwise alone gives way to the completion", async () => {
    // A space that a template puts behind the prompt is not there once an answer follows.
    const spaced = chatml.replace("assistant\\n' }}{% endif %}", "assistant\\n ' }}{% endif %}");
    const tokenizer = bytes(spaced);
    const row = (await openTurns(tokenizer)).completion({ prompt: talk.slice(0, 2), completion: [talk[2]!] });
    expect(learnedOf(tokenizer, row)).toBe("Hello<|im_end|>\n");
    expect(row.prefix).toBe(false);
  });

  test("whose last token goes on in the completion gives it that token", async () => {
    const tokenizer = await trainMetaspaceBpe(Array(40).fill("aspirin inhibits cyclooxygenase"), { vocabSize: 600 });
    const turns = await openTurns(tokenizer);
    const whole = turns.completion({ prompt: "aspirin", completion: " inhibits" });
    expect(whole.prefix).toBe(true);
    expect(whole.supervised.filter(Boolean).length).toBe(2); // ▁inhibits and the end
    expect(whole.ids.at(-1)).toBe(tokenizer.special.eos);
    const broken = turns.completion({ prompt: "aspirin inh", completion: "ibits" });
    expect(broken.prefix).toBe(false);
    expect(broken.ids).toEqual(whole.ids);
    expect(broken.supervised).toEqual(whole.supervised);
  });
});

describe("the simple template", () => {
  test.each(["bytes", "metaspace", "biogpt"])(
    "gives %s answers that end, after prompts that generation uses",
    async (kind) => {
      const texts = Array(30).fill("User: Hi Assistant: Hello there, Be kind. Bye Ok");
      const tokenizer =
        kind === "bytes"
          ? bytes()
          : kind === "metaspace"
            ? await trainMetaspaceBpe(texts, { vocabSize: 400 })
            : await trainBioGptTokenizer(texts, { numMerges: 100 });
      const turns = await openTurns(tokenizer, { template: simpleTemplate(tokenizer) });
      const [row] = turns.conversation({ messages: talk });
      const { eos } = tokenizer.special;
      expect(row!.ids.filter((id, t) => id === eos && row!.supervised[t]).length).toBe(2);
      expect(row!.prefix).toBe(true);
      expect(row!.ids.slice(0, tokenizer.frame.before.length)).toEqual(tokenizer.frame.before);
      const prompt = turns.prompt(talk.slice(0, 4));
      expect(row!.ids.slice(0, prompt.length)).toEqual(prompt);
      expect(row!.supervised.slice(prompt.length).some(Boolean)).toBe(true);
      expect(() =>
        turns.conversation({ messages: [say("user", "a"), say("tool", "b"), say("assistant", "c")] }),
      ).toThrow(/got tool/);
      // It is kept beside the tokenizer's own files, whatever its kind.
      const written = readTokenizer(new Map(tokenizer.files()).set("chat_template.jinja", simpleTemplate(tokenizer)));
      expect(await chatIds(written, talk.slice(0, 4))).toEqual(prompt);
    },
  );
});

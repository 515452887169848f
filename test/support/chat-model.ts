/** A tiny LLaMA with a chat template and byte pair encoding, made by the commands that make large ones. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stdoutOf } from "./command-line.ts";

/** Makes it in a folder; returns its own. Quiet stderr is the caller's. */
export async function makeChatModel(folder: string, positions = 256): Promise<string> {
  const at = (name: string): string => join(folder, name);
  const texts = Array.from({ length: 20 }, (_, i) => ({
    text: `Aspirin inhibits cyclooxygenase-${i} in ${i} patients.`,
  }));
  writeFileSync(at("texts.jsonl"), texts.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const tokenizer = ["--family", "byte-bpe", "--vocab-size", "300"];
  await stdoutOf("tokenizer", "train", at("texts.jsonl"), "--output", at("tokenizer"), ...tokenizer);
  const split = ["--held-out", "0.1"];
  await stdoutOf("tokenize", "--tokenizer", at("tokenizer"), "--output", at("tokens"), ...split, at("texts.jsonl"));
  const inputs = ["--data", at("tokens"), "--tokenizer", at("tokenizer"), "--output", at("run")];
  const settings = [
    "steps=1",
    `model.max_position_embeddings=${positions}`,
    ...inputs,
    "--scale",
    "debug",
    "--threads",
    "1",
  ];
  await stdoutOf("train", "llama-nano", ...settings);
  const model = at("run/model");
  writeFileSync(
    join(model, "chat_template.jinja"),
    "{% for message in messages %}{{ message.role + ': ' + message.content + eos_token }}{% endfor %}assistant:",
  );
  return model;
}

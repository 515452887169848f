/** Commands and programs that a Markdown document shows, and a folder in which they are run one after another. */
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { words } from "./world.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Shown {
  readonly kind: "command" | "program";
  /** A line, or a program's text. */
  readonly text: string;
}

/** Commands (indented, or in a block of shell) and programs (blocks of ts and js), as they stand. */
export function shownIn(markdown: string): Shown[] {
  const found: Shown[] = [];
  const parts = /^```(\w*)\n([^]*?)^```|^ {4}(\S.*)$/gm;
  for (const [, language, block, line] of markdown.matchAll(parts)) {
    if (language === "ts" || language === "js") found.push({ kind: "program", text: block! });
    else if (language === "sh") {
      for (const one of block!.split("\n")) if (one.trim() !== "") found.push({ kind: "command", text: one });
    } else if (line !== undefined) found.push({ kind: "command", text: line });
  }
  return found;
}

/** Arguments of `galen` for a line, with less work: small networks, two updates. Undefined for lines of npm itself. */
export function argumentsOf(line: string): string[] | undefined {
  const bare = line
    .replace(/ +# .*$/, "")
    .replace(/^npm ci && /, "")
    .replace(/^npx /, "");
  if (bare === "npm test") return undefined;
  const start = /^npm start(?: --)?/;
  const args = words(bare.replace(start, "galen quickstart"));
  if (args.shift() !== "galen") throw new Error(`expected a line of galen or npm, got: ${line}`);
  if (args[0] === "quickstart") return [...args, "--steps", "2"];
  if (args[0] !== "train") return args;
  // A new model's positions, which later lines ask for, as they are at full scale.
  const positions = args.includes("--tokenizer") ? ["model.max_position_embeddings=256"] : [];
  const rest = args.filter((word) => !/^(steps|epochs)=/.test(word));
  return [...rest, "steps=2", ...positions, "--scale", "debug", "--threads", "1"];
}

/** The clone as a reader has it: samples, and the package under its name. */
export function openFolder(folder: string): void {
  cpSync(join(root, "samples"), join(folder, "samples"), { recursive: true });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/galen"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
}

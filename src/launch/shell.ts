/** Words and programs as launchers use them: quoting for sh, and programs that are run for their answer. */
import { spawn } from "node:child_process";
import { RuntimeError } from "../errors.ts";

/** A word as sh takes it. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Words as a command line. */
export function shellLine(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

/** A command line in words, as sh reads it: quotes and backslashes, nothing else. */
export function splitWords(line: string): string[] {
  const parts = line.match(/(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/g) ?? [];
  return parts.map((part) =>
    part.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, single?: string, double?: string, one?: string) =>
      single === undefined ? (double === undefined ? one! : double.replace(/\\(.)/g, "$1")) : single,
    ),
  );
}

export interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Programs that say more than this say nothing that is asked of them. */
const mostCharacters = 64 << 20;

export interface AskOptions {
  /** It is ended after so many. */
  readonly seconds?: number | undefined;
}

/** Runs a program to its end; undefined where there is none of that name. */
export function ask(words: readonly string[], { seconds }: AskOptions = {}): Promise<Answer | undefined> {
  return new Promise((resolve, reject) => {
    const timeout = seconds === undefined ? undefined : 1000 * seconds;
    const child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "pipe", "pipe"], timeout });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (stdout.length < mostCharacters) stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (stderr.length < mostCharacters) stderr += text;
    });
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** What a program that must succeed says. @throws RuntimeError with its own words, or where there is none. */
export async function told(words: readonly string[], hint: string): Promise<string> {
  const answer = await ask(words);
  if (answer === undefined) throw new RuntimeError(`${words[0]}: expected a program of this name, got none`, { hint });
  if (answer.code === 0) return answer.stdout;
  const said = answer.stderr.trim() || answer.stdout.trim() || `code ${answer.code}`;
  throw new RuntimeError(`${words[0]}: expected to succeed, got ${said.slice(-400)}`, {
    hint: `the command was: ${shellLine(words).slice(0, 400)}`,
  });
}

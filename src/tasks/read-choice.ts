/**
 * Which of a question's choices a written answer means: by a statement ("The answer is B."), of which the last counts, so
 * that reasoning may come first; by the letter or word that the answer begins with; or by the text of one choice. An
 * answer that names none, or several, is not guessed at.
 */
import { spacedWords } from "./spaced-words.ts";

/** What may stand around a label. */
const open = String.raw`[\s"'“‘*_([{$]*(?:\\boxed\{)?`;
const close = String.raw`["'”’*_)\]}$]*`;
const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Labels are letters, or words such as "yes". */
const areLetters = (labels: readonly string[]): boolean => labels.every((label) => label.length === 1);

/** The last "answer is …" or "Answer: …" with a label: undefined without one, null for several at once. */
function stated(text: string, labels: readonly string[]): string | null | undefined {
  const some = labels.map(escaped).join("|");
  const noun = String.raw`\b(?:answer|(?:correct|right|best|final)\s+(?:option|choice|one))`;
  const rest = String.raw`(?:\s+to\s+(?:the|this)\s+question)?(?:\s+given\s+the\s+context)?`;
  const verb = String.raw`(?:\s+(?:is|was|would\s+be|should\s+be|must\s+be))?\s*:?(?:\s*(?:option|choice))?`;
  const statement = new RegExp(`${noun}${rest}${verb}${open}(${some})(?![\\p{L}\\p{N}'’-])(${close})`, "giu");
  const last = [...text.matchAll(statement)].filter((one) => !areLetters(labels) || isLetter(text, one)).at(-1);
  if (last === undefined) return undefined;
  const after = text.slice(last.index + last[0].length);
  const another = new RegExp(`^\\s*(?:,|/|&|and|or)\\s*${open}(?:${some})(?![\\p{L}\\p{N}])`, "iu");
  return another.test(after) ? null : canonical(last[1]!, labels);
}

/** Not the article of "the answer is a beta blocker", nor the C of "C reactive protein": no word but these follows. */
function isLetter(text: string, { index, 0: all, 2: closing }: RegExpExecArray): boolean {
  const after = text.slice(index + all.length);
  return closing !== "" || /^\s*(?:$|[.,;:!/&\n–—]|(?:because|since|as|and|or|for|which|with)\b)/.test(after);
}

const canonical = (found: string, labels: readonly string[]): string =>
  labels.find((label) => label.toLowerCase() === found.toLowerCase())!;

/** The label that the answer begins with, or that is all of its first or last line. */
function leading(text: string, labels: readonly string[]): string | undefined {
  const some = labels.map(escaped).join("|");
  const mark = areLetters(labels) ? String.raw`(?:[)\].,:;]|\s*$|\s*\n)` : String.raw`(?![\p{L}\p{N}'’-])`;
  const found = new RegExp(`^${open}(${some})${close.replace(")", "")}${mark}`, "iu").exec(text)?.[1];
  if (found !== undefined) return canonical(found, labels);
  const lastLine = text.slice(text.lastIndexOf("\n") + 1);
  const only = new RegExp(`^${open}(${some})${close}[.!]?\\s*$`, "iu").exec(lastLine)?.[1];
  return only === undefined ? undefined : canonical(only, labels);
}

/** The one label whose choice's text stands in the answer as words, where those within a longer one do not count. */
function quoted(text: string, labels: readonly string[], texts: readonly string[]): string | undefined {
  let rest = spacedWords(text);
  const longestFirst = texts.map((one, i) => ({ key: spacedWords(one), label: labels[i]! }));
  longestFirst.sort((a, b) => b.key.length - a.key.length);
  const found = new Set<string>();
  for (const { key, label } of longestFirst) {
    if (key.trim() === "" || !rest.includes(key)) continue;
    found.add(label);
    rest = rest.replaceAll(key, " | ");
  }
  return found.size === 1 ? [...found][0] : undefined;
}

/**
 * The label that an answer means; undefined where none can be read.
 * @param texts of the choices, where labels are letters.
 */
export function readChoice(
  answer: string,
  labels: readonly string[],
  texts: readonly string[] = [],
): string | undefined {
  const text = answer.trim();
  const said = stated(text, labels);
  if (said !== undefined) return said ?? undefined;
  const first = leading(text, labels);
  if (first !== undefined) return first;
  const some = labels.map(escaped).join("|");
  const marks = new RegExp(`\\((${some})\\)|\\b[Oo](?:ption|PTION) (${some})\\b`, "g");
  const marked = new Set([...text.matchAll(marks)].map(([, one, other]) => (one ?? other)!));
  if (marked.size === 1) return [...marked][0];
  return marked.size > 1 ? undefined : quoted(text, labels, texts);
}

/**
 * Questions with choices out of a set of instructions: `{"instances": {"input", "output"}}` a line, where the input is
 * the question and a line "Option A: …" for each choice, and the output "Answer: (A)" or the right choice's text. Lines
 * with a fifth choice, or whose answer is none of their choices or two of them, are left out.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJsonLines } from "../io/json.ts";
import { type ChoiceExample, letters } from "./multiple-choice.ts";

const line = z.object({ instances: z.object({ input: z.string(), output: z.string() }) });

function questionOf({ input, output }: { input: string; output: string }, id: string): ChoiceExample[] {
  const parts = /^question:([^]*?)\noption a:([^]*?)\noption b:([^]*?)\noption c:([^]*?)\noption d:([^]*)$/i.exec(
    input,
  );
  if (parts === null || /\noption e:/i.test(input)) return [];
  const [text, ...choices] = parts.slice(1).map((part) => part.trim());
  const letter = /^answer:\s*\(([A-D])\)/i.exec(output.trim())?.[1]?.toUpperCase();
  const right = letters.filter((one, i) => (letter === undefined ? choices[i] === output.trim() : one === letter));
  return right.length === 1 ? [{ id, text: text!, gold: right[0]!, choices }] : [];
}

/** @throws DataError where the file is missing or malformed, or no line of it is such a question. */
export async function readInstructionChoices(path: string): Promise<ChoiceExample[]> {
  const found = (await readJsonLines(path, line)).flatMap(({ instances }, i) =>
    questionOf(instances, `train-${i + 1}`),
  );
  if (found.length === 0) throw new DataError(`${path}: expected questions with options A to D, got none`);
  return found;
}

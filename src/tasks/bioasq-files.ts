/**
 * The golden files of BioASQ's task B (Tsatsaronis et al. 2015; Krithara et al. 2023), batches of its years 7 to 10:
 * questions with passages of PubMed abstracts and exact answers. The years are taken in their order: 7 and 8 to learn
 * from, 9 to choose by, 10 as test.
 */
import * as z from "zod";
import { DataError } from "../errors.ts";
import { readJson } from "../io/json.ts";
import type { DataFiles, Example, Split } from "./benchmark.ts";
import { oneLine } from "./classes.ts";

export interface BioAsqExample<Gold> extends Example<Gold> {
  /** The text holds the passages. */
  readonly question: string;
}

/** Batch → SHA-256 of its file. */
const batches: Readonly<Record<string, string>> = {
  "7B1": "4a1982648f96559a7daae4c58f2c3528b3301b5a06334220413367fd45271cb9",
  "7B2": "86d745d419f2099101112d501abd5b4e9304c5a65484317fdf3994e8f885618d",
  "7B3": "15596ea3dbbe4be8124db84b4c7c7c76fb3f1ce8a4bd7cc8f830727a4ec1c0ff",
  "7B4": "2e6b4b710c70cd82f5a131a7a9c0acdebe918b5858cf0c33178bdf698b657b27",
  "7B5": "857442af3d6e11d49abe37f0539785f56cc53e872a95c55d442d644c35fb0926",
  "8B1": "a1c007e9fd70762368d240cf5585b4eca8e45ff6756bb4ff5d757fad708e4868",
  "8B2": "987c7be72cb49d80b87935c5d2a3b5fafc06d786905407f6bf60d52cbf496d87",
  "8B3": "432a6bc9a338f6d2487b595b27aeb774b5b43c0e33be54cdf5b9c6749021bed4",
  "8B4": "a7a5eaf8551f07096ded95258cb75d4e1c0e2831d2b9e438a68ca6a3f8cba108",
  "8B5": "2be73d9444557745d57b66e5cdfbd976870920ad8d764d512dbcecb20cf46f68",
  "9B1": "236f569be95c36b07d62a636baef53a896c36993296f6680936bdb353880fedf",
  "9B2": "c8f8202b3ee6cf8d3ff570e872ba2f57d9890e723e01211abd2ecef5320ce32a",
  "9B3": "3a06983fb13f3069f1fbf2f0950275a8311fc5db423577a0e9ddb14d2a698092",
  "9B4": "f7a44a823ea1c2946420b829df13c58551707410f84b31125d2db83857c0c5bb",
  "9B5": "be7595992cda0597f456eaa650f1bbf4fee4d0466ee346bcd6adba2638fec662",
  "10B1": "27fbc53bdcecf45e37a4fcdb996da6768251fa57dcdabc158ed11df061e9b3ee",
  "10B2": "d4e51037d2821b3938e7e06a4f21da2d0abef501e7ac0e5cad4e676e3e2ac0b7",
  "10B3": "3fe1ba47176e4956b4b6dd4610adc9cae7f7cb8059194aa2a495444f9fd8f71c",
  "10B4": "3ea3a9a7fbaa19288fb0dfa2d36461161714695363bfd9c2d558a32b25e4c2ce",
  "10B5": "ed5648fc222e4c24a5f63cb849b81d1e383f4834ad95fae5aa0a8e65d1f409e8",
  "10B6": "bf59785a8293b3fac257125e6c82227ce47aecac824cfe8bb00bedc429ef8902",
};

const names = z.array(z.array(z.string()));
const file = z.object({
  questions: z.array(
    z.object({
      id: z.string(),
      type: z.enum(["yesno", "factoid", "list", "summary"]),
      body: z.string(),
      snippets: z.array(z.object({ text: z.string() })).default([]),
      exact_answer: z.union([z.string(), names]).optional(),
    }),
  ),
});

/** Which years make a split. */
export type Years = Readonly<Partial<Record<Split, readonly number[]>>>;
export const inOrder: Years = { train: [7, 8], valid: [9], test: [10] };

const batchesOf = (years: readonly number[]): string[] =>
  Object.keys(batches).filter((batch) => years.includes(Number.parseInt(batch, 10)));

const pathOf = (batch: string): string => `${batch}_golden.json`;

export function bioAsqFiles(years: Years): DataFiles {
  const files = Object.entries(years).map(([split, some]) => [
    split,
    batchesOf(some).map((batch) => ({ path: pathOf(batch), sha256: batches[batch]! })),
  ]);
  return {
    folder: "bioasq",
    files: Object.fromEntries(files) as DataFiles["files"],
    from: "Register at http://participants-area.bioasq.org/datasets/ and unpack the golden files of tasks 7b to 10b into one folder.",
    licence: "CC BY 2.5 after registration, abstracts under the terms of the National Library of Medicine",
  };
}

/** Passages are given in the file's order, as many as fit; the first is always. */
const mostCharacters = 4000;

function passagesOf(snippets: readonly { text: string }[]): string {
  const passages: string[] = [];
  let length = 0;
  for (const text of new Set(snippets.map((one) => oneLine(one.text)))) {
    length += text.length;
    if (passages.length > 0 && length > mostCharacters) break;
    passages.push(text);
  }
  return passages.join("\n");
}

/** Questions of one kind; `goldOf` makes the gold of the exact answer. @throws DataError where one has another form. */
export async function readBioAsq<Gold>(
  folder: string,
  years: readonly number[],
  kind: "yesno" | "factoid" | "list",
  goldOf: (answer: string | string[][]) => Gold | undefined,
): Promise<BioAsqExample<Gold>[]> {
  const examples: BioAsqExample<Gold>[] = [];
  for (const path of batchesOf(years).map((batch) => `${folder}/${pathOf(batch)}`)) {
    for (const { id, type, body, snippets, exact_answer: answer } of (await readJson(path, file)).questions) {
      if (type !== kind) continue;
      const gold = answer === undefined ? undefined : goldOf(answer);
      if (gold === undefined) {
        const got = JSON.stringify(answer) ?? "none";
        throw new DataError(`${path}: question ${id}: expected the exact answer of a ${kind} question, got ${got}`, {
          hint: "golden files have answers, the test files of the challenge have none",
        });
      }
      examples.push({ id, text: passagesOf(snippets), question: oneLine(body), gold });
    }
  }
  return examples;
}

/** A user's text: the question, a tab and the passages. @throws DataError for another form. */
export function bioAsqExample<Gold>(id: string, text: string, gold: Gold): BioAsqExample<Gold> {
  const [question, passages, ...rest] = text.split("\t");
  if (question === undefined || passages === undefined || rest.length > 0) {
    throw new DataError(`text ${id}: expected a question, a tab and passages, got "${text.slice(0, 60)}"`);
  }
  return { id, text: passages.trim(), question: question.trim(), gold };
}

export const opening = "Passages:";

/** The passages, the question, and what is asked of the answer. */
export const bioAsqPrompt = ({ text, question }: BioAsqExample<unknown>, instruction: string): string =>
  `${opening}\n${text}\n\nQuestion: ${question}\n${instruction}`;

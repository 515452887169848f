import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeName, hubNameOf, hubSourceOf, parseHubName } from "./name.ts";

const before = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "galen-name-"));
beforeAll(() => {
  process.chdir(folder);
  mkdirSync("runs/nano/model", { recursive: true });
  mkdirSync("microsoft/phi", { recursive: true });
  writeFileSync("gpt2@main", "");
});
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const commit = "0123456789abcdef0123456789abcdef01234567";

test.each([
  ["NeuML/biomedbert-small-embeddings", { repo: "NeuML/biomedbert-small-embeddings", revision: "main" }],
  ["org/name_1.5-x@v1.0", { repo: "org/name_1.5-x", revision: "v1.0" }],
  ["org/name@refs/pr/1", { repo: "org/name", revision: "refs/pr/1" }],
  [`org/name@${commit}`, { repo: "org/name", revision: commit }],
  ["org/name:model.Q4_0.gguf", { repo: "org/name", revision: "main", file: "model.Q4_0.gguf" }],
  ["org/name@v2:q4/model.gguf", { repo: "org/name", revision: "v2", file: "q4/model.gguf" }],
  ["bert-base-uncased@main", { repo: "bert-base-uncased", revision: "main" }],
  // A folder of that name exists, but no file or folder has an @ in its name.
  ["microsoft/biogpt@main", { repo: "microsoft/biogpt", revision: "main" }],
])("%s is a name", (source, name) => {
  expect(hubNameOf(source)).toEqual({ file: undefined, ...name });
});

test.each([
  ["runs/nano", "a folder that exists"],
  ["runs/nanoo", "a folder in one that exists"],
  ["run/nano", "nearly a folder that exists"],
  ["microsoft/biogpt", "a folder in one that exists"],
  ["gpt2@main", "a file that exists"],
  ["./org/name", "a path"],
  ["/org/name", "a path"],
  ["../org/name", "a path"],
  ["~/org/name", "a path"],
  ["org\\name", "a path"],
  ["C:/models/x.gguf", "a path"],
  ["model.gguf", "a file"],
  ["org/model.gguf", "a file"],
  ["org/model.safetensors", "a file"],
  ["gpt2", "one word"],
  ["bm25", "one word"],
  ["org/name/folder", "of three parts"],
  ["org/na--me", "what the cache cannot hold"],
  ["org/name@../../x", "what leads out of the cache"],
  ["org/..", "what leads out of the cache"],
  ["org/name:../x.gguf", "what leads out of the cache"],
  ["org/name:config.json", "no GGUF file"],
  ["org/name?x=1", "no name"],
  ["org/-name", "no name"],
  [`org/${"a".repeat(97)}`, "longer than a name"],
  ["org/na me", "no name"],
  ["", "nothing"],
])("%s is none: %s", (source) => {
  expect(hubNameOf(source)).toBeUndefined();
});

test("a name is written as it was", () => {
  for (const text of ["org/name", "org/name@v1", "org/name:a.gguf", "org/name@v1:a.gguf"]) {
    expect(describeName(parseHubName(text)!)).toBe(text);
  }
});

test("a folder of the cache says which model it is, and that is a name", () => {
  const snapshot = `/home/me/.cache/huggingface/hub/models--org--name/snapshots/${commit}`;
  expect(hubSourceOf(snapshot)).toBe(`org/name@${commit}`);
  expect(hubSourceOf(`${snapshot}/`)).toBe(`org/name@${commit}`);
  expect(hubSourceOf(`${snapshot}/q4/a.gguf`)).toBe(`org/name@${commit}:q4/a.gguf`);
  expect(hubSourceOf(snapshot.replaceAll("/", "\\"))).toBe(`org/name@${commit}`);
  expect(hubSourceOf("runs/nano/model")).toBeUndefined();
  expect(hubNameOf(hubSourceOf(snapshot)!)).toEqual({ repo: "org/name", revision: commit, file: undefined });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { GalenError } from "../errors.ts";
import { fuzzRuns } from "../../test/support/fuzz.ts";
import { neededFiles } from "./needed.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-needed-"));
afterAll(() => rmSync(folder, { recursive: true }));

const usual =
  "config.json model.safetensors model.safetensors.index.json pytorch_model.bin.index.json modules.json " +
  "1_Pooling/config.json 2_Dense/model.safetensors a.gguf a.safetensors __proto__";
const name = fc.oneof(fc.constantFrom(...usual.split(" ")), fc.string());
const contents = fc.oneof(
  fc.json(),
  fc.record({ weight_map: fc.dictionary(fc.string(), name) }).map((index) => JSON.stringify(index)),
  fc
    .array(fc.record({ path: fc.oneof(fc.constantFrom("", "1_Pooling", "2_Dense", "../x", "/"), fc.string()) }))
    .map((modules) => JSON.stringify(modules)),
  fc.string(),
);

test("whatever a repository lists and its indexes say: files of the list, or an error that says why", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name),
      contents,
      fc.constantFrom("model" as const, "tokenizer" as const),
      async (names, text, part) => {
        const path = join(folder, "index.json");
        writeFileSync(path, text);
        const obtained: string[] = [];
        const obtain = async (one: string): Promise<string> => {
          obtained.push(one);
          return path;
        };
        try {
          const found = await neededFiles({ where: "org/name", names, obtain }, part);
          expect(found.filter((one) => !names.includes(one))).toEqual([]);
          expect(new Set(found).size).toBe(found.length);
        } catch (error) {
          expect(error).toBeInstanceOf(GalenError);
        }
        expect(obtained.filter((one) => !names.includes(one))).toEqual([]);
      },
    ),
    fuzzRuns(300),
  );
});

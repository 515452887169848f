/** Any config.json beside a model's weights: a graph that fits them, or a GalenError of a readable length. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { fuzzRuns } from "../../test/support/fuzz.ts";
import { hostileValue, mutatedJson, mutatedText } from "../../test/support/mutations.ts";
import { GalenError } from "../errors.ts";
import { hiddenGraph, scoringGraph } from "../models/graphs.ts";
import { openModelFolder } from "./folder.ts";
import { parameterSources } from "./parameters.ts";
import { placesOf } from "./places.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  "biogpt/model",
  "bert/masked",
  "bert/tokens",
  "bert/hash",
  "biogpt-heads/several",
  "old-bert/scibert",
  "megatron-bert/single",
  "modernbert/masked",
  "modernbert/several",
])("%s", async (name) => {
  const directory = join(folder, name);
  cpSync(fileURLToPath(new URL(`../../test/goldens/${name}`, import.meta.url)), directory, { recursive: true });
  const path = join(directory, "config.json");
  const text = readFileSync(path, "utf8");
  const config = JSON.parse(text) as Record<string, unknown>;
  const field = fc
    .tuple(fc.constantFrom(...Object.keys(config)), hostileValue)
    .map(([key, value]) => ({ ...config, [key]: value }));
  const changed = fc.oneof(
    fc.oneof(field, mutatedJson(config)).map((json) => JSON.stringify(json) ?? ""),
    mutatedText(text),
  );
  let opened = 0;
  await fc.assert(
    fc.asyncProperty(changed, async (contents) => {
      writeFileSync(path, contents);
      try {
        const model = await openModelFolder(directory);
        const { family, config: read, entries } = model;
        for (const graphOf of [hiddenGraph, scoringGraph]) {
          const graph = graphOf(family, read);
          await parameterSources(graph, entries, placesOf(entries));
        }
        opened += 1;
      } catch (error) {
        if (!(error instanceof GalenError)) throw error;
        expect(error.message.length).toBeLessThan(2000);
      }
    }),
    fuzzRuns(1000),
  );
  expect(opened).toBeGreaterThan(0);
});

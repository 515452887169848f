/** A LLaMA in miniature with random weights and a byte-level tokenizer of its own, as a model directory. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../src/checkpoints/safetensors.ts";
import { families, scoringGraph } from "../../src/models/index.ts";
import { allocateParameters, initialise } from "../../src/runtime/parameters.ts";
import { saveTokenizer } from "../../src/tokenizers/files.ts";
import { trainTokenizer } from "../../src/tokenizers/registry.ts";
import type { Tokenizer } from "../../src/tokenizers/tokenizer.ts";

export const tinyTexts = ["Aspirin 100 mg raised the levels of warfarin.", "It’s 37 °C: naïve cells died.\n\nDONE"];

/** @param larger weights are so many times what new ones are: in a trained model they are larger too. */
export async function writeTinyLlama(folder: string, larger: number = 8): Promise<Tokenizer> {
  const tokenizer = await trainTokenizer(Array.from({ length: 40 }, () => tinyTexts).flat(), {
    kind: "byte-bpe",
    vocabSize: 400,
  });
  await saveTokenizer(tokenizer, folder);
  const { llama } = families;
  const config = { ...llama!.debug(llama!.sizes["llama-nano"]!), vocab_size: 400 };
  const graph = scoringGraph(llama!, config);
  const parameters = allocateParameters(graph);
  initialise(graph, parameters, 5);
  for (const { data, dims } of parameters.tensors.values())
    if (dims.length === 2) data.forEach((x, i) => (data[i] = larger * x));
  await writeSafetensors(
    join(folder, "model.safetensors"),
    [...parameters.tensors].map(([name, one]) => ({ ...one, name })),
  );
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return tokenizer;
}

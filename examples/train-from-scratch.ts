/** From PubMed XML to a model, step by step: what `galen quickstart` does, with each part in sight. Under a minute. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel, readDocuments, recipes, train } from "galen";
import { buildTokenFiles } from "galen/corpus";
import { trainBioGptTokenizer } from "galen/tokenizers";
import { withSettings } from "galen/train";

const folder = await mkdtemp(join(tmpdir(), "galen-example-"));
const sample = ["samples/pubmed-sample.xml"];

// 1. A vocabulary, learned from the texts.
async function* texts(): AsyncGenerator<string> {
  for await (const { title, text } of readDocuments(sample)) yield `${title} ${text}`;
}
const tokenizer = await trainBioGptTokenizer(texts(), { vocabSize: 1024 });

// 2. Token files; one document in twenty is held out.
const tokens = join(folder, "tokens");
const manifest = await buildTokenFiles(readDocuments(sample), tokenizer, { output: tokens, heldOut: 0.05, seed: 1 });
console.log(`${manifest.train.tokens} tokens to train on, ${manifest.valid.tokens} held out`);

// 3. A recipe, made small by settings.
const config = withSettings(recipes["biogpt-nano"]({ scale: "debug" }), ["steps=40", "batch=4", "schedule.peak=1e-2"]);
const result = await train(config, {
  data: tokens,
  tokenizer,
  output: join(folder, "run"),
});
console.log(`held-out perplexity ${Math.exp(result.before!).toFixed(0)} → ${Math.exp(result.after!).toFixed(0)}`);

// 4. The model, from its directory.
await using model = await loadModel(result.model);
const { texts: written } = await model.generate({ prompts: ["Aspirin is"], maxNewTokens: 12, doSample: true, seed: 1 });
console.log(written[0]);

/** A classifier of texts: trained, measured and used. Arguments: an encoder's directory, files to train on and to test. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { classifyTexts, configure, describeReport, loadClassifier, readTexts, train } from "galen";
import { evaluateClassification } from "galen/eval";
import { streamLabelled } from "galen/tasks";

const [encoder, data, test] = process.argv.slice(2);
if (encoder === undefined || data === undefined || test === undefined) {
  throw new Error("expected an encoder's directory, a file to train on and one to test");
}
const output = await mkdtemp(join(tmpdir(), "galen-classes-"));
const inputs = { model: encoder, data };
const config = await configure("classifier", { inputs, settings: ["epochs=4", "documentTokens=64"] });
const { model } = await train(config, { ...inputs, output });

await using classifier = await loadClassifier(model);
const examples = [];
for await (const example of streamLabelled(test, classifier.multiLabel)) examples.push(example);
console.log(describeReport(await evaluateClassification(classifier, examples, { maxTokens: 64 })));
for await (const { label, text } of classifyTexts(classifier, readTexts(test), { maxTokens: 64 })) {
  console.log(label, text.slice(0, 60));
}

/** `galen hypotheses`: names that go with a name in an index's documents, with counts, and what a model would add. */
import { answeringOptions, openIndexOf } from "../answering.ts";
import { type Command, command, loadOptions, modelOption } from "../command.ts";

const { index, embeddings, rerank, device, threads, bits, "any-memory": anyMemory } = answeringOptions;

const hypotheses: Command = command({
  about: "Names that go with a name, counted in an index",
  details:
    'QUESTION says what kind of names, what they do and to what: "genes that interact with APOE". Names that stand beside it in documents are counted together and apart, with what chance would do (log-likelihood ratio, pointwise mutual information), whether mined relations or MeSH know them, and sentences with both. Names are found by their shapes, or by --tagger. Continuations of --model that no document has together are listed as ungrounded.',
  positionals: { question: { required: true, many: true, about: '"drugs that treat narcolepsy"' } },
  options: {
    index,
    embeddings,
    rerank,
    device,
    threads,
    bits,
    "any-memory": anyMemory,
    limit: {
      type: "integer",
      hint: "N",
      least: 1,
      default: 20,
      about: "Most names",
    },
    relations: {
      type: "text",
      hint: "FILE",
      about: "triples.jsonl of galen extract: what is known",
    },
    tagger: {
      ...modelOption,
      about: "Tagger that finds the names",
    },
    model: {
      ...modelOption,
      about: "Decoder that proposes names",
    },
    seed: {
      type: "integer",
      hint: "N",
      default: 0,
      about: "Of the decoder's draws",
    },
  },
  examples: [
    ["hypotheses --index index drugs that treat hypertension", "with counts and sentences"],
    ["hypotheses --index index diseases associated with aspirin --model runs/nano/model --json", "and a model's ideas"],
  ],
  stoppable: true,
  async run({ args, json, output, signal }) {
    const { hypotheses: make, hypothesesText, openContinuer, readRelations } = await import("../../answers/index.ts");
    const { loadTagger, tagTexts } = await import("../../labellers.ts");
    const question = args.question.join(" ");
    const load = loadOptions(args);
    const relations = args.relations === undefined ? [] : await readRelations(args.relations);
    await using opened = await openIndexOf(args);
    await using continuer = args.model === undefined ? undefined : await openContinuer(args.model, load);
    await using tagger = args.tagger === undefined ? undefined : await loadTagger(args.tagger, load);
    const names =
      tagger &&
      (async (texts: readonly string[]) => {
        const lists: string[][] = [];
        const rows = texts.map((text, i) => ({ id: String(i), text }));
        for await (const { entities } of tagTexts(tagger, rows, { signal }))
          lists.push(entities.map(({ text }) => text));
        return lists;
      });
    const lead = `${question.replace(/[?.\s]+$/, "")} include`;
    const continuations = await continuer?.continue(lead, { seed: args.seed, signal });
    const made = await make(opened, question, { limit: args.limit, relations, names, continuations, signal });
    if (json) await output.json(made);
    else await output.write(hypothesesText(made));
  },
});
export default hypotheses;

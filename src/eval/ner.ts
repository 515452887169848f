/** A tagger on sentences with tags: entity precision, recall and F1 as seqeval counts, in its default mode and strictly. */
import { DataError } from "../errors.ts";
import { type Tagger, unreadWords } from "../labellers.ts";
import { microF1 } from "../metrics/counts.ts";
import { entityScores, strictEntitiesOf, typesOf } from "../metrics/entities.ts";
import { detail, type Figure, figure, type Report } from "../metrics/report.ts";
import type { Tagged } from "../tasks/ner.ts";
import { textsHasher } from "./protocol.ts";
import { runEvaluation } from "./run.ts";
import type { Inputs, WindowOptions } from "./windows.ts";

/** @throws DataError for types of entities that the model does not know. */
function checkTypes(found: ReadonlySet<string>, known: ReadonlySet<string>): void {
  const unknown = [...found].filter((type) => !known.has(type));
  if (unknown.length === 0) return;
  const list = (types: Iterable<string>): string => [...types].map((type) => `"${type}"`).join(", ");
  throw new DataError(`ner: expected entities of the model's types ${list(known)}; got ${list(unknown)}`, {
    hint: 'tags are "B-TYPE"; a bare B has the type "_"',
  });
}

type Tags = readonly (readonly string[])[];

function figuresOf(gold: Tags, found: Tags): Figure[] {
  const options = { bootstrap: { seed: 1 } };
  const usual = entityScores(gold, found);
  const strict = entityScores(gold, found, strictEntitiesOf);
  const asSeqeval = {
    kind: "published",
    label: "entity F1, seqeval's default mode: an I- that continues none begins an entity",
  } as const;
  const asIob2 = { kind: "sound", label: "entity F1, strict IOB2: an I- that continues none is nothing" } as const;
  return [
    figure({ name: "f1", ...asSeqeval }, usual.sentences, microF1, options),
    { name: "precision", label: "precision of f1", kind: "published", value: usual.micro.precision },
    { name: "recall", label: "recall of f1", kind: "published", value: usual.micro.recall },
    { name: "macro_f1", label: "mean F1 of the types", kind: "published", value: usual.macro.f1 },
    figure({ name: "strict_f1", ...asIob2 }, strict.sentences, microF1, options),
    detail("strict_precision", "precision of strict_f1", strict.micro.precision),
    detail("strict_recall", "recall of strict_f1", strict.micro.recall),
  ];
}

/**
 * An entity counts when its type and both ends are right. Sentences are read twice, once for the protocol's
 * fingerprint; their words are held window by window.
 * @throws DataError for no sentences, or types of entities that the model does not know.
 */
export async function evaluateNer(
  tagger: Tagger,
  sentences: Inputs<Tagged>,
  options: WindowOptions = {},
): Promise<Report> {
  const { add, digest } = textsHasher();
  const gold: (readonly string[])[] = [];
  let unread = 0;
  for await (const { tokens, tags } of sentences) {
    add(...tokens, ...tags);
    gold.push(tags);
    unread += unreadWords(tagger, tokens);
  }
  if (gold.length === 0) throw new DataError("ner: expected sentences, got none");
  checkTypes(new Set(typesOf(gold.flat())), new Set(typesOf(tagger.labels)));
  const scheme = "as seqeval, default mode and strict IOB2";
  const protocol = { task: "ner", version: 2, scheme, data: digest() };
  return runEvaluation(protocol, tagger, ["tags"], options, async (windows) => {
    const parts = windows.run({
      name: "tags",
      inputs: sentences,
      total: gold.length,
      compute: (some) => tagger.tag(some.map(({ tokens }) => tokens)),
    });
    const found: (readonly string[])[] = [];
    for await (const part of parts) found.push(...part);
    const cut = detail("unread_words", "words beyond the model's length, which count as O", unread, "count");
    return { examples: gold.length, primary: "f1", figures: [...figuresOf(gold, found), ...(unread > 0 ? [cut] : [])] };
  });
}

/**
 * The model card of a trained model: README.md with the front matter of Hugging Face's hub, and what was done: data,
 * settings, figures, what it is for and what it is not. It has no date, so that equal runs write equal folders.
 */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { hubSourceOf } from "../hub/index.ts";
import { readText, writeFileAtomically } from "../io/files.ts";
import { type Config, settingsOf } from "./config.ts";
import type { RunResult } from "./loop.ts";
import { type Metrics, readMetrics } from "./metrics-log.ts";
import type { Inputs, Objective } from "./objectives/objective.ts";
import { type Base, modelName } from "./record.ts";

interface Kind {
  /** The hub's names. */
  readonly pipeline: string;
  readonly library: "transformers" | "sentence-transformers" | "PyLate";
  readonly use: string;
}

const embeddings: Kind = {
  pipeline: "sentence-similarity",
  library: "sentence-transformers",
  use: "vectors of texts, for search, comparison and grouping (`galen embed`, `galen similarity`)",
};
const late: Kind = {
  pipeline: "sentence-similarity",
  library: "PyLate",
  use: "search by late interaction of token vectors (`galen rerank`, `galen evaluate retrieval`)",
};
const writing = "text-generation";
const answering: Kind = {
  pipeline: writing,
  library: "transformers",
  use: "answers as the raters of its data preferred them (`galen generate`)",
};

const kinds: Readonly<Record<Config["objective"]["kind"], Kind>> = {
  causal: {
    pipeline: writing,
    library: "transformers",
    use: "continuing texts, and as a start for tuning (`galen generate`)",
  },
  masked: {
    pipeline: "fill-mask",
    library: "transformers",
    use: "a start for embeddings, rerankers, classifiers and taggers (`galen train`), and for features (`galen features`)",
  },
  distillation: embeddings,
  ranking: embeddings,
  margin: embeddings,
  divergence: embeddings,
  "late-contrastive": late,
  "late-divergence": late,
  pairs: {
    pipeline: "text-ranking",
    library: "sentence-transformers",
    use: "scores of a query with a document, to order what a search has found (`galen rerank`)",
  },
  classes: { pipeline: "text-classification", library: "transformers", use: "classes of texts (`galen classify`)" },
  tags: { pipeline: "token-classification", library: "transformers", use: "names in sentences (`galen tag`)" },
  policy: {
    pipeline: writing,
    library: "transformers",
    use: "answers as its rewards asked for them (`galen generate`)",
  },
  "soft-prompt": {
    pipeline: writing,
    library: "transformers",
    use: "answers of its one task (`galen predict`, `galen extract`, `galen evaluate task`)",
  },
  instructions: {
    pipeline: writing,
    library: "transformers",
    use: "answers to questions as it was taught them (`galen generate --chat`, `galen serve`)",
  },
  reward: {
    pipeline: "text-classification",
    library: "transformers",
    use: "rewards of answers: the larger, the sooner people would prefer them (`galen train policy`)",
  },
  preference: answering,
  unpaired: answering,
};

export interface CardFacts {
  readonly config: Config;
  readonly inputs: Pick<Inputs, "model" | "teacher" | "reward" | "data" | "valid">;
  readonly base: Base | undefined;
  /** Folder of the run. */
  readonly output: string;
  readonly result: Pick<RunResult, "step" | "model">;
  readonly objective: Pick<Objective, "perplexity"> & {
    readonly train: { readonly count: number };
    readonly valid?: { readonly count: number } | undefined;
  };
  /** Numbers that learned. */
  readonly learned: number;
  /** Weights that stayed in few bits meanwhile. */
  readonly inBits: number;
}

/** Writes MODEL/README.md. */
export async function writeModelCard(facts: CardFacts): Promise<void> {
  const { model } = facts.inputs;
  const licence = model === undefined ? undefined : await licenceOf(model);
  // Of the whole run: the last call of a resumed one has seen its end alone.
  const metrics = await readMetrics(facts.output);
  await writeFileAtomically(join(facts.result.model, "README.md"), modelCard(facts, metrics, licence));
}

/** What the card of the model that was started from says. */
async function licenceOf(folder: string): Promise<string | undefined> {
  const path = join(folder, "README.md");
  if (!existsSync(path)) return undefined;
  const front = /^---\n([^]*?)\n---/.exec(await readText(path).catch(() => ""))?.[1] ?? "";
  return /^license: *([\w.-]+)$/m.exec(front)?.[1];
}

function modelCard(facts: CardFacts, metrics: Metrics, licence = "unknown"): string {
  const { config } = facts;
  const { pipeline, library, use } = kinds[config.objective.kind];
  const { recipe } = config;
  const source = facts.inputs.model;
  const base = source === undefined ? undefined : hubSourceOf(source)?.split("@")[0];
  return `---
language: en
license: ${licence}
${base === undefined ? "" : `base_model: ${base}\n`}library_name: ${library}
pipeline_tag: ${pipeline}
tags:
  - galen
  - biomedical
---

# ${recipe}

Trained with Galen by the recipe \`${recipe}\`. For ${use}.

## Data

${rows(dataOf(facts))}

## Figures

${rows(figuresOf(facts, metrics))}

They are of this run's own held-out data alone, where it had any; nothing else was measured.

## Settings

\`\`\`
${settingsOf(config)
  .map(({ path, value }) => `${path}=${value}`)
  .join("\n")}
\`\`\`

## Intended use and limits

For research on biomedical texts. It has seen only the data above: on other kinds of text, other languages and newer
knowledge it is worse, by how much is not known. What it says of drugs and diseases can be false, and what stands in its
data, errors and prejudice included, comes back in its results. It must not decide on the treatment of patients.

## Licence

${
  licence === "unknown"
    ? "Not stated. What may be done with the weights depends on the licences of the data and of the model that they started from: write it here, and in `license` above, before you give them away."
    : `As the model that it started from says: ${licence}. The licences of the data hold beside it.`
}
`;
}

/** Names of files, without the folders of this machine. */
function dataOf({ inputs: { teacher, reward, data, valid }, objective, base, inBits }: CardFacts): Row[] {
  const paths = typeof data === "string" ? [data] : data;
  const count = (value: number): string => value.toLocaleString("en-US");
  const held = objective.valid === undefined ? "none" : count(objective.valid.count);
  return [
    ["files", paths.map((path) => basename(path)).join(", ")],
    ...(valid === undefined ? [] : [["held out from", basename(valid)] as const]),
    ["training examples", count(objective.train.count)],
    ["held-out examples", held],
    ["started from", base === undefined ? "new weights" : base.name],
    ...(base?.fingerprint === undefined ? [] : [["its fingerprint", base.fingerprint] as const]),
    ...(inBits === 0
      ? []
      : [["its weights in few bits", `${inBits}, here in float32: they are as exact as the bits were`] as const]),
    ...(teacher === undefined ? [] : [["teacher", modelName(teacher)] as const]),
    ...(typeof reward === "string" ? [["reward model", modelName(reward)] as const] : []),
  ];
}

function figuresOf({ result, objective, learned }: CardFacts, { loss, heldOut, heldOutFigures }: Metrics): Row[] {
  const perplexity = objective.perplexity === true;
  const held = (value: number): string => (perplexity ? Math.exp(value).toFixed(2) : value.toFixed(4));
  const name = perplexity ? "held-out perplexity" : "held-out loss";
  const [before, after] = [heldOut[0], heldOut.at(-1)];
  const last = loss.at(-1);
  return [
    ["weights that learned", learned.toLocaleString("en-US")],
    ["updates", result.step.toLocaleString("en-US")],
    ...(last === undefined ? [] : [["loss of the last update", last.value.toFixed(4)] as const]),
    ...(before === undefined || after === undefined
      ? []
      : ([
          [`${name} before`, held(before.value)],
          [`${name} after`, held(after.value)],
        ] as const)),
    // What else was measured there, after the last update.
    ...Object.entries(heldOutFigures).map(
      ([figure, points]) => [`held-out ${figure} after`, (points.at(-1)?.value ?? Number.NaN).toFixed(4)] as const,
    ),
  ];
}

type Row = readonly [name: string, value: string];

function rows(list: readonly Row[]): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  return ["| | |", "| --- | --- |", ...list.map((row) => `| ${row.map(cell).join(" | ")} |`)].join("\n");
}

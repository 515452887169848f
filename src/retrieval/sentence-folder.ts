/** Sentence Transformers directories on disk, and GGUF files of models for vectors. */
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { ConfigError } from "../errors.ts";
import { readSettings } from "../io/json.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { isAlone } from "../runtime/foreign.ts";
import { type GgufPooling, ggufPoolingOf, ggufPoolings } from "../runtime/gguf.ts";
import { type FolderFiles, readSentenceFolder, type SentenceFolder, settingsSchema } from "./sentence-modules.ts";

const onDisk: FolderFiles = {
  settings: readSettings,
  model: (folder) => openModelFolder(folder, { as: "bare" }),
  weights: openCheckpoint,
};

/**
 * Opens a Sentence Transformers directory, or a GGUF file.
 * @throws ConfigError where a module or a setting is not understood; CheckpointError where weights are missing.
 */
export async function openSentenceFolder(folder: string): Promise<SentenceFolder> {
  return isAlone(folder) ? openGgufFile(folder) : readSentenceFolder(folder.replace(/(?<=.)\/+$/, ""), onDisk);
}

/** As llama.cpp's programs do, vectors are made as long as 1: the file does not say whether. */
async function openGgufFile(path: string): Promise<SentenceFolder> {
  const pooling = await ggufPoolingOf(path);
  const model = await onDisk.model(path);
  return {
    model,
    stages: [
      { kind: "pooling", name: "1_Pooling", modes: [pooling], includePrompt: true },
      { kind: "normalize", name: "2_Normalize" },
    ],
    mask: undefined,
    entries: model.entries,
    maxTokens: model.config.max_position_embeddings,
    lowerCase: false,
    lengths: {},
    prompts: {},
    defaultPrompt: undefined,
    settings: settingsSchema.parse({}),
  };
}

/**
 * What of a Sentence Transformers directory a GGUF file says, and what it does not.
 * @throws ConfigError where its vectors would be others.
 */
export async function ggufPooling(folder: string): Promise<{ pooling: GgufPooling; losses: string[] }> {
  const { stages, mask, maxTokens, lowerCase, prompts, model } = await openSentenceFolder(folder);
  const wrong = (got: string): ConfigError =>
    new ConfigError(
      `${folder}/modules.json: expected Transformer, one Pooling (${Object.keys(ggufPoolings).join(", ")}) and Normalize, ` +
        `which llama.cpp has, got ${got}`,
      { hint: "the vectors would be others: keep the directory" },
    );
  if (mask !== undefined) throw wrong("MultiVectorMask");
  const [first, ...rest] = stages;
  const modes = first?.kind === "pooling" ? first.modes : [];
  const pooling = modes.length === 1 ? modes[0]! : "";
  if (!Object.hasOwn(ggufPoolings, pooling)) throw wrong(modes.join(" and ") || first?.kind || "none");
  const other = rest.find(({ kind }) => kind !== "normalize");
  if (other !== undefined) throw wrong(other.kind);
  if (lowerCase) throw wrong("do_lower_case");
  const positions = model.config.max_position_embeddings;
  const losses = [
    ...(maxTokens < positions ? [`texts are cut at ${positions} tokens there, not at ${maxTokens}`] : []),
    ...(rest.length === 0 ? ["llama.cpp's programs make vectors as long as 1, which this model does not"] : []),
    ...(Object.values(prompts).some((prompt) => prompt !== "") ? ["llama.cpp is not told of the model's prompts"] : []),
  ];
  return { pooling: pooling as GgufPooling, losses };
}

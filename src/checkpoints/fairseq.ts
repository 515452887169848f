/**
 * fairseq's checkpoints (0.12.2): tensors under fairseq's own names, and the settings of their model, which lie in plain
 * dictionaries, namespaces or pickled omegaconf containers. What names and settings mean is a model family's to say.
 * Left out: the state of optimiser and training.
 */
import type { TensorEntry } from "./entries.ts";
import type { PickleValue } from "./pickle-values.ts";
import { field, openTorchFile } from "./torch-file.ts";
import { type TorchTensor, type TorchValue, writeTorchFile } from "./torch-write.ts";

export interface FairseqCheckpoint {
  readonly entries: Map<string, TensorEntry>;
  /** A setting of the model; undefined where there is none of this name. */
  setting(name: string): PickleValue | undefined;
}

/** Opens `checkpoint*.pt` or `model.pt`. @throws CheckpointError for a damaged or hostile file. */
export async function openFairseq(path: string): Promise<FairseqCheckpoint> {
  const { root, tensors } = await openTorchFile(path, { strict: false });
  const settings = settingOf(field(root, "cfg"), "model") ?? field(root, "args");
  return { entries: tensors, setting: (name) => settingOf(settings, name) };
}

/** A setting of plain dictionaries, namespaces and pickled omegaconf containers. */
function settingOf(settings: PickleValue | undefined, key: string): PickleValue | undefined {
  const value = field(settings, key) ?? field(field(settings, "_content"), key);
  return field(value, "_val") ?? value;
}

/** Every decoder of fairseq carries the version of its format among its weights. */
const version: TorchTensor = {
  kind: "tensor",
  key: "version",
  dtype: "float32",
  dims: [1],
  data: () => Float32Array.of(3),
};

/** Writes a decoder and its settings, by section, as fairseq-train does; tensors by fairseq's names. */
export async function writeFairseq(
  path: string,
  cfg: { readonly [section: string]: TorchValue },
  tensors: Readonly<Record<string, TorchTensor>>,
): Promise<void> {
  await writeTorchFile(path, { args: null, cfg, model: { "decoder.version": version, ...tensors } });
}

/** Reading and writing weights: safetensors, PyTorch's zip and legacy files, fairseq; no pickle is executed. */
export { averageCheckpoints } from "./average.ts";
export { openCheckpoint, saveSharded } from "./checkpoint.ts";
export { readFloat32, readTensor, type TensorEntry } from "./entries.ts";
export { type FairseqCheckpoint, openFairseq } from "./fairseq.ts";
export { writeAtomically, writeFileAtomically } from "../io/files.ts";
export { openSafetensors, type TensorSource, writeSafetensors } from "./safetensors.ts";
export type { SafetensorsFile } from "./safetensors-read.ts";
export { openTorchFile } from "./torch-file.ts";

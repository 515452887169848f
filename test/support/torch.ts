/** A Python with PyTorch for tests of trainings on it, named by PEERS_PYTHON; they skip without it. */
import { spawnSync } from "node:child_process";

export const python: string = process.env["PEERS_PYTHON"] ?? "";

let known: boolean | undefined;

/** Whether there is one. */
export function canTrain(): boolean {
  known ??= python !== "" && spawnSync(python, ["-c", "import torch.distributed"]).status === 0;
  if (!known) console.warn("skipped: PEERS_PYTHON names no Python with PyTorch");
  return known;
}

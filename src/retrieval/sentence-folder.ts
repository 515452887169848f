/** Sentence Transformers directories on disk. */
import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { readSettings } from "../io/json.ts";
import { openModelFolder } from "../runtime/folder.ts";
import { type FolderFiles, readSentenceFolder, type SentenceFolder } from "./sentence-modules.ts";

const onDisk: FolderFiles = {
  settings: readSettings,
  model: (folder) => openModelFolder(folder, { as: "bare" }),
  weights: openCheckpoint,
};

/**
 * Opens a Sentence Transformers directory.
 * @throws ConfigError where a module or a setting is not understood; CheckpointError where weights are missing.
 */
export async function openSentenceFolder(folder: string): Promise<SentenceFolder> {
  return readSentenceFolder(folder.replace(/(?<=.)\/+$/, ""), onDisk);
}

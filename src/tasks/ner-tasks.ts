/**
 * Named-entity tasks over the IOB files that biomedical taggers are compared on (as BLURB's predecessors hand them
 * round): BC5CDR-chem; BC5CDR-disease and NCBI-disease; BC2GM; JNLPBA without its five types. Settings are ours.
 */
import type { EntityTask } from "./entities.ts";
import { taskFromSchema } from "./schema.ts";

const ner = (name: string, type: string, description: string): EntityTask =>
  taskFromSchema({ kind: "entities", name, types: [type], description }) as EntityTask;

export const nerTasks: readonly EntityTask[] = [
  ner("ner-chemical", "chemical", "Chemicals named in a sentence (BC5CDR-chem)"),
  ner("ner-disease", "disease", "Diseases named in a sentence (BC5CDR-disease, NCBI-disease)"),
  ner("ner-gene", "gene", "Genes and proteins named in a sentence (BC2GM)"),
  ner("ner-jnlpba", "bioentity", "Proteins, DNA, RNA, cell lines and cell types named in a sentence (JNLPBA)"),
];

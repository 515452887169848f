/**
 * Named-entity tasks over the IOB files that biomedical taggers are compared on (as BLURB's predecessors hand them
 * round): BC5CDR-chem; BC5CDR-disease and NCBI-disease; BC2GM; JNLPBA without its five types. The wording is ours.
 */
import { type EntityBenchmark, entityBenchmark, entitySentences } from "./entities.ts";

const ner = (name: string, type: string, description: string): EntityBenchmark =>
  entityBenchmark({ name, version: "1", description, types: [type], lowercase: false, ...entitySentences });

export const nerTasks: readonly EntityBenchmark[] = [
  ner("ner-chemical", "chemical", "Chemicals named in a sentence (BC5CDR-chem)"),
  ner("ner-disease", "disease", "Diseases named in a sentence (BC5CDR-disease, NCBI-disease)"),
  ner("ner-gene", "gene", "Genes and proteins named in a sentence (BC2GM)"),
  ner("ner-jnlpba", "bioentity", "Proteins, DNA, RNA, cell lines and cell types named in a sentence (JNLPBA)"),
];

/** Benchmarks beside those of `index.ts`: entities by corpus, and what is asked of models of any kind, without tuning too. */
import { articleSummaries } from "./article-summaries.ts";
import type { Benchmark } from "./benchmark.ts";
import { bioAsq7YesNo, bioAsqFactoid, bioAsqList, bioAsqYesNo } from "./bioasq.ts";
import { chemprot } from "./chemprot.ts";
import { gad } from "./gad.ts";
import { medicalAbstracts } from "./medical-abstracts.ts";
import { mtsDialogChat, mtsDialogSum } from "./mts-dialog.ts";
import { nerCorpora } from "./ner-tasks.ts";
import { nli4ct } from "./nli4ct.ts";
import { pubTatorEntities } from "./pubtator-entities.ts";
import { structuredAbstracts } from "./structured-abstracts.ts";

export const moreBenchmarks: readonly Benchmark[] = [
  ...nerCorpora,
  ...pubTatorEntities,
  bioAsqYesNo,
  bioAsq7YesNo,
  bioAsqFactoid,
  bioAsqList,
  gad,
  chemprot,
  nli4ct,
  medicalAbstracts,
  structuredAbstracts,
  mtsDialogChat,
  mtsDialogSum,
  articleSummaries,
];

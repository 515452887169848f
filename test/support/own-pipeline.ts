/** A pipeline in TypeScript with a stage of its own, as docs/curation.md shows one. */
import * as z from "zod";
import { eachDocument, type MapStage, type PipelineFile } from "../../src/curate/index.ts";

const recent: MapStage<{ from: number }> = {
  name: "recent",
  about: "documents since a year",
  version: 1,
  rewrites: false,
  settings: z.strictObject({ from: z.int() }),
  open: ({ from }) =>
    eachDocument(({ date }) =>
      Number(date?.slice(0, 4)) >= from ? { keep: true } : { keep: false, rule: "too-old", detail: date ?? "no date" },
    ),
};

const pipeline: PipelineFile = {
  sources: { pubmed: { paths: "../../samples/pubmed-sample.xml" } },
  stages: [{ stage: recent, settings: { from: 2018 } }, "exact-duplicates"],
};
export default pipeline;

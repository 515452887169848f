/** What BERT's network and its heads share: scope, token table, projection. */
// V vocabulary, D width, P projections
import type { Graph, Value } from "../../graph/graph.ts";
import { vocabularyTable } from "../../nn/layers.ts";
import type { BertConfig } from "./config.ts";
import { bodyScope } from "./names.ts";

/** Runs `build` in the scope of the network's parameters. */
export function inBody<T>(g: Graph, config: BertConfig, build: () => T): T {
  const scope = bodyScope(config);
  return scope === "" ? build() : g.scope(scope, build);
}

/** In the scope `embeddings`: word_embeddings_VD; for BERT-hash word_embeddings_VP. */
export function tokenTable(g: Graph, config: BertConfig): Value {
  const { vocab_size, hidden_size, projections = hidden_size, initializer_range: normal } = config;
  return vocabularyTable(g, "word_embeddings", vocab_size, projections, { normal });
}

/** In the scope `embeddings`: BERT-hash's projection_DP. It starts so that token vectors are as large as BERT's. */
export function projectionWeight(g: Graph, config: BertConfig): Value {
  const { hidden_size, projections = hidden_size } = config;
  const init = { normal: 1 / Math.sqrt(projections) };
  return g.scope("projection", () => g.param("weight", [hidden_size, projections], init));
}

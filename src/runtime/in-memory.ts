/** A graph over parameters in memory, such as those of a training, compiled. */
import { ConfigError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { toOnnx } from "../graph/lower.ts";
import { finiteSession } from "./finite.ts";
import { createSession, type Session, type SessionOptions, type Tensors } from "./session.ts";

/**
 * Compiles a graph whose parameters are `weights`. They are inputs that the session adds to each run, so whoever changes
 * them in between needs no new one.
 * @throws ConfigError where a parameter of the graph is missing.
 */
export async function openInMemory(graph: Graph, weights: Tensors, options: SessionOptions = {}): Promise<Session> {
  const names = [...graph.parameters.keys()];
  const missing = names.find((name) => !Object.hasOwn(weights, name));
  if (missing !== undefined) {
    throw new ConfigError(`weights: expected parameter "${missing}", got ${Object.keys(weights).length} others`);
  }
  const compiled = await createSession(toOnnx(graph, { branches: (options.device ?? "cpu") === "cpu" }), options);
  const session = finiteSession(compiled, "weights in memory");
  return {
    ...session,
    inputNames: session.inputNames.filter((name) => !graph.parameters.has(name)),
    run: (inputs, into) => session.run({ ...weights, ...inputs }, into),
  };
}

/** A graph with a model directory's weights, compiled: weights are mapped from its files. */
import type { Graph } from "../graph/graph.ts";
import { takesGroups } from "../graph/weights/groups.ts";
import type { Bits } from "../tensor/grouped.ts";
import { compileNetwork, type Needed, type NetworkOptions, type Placed } from "./compile.ts";
import { hold } from "./grouped.ts";
import { cacheBytes, requireMemory, weightBytes } from "./memory.ts";
import type { Entries } from "./parameters.ts";
import { placesOf } from "./places.ts";
import type { Session, Tensors } from "./session.ts";

export { identityOf, type NetworkOptions } from "./compile.ts";

/**
 * Compiles a graph whose parameters are `entries`, in files of `folder`.
 * @throws as `compileNetwork`; ConfigError where the weights are larger than what is free.
 */
export async function openNetwork(
  graph: Graph,
  entries: Entries,
  folder: string,
  { memory, ...options }: NetworkOptions,
  sample: () => Tensors | Promise<Tensors>,
): Promise<Session> {
  const place = async (needed: Needed): Promise<Placed> => {
    if (memory !== "any") requireRoom(needed, entries, folder);
    const held = await hold(entries, graph.parameters.keys(), needed.groupings);
    const places = placesOf(held.entries);
    return { ...held, ...places, session: { externalFolder: places.where } };
  };
  return compileNetwork(graph, { entries, where: folder, place }, options, sample);
}

/** @throws ConfigError where the graph's weights are larger than what is free. */
function requireRoom({ graph, weights, groupings }: Needed, entries: Entries, where: string): void {
  const inGroups = (bits: Bits): number => {
    const taken = weights.filter((weight) => takesGroups(weight, 32));
    return weightBytes(graph, entries, new Map(taken.map(({ name }) => [name, { bits, group: 32 }])));
  };
  const inBits = groupings.size === 0 ? { 4: inGroups(4), 8: inGroups(8) } : undefined;
  requireMemory({ where, weights: weightBytes(graph, entries, groupings), cache: cacheBytes(graph), inBits });
}

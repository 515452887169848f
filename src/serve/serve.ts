/** A server from its options to its end: what `galen serve` and programs start. */
import type { LoadOptions } from "../model.ts";
import type { SearchIndex } from "../search/types.ts";
import { createApp } from "./app.ts";
import type { Folders } from "./context.ts";
import { listen, type ListenOptions, type Serving } from "./listen.ts";
import { createModels, knownModels } from "./models.ts";

export interface ServeOptions extends ListenOptions {
  /**
   * Paths, names of the hub, or `NAME=MODEL`; clients call it by that, by the hub's name, or by the
   * folder's (of `runs/nano/model` "nano").
   */
  readonly models?: readonly string[] | undefined;
  /** Stays the caller's, who disposes of it after the server. */
  readonly index?: SearchIndex | undefined;
  readonly folders?: Folders | undefined;
  /** How models are loaded. */
  readonly load?: LoadOptions | undefined;
}

/**
 * Starts a server; models are loaded when they are asked for.
 * @throws UsageError where the port is taken, two models have one name, or other machines could ask without a token;
 * ConfigError for a model that is none.
 */
export function serve(options: ServeOptions = {}): Promise<Serving> {
  const { models: given = [], index, folders = {}, load } = options;
  return listen(options, async (surroundings) => {
    const models = createModels(await knownModels(given), { load, ...surroundings });
    const app = createApp({ index, models, folders, ...surroundings });
    return { app, dispose: () => models[Symbol.asyncDispose]() };
  });
}

import { ConfigError } from "../errors.ts";
import type { StoreWriter } from "./store.ts";
export async function openLanceStore(folder: string, _width: number): Promise<StoreWriter> {
  throw new ConfigError(`${folder}: expected LanceDB`);
}

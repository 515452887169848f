/** Files of records that are damaged: what was read of them before the damage counts. */
import type { SourceInput } from "./kind.ts";

export interface UntilDamage {
  /** The bytes, which end where the damage begins. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Whether there was damage before any byte. */
  isLost(): boolean;
  /** @throws what the bytes threw. */
  throwDamage(): void;
}

export function untilDamage({ bytes, signal }: Pick<SourceInput, "bytes" | "signal">): UntilDamage {
  let damage: { readonly error: unknown } | undefined;
  let isEmpty = true;
  return {
    async *chunks() {
      try {
        for await (const chunk of bytes) {
          signal?.throwIfAborted();
          isEmpty &&= chunk.length === 0;
          yield chunk;
        }
      } catch (error) {
        damage = { error };
      }
    },
    isLost: () => damage !== undefined && isEmpty,
    throwDamage() {
      if (damage !== undefined) throw damage.error;
    },
  };
}

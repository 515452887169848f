/** Checkpoints with any byte changed: read as they are, or refused with the reason; numbers that come back are finite. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GalenError } from "../errors.ts";
import { tensor } from "../tensor/tensor.ts";
import { restoreCheckpoint, saveCheckpoint, saveModel, type TrainState } from "./checkpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-checkpoint-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true }));
const numRuns = Number(process.env["GALEN_FUZZ"] ?? 1000);

function state(): TrainState {
  return {
    step: 3,
    learned: new Map([
      ["a", tensor("float32", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6))],
      ["lora_A.weight", tensor("float32", [2], Float32Array.of(7, 8))],
    ]),
    optimiser: { step: 3, firstMoment: new Float32Array(8).fill(0.5), secondMoment: new Float32Array(8).fill(0.25) },
    lossScale: { value: 1024, updates: 3 },
  };
}
const output = join(folder, "run");
const checkpoint = join(output, "checkpoints/step-00000003");
let whole: Map<string, Buffer>;
beforeAll(async () => {
  const { learned } = state();
  const model = new Map([["a", learned.get("a")!]]);
  await saveCheckpoint(output, state(), (path) => saveModel(path, model, new Map()), { keep: 1 });
  whole = new Map(readdirSync(checkpoint).map((name) => [name, readFileSync(join(checkpoint, name))]));
  cpSync(output, join(folder, "kept"), { recursive: true });
});

test("a checkpoint has the weights, what they lack, moments and counters", () => {
  expect([...whole.keys()].sort()).toEqual([
    "model.safetensors",
    "optimiser.safetensors",
    "trainable.safetensors",
    "training.json",
  ]);
});

test("damage is found, or leaves numbers of the right shape", async () => {
  const places = fc.constantFrom(
    "model.safetensors",
    "optimiser.safetensors",
    "trainable.safetensors",
    "training.json",
  );
  await fc.assert(
    fc.asyncProperty(places, fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 8 }), async (name, at, count, bytes) => {
      const before = whole.get(name)!;
      const place = at % (before.length + 1);
      const damaged = Buffer.concat([before.subarray(0, place), bytes, before.subarray(place + count)]);
      writeFileSync(join(checkpoint, name), damaged);
      const found = state();
      try {
        await restoreCheckpoint(output, found);
        expect(Number.isInteger(found.step) && Number.isInteger(found.optimiser.step)).toBe(true);
        expect(found.optimiser.step).toBeGreaterThanOrEqual(0);
      } catch (error) {
        if (!(error instanceof GalenError)) throw error;
        expect(error.message).toContain(name);
        expect(error.message.length).toBeLessThan(600);
      } finally {
        expect(statSync(join(checkpoint, name)).size).toBe(damaged.length);
        writeFileSync(join(checkpoint, name), before);
      }
    }),
    { numRuns, seed: 11 },
  );
});

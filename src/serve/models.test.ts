/** Which models are in memory: what nobody uses makes room, what answers a request stays. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeChatModel } from "../../test/support/chat-model.ts";
import { defaultLimits } from "./context.ts";
import { planOf, runPlan } from "./generation.ts";
import { createMetrics, type ServerMetrics } from "./metrics.ts";
import { createModels, type KnownModel, type LoadedDecoder, type Models } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "galen-models-"));
let source: string;
beforeAll(async () => {
  source = await makeChatModel(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

interface World {
  readonly models: Models;
  readonly metrics: ServerMetrics;
  loads(name: string): number;
}

/** Models a, b and c; `free` says how much memory there is. */
function worldOf(free: () => number): World {
  const metrics = createMetrics();
  const known = ["a", "b", "c"].map((name): KnownModel => ({ name, kind: "decoder", source }));
  const models = createModels(known, { limits: { ...defaultLimits, idleTime: 60_000 }, metrics, free });
  const loads = (name: string): number =>
    Number(new RegExp(`galen_model_loads_total\\{model="${name}"\\} (\\d+)`).exec(metrics.text())?.[1] ?? 0);
  return { models, metrics, loads };
}

async function touch(models: Models, name: string): Promise<void> {
  using _ = await models.use(name, "decoder");
}

const idsOf = async (model: LoadedDecoder, metrics: ServerMetrics, onFirst = (): void => {}): Promise<number[]> => {
  const ids: number[] = [];
  const fields = { model: model.name, temperature: 0, logit_bias: { 0: -100 } };
  const plan = planOf(model, [model.tokenizer.encodeIds("Aspirin")], fields, { maxTokens: 100, usual: 100 });
  const { signal } = new AbortController();
  await runPlan(
    model,
    plan,
    { seed: 1, signal, context: { metrics } },
    {
      onPiece: (_, { id }) => {
        if (ids.push(id) === 1) onFirst();
      },
    },
  );
  return ids;
};

test("what was unused longest goes first, and no more than is needed", async () => {
  const answers: number[] = [];
  const { models, loads } = worldOf(() => answers.shift() ?? Infinity);
  await using _ = models;
  await touch(models, "a");
  await touch(models, "b");
  answers.push(0);
  await touch(models, "c");
  await touch(models, "b");
  expect([loads("a"), loads("b"), loads("c")]).toEqual([1, 1, 1]);
  await touch(models, "a");
  expect(loads("a")).toBe(2);
});

test("a request that runs is not cut for want of memory", async () => {
  const { models, metrics, loads } = worldOf(() => 0);
  await using _ = models;
  using lease = await models.use("a", "decoder");
  const alone = await idsOf(lease.model, metrics);
  expect(alone).toHaveLength(100);
  let other: Promise<void> | undefined;
  expect(await idsOf(lease.model, metrics, () => (other = touch(models, "b")))).toEqual(alone);
  await other;
  await touch(models, "a");
  expect([loads("a"), loads("b")]).toEqual([1, 1]);
});

test("a model that is asked for while another makes room stays", async () => {
  let onAsked = (): void => {};
  const { models, metrics, loads } = worldOf(() => {
    onAsked();
    return 0;
  });
  await using _ = models;
  // Without memory each goes for the next; both are there while both are used.
  {
    using first = await models.use("a", "decoder");
    expect(first.model.name).toBe("a");
    await touch(models, "b");
  }
  let used: ReturnType<typeof models.use<"decoder">> | undefined;
  onAsked = () => (used ??= models.use("b", "decoder"));
  await touch(models, "c");
  using lease = await used!;
  expect(await idsOf(lease.model, metrics)).toHaveLength(100);
  expect([loads("a"), loads("b"), loads("c")]).toEqual([1, 1, 1]);
});

/**
 * The networks of distributed/families.py are those of src/models: the same losses and gradients in float32, for every
 * family and every setting that changes its network (scripts/families-torch.py, in the Python that PEERS_PYTHON names).
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSafetensors, readFloat32, sourcesOf, writeSafetensors } from "../src/checkpoints/safetensors.ts";
import { families, lossGraph, type ModelConfig } from "../src/models/index.ts";
import { openInMemory } from "../src/runtime/in-memory.ts";
import { allocateParameters, type Parameters } from "../src/runtime/parameters.ts";
import { random } from "../src/tensor/random.ts";
import { type Tensor, tensor } from "../src/tensor/tensor.ts";

const python = process.env["PEERS_PYTHON"];
if (python === undefined) console.warn("skipped: PEERS_PYTHON names no Python with PyTorch");

interface Case {
  readonly family: string;
  readonly settings?: object;
  /** Several documents share a row. */
  readonly packed?: boolean;
  /** Some tokens have labels, as in masked language models. */
  readonly gathered?: boolean;
  /** config.json's fields are called what its files call them. */
  readonly written?: boolean;
  /** Cut among two ranks as well. */
  readonly parallel?: boolean;
}

const rope = (rope_type: string, more: object = {}): object => ({
  rope_parameters: { rope_type, rope_theta: 100, ...more },
});
const grouped = { hidden_size: 48, num_attention_heads: 8, num_key_value_heads: 2, head_dim: null };
const biases = { attention_bias: true, mlp_bias: true };

const cases: Readonly<Record<string, Case>> = {
  "llama, 8 heads on 2": { family: "llama", settings: { ...grouped, tie_word_embeddings: false }, parallel: true },
  "llama, tied, 9 heads on 3 and biases, packed": {
    family: "llama",
    settings: { ...biases, hidden_size: 36, num_attention_heads: 9, num_key_value_heads: 3, head_dim: 8 },
    packed: true,
    gathered: true,
  },
  "llama with biases, cut": { family: "llama", settings: { ...biases, ...grouped }, packed: true, parallel: true },
  "llama 3.1's rotation": {
    family: "llama",
    settings: rope("llama3", {
      factor: 4,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 16,
    }),
  },
  "yarn's rotation": { family: "llama", settings: rope("yarn", { factor: 4, original_max_position_embeddings: 16 }) },
  "a linear rotation": { family: "llama", settings: rope("linear", { factor: 2.5 }) },
  "a dynamic rotation": { family: "llama", settings: rope("dynamic", { factor: 4 }) },
  "longrope's rotation": {
    family: "llama",
    settings: rope("longrope", {
      short_factor: Array.from({ length: 8 }, (_, i) => 1 + i / 10),
      long_factor: Array.from({ length: 8 }, (_, i) => 2 + i),
      factor: 4,
      original_max_position_embeddings: 32,
    }),
  },
  "mistral, window shorter than the text": { family: "mistral", settings: { sliding_window: 7 } },
  "mistral, window and documents": { family: "mistral", settings: { ...grouped, sliding_window: 7 }, packed: true },
  "qwen2, one layer slides": {
    family: "qwen2",
    settings: { ...grouped, use_sliding_window: true, sliding_window: 5, max_window_layers: 1 },
    parallel: true,
  },
  "qwen3, untied": {
    family: "qwen3",
    settings: { ...grouped, head_dim: 10, tie_word_embeddings: false },
    packed: true,
    parallel: true,
  },
  gpt2: { family: "gpt2", written: true },
  "gpt2, scores by layer and not by width, untied": {
    family: "gpt2",
    settings: { scale_attn_by_inverse_layer_idx: true, scale_attn_weights: false, tie_word_embeddings: false },
    packed: true,
  },
  biogpt: { family: "biogpt", gathered: true },
  "biogpt, untied, embeddings as they are": {
    family: "biogpt",
    settings: { scale_embedding: false, tie_word_embeddings: false, hidden_act: "relu" },
    packed: true,
  },
  bert: { family: "bert", gathered: true, packed: true },
  "bert, untied": { family: "bert", settings: { tie_word_embeddings: false, hidden_act: "gelu_new" } },
  "bert-hash": { family: "bert_hash", settings: { projections: 6, projection_bias: true } },
  "bert-hash, tied": { family: "bert_hash", settings: { projections: 6, tie_word_embeddings: true }, gathered: true },
  "megatron-bert": { family: "megatron-bert", gathered: true, packed: true },
  modernbert: { family: "modernbert", settings: { local_attention: 8 }, gathered: true, packed: true },
  "modernbert, untied, with biases but the head's": {
    family: "modernbert",
    settings: {
      ...biases,
      norm_bias: true,
      classifier_bias: true,
      decoder_bias: false,
      tie_word_embeddings: false,
      local_attention: 6,
      layer_types: ["sliding_attention", "full_attention", "sliding_attention"],
    },
  },
};

const [rows, tokens, vocabulary] = [2, 24, 61];

function configOf({ family: name, settings }: Case): ModelConfig {
  const family = families[name]!;
  const small = family.debug(Object.values(family.sizes)[0]!);
  const undropped = family.withDropout({ ...small, vocab_size: vocabulary, ...settings }, 0);
  return family.parseConfig(undropped, name);
}

/** Larger than those of new models, so that no part of the network is nearly linear; norms are around 1. */
function randomWeights(parameters: Parameters): void {
  const numbers = random(7, 11);
  for (const [name, { data, dims }] of parameters.tensors) {
    const middle = /(?:norm|ln(?:_\w)?)\.weight$/i.test(name) ? 1 : 0;
    const deviation = dims.length === 2 ? 1.2 / Math.sqrt(dims[1]!) : 0.3;
    for (let i = 0; i < data.length; i++) data[i] = middle + deviation * numbers.normal();
  }
}

interface Computed {
  readonly losses: Float32Array;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Writes a case's weights, and computes it here; `request` is what Python is to be asked. */
async function compute(name: string, one: Case, folder: string): Promise<Computed & { readonly request: object }> {
  mkdirSync(folder);
  const family = families[one.family]!;
  const config = configOf(one);
  const { packed = false, gathered = false, parallel = false } = one;
  const graph = lossGraph(family, config, { packed, gathered, each: true });
  const parameters = allocateParameters(graph);
  randomWeights(parameters);
  await writeSafetensors(join(folder, "model.safetensors"), sourcesOf(parameters.tensors));

  const numbers = random(3, name.length);
  const draw = (below: number): number => numbers.integer(below);
  const ids = Array.from({ length: rows * tokens }, () => draw(vocabulary));
  const documents = ids.map((_, i) => (i % tokens < 9 ? 1 : i % tokens < 19 + Math.floor(i / tokens) ? 2 : 0));
  const at = gathered ? [3, 40, 9, 20, 0] : undefined;
  const labels = (at ?? ids).map((_, i) => (i % 4 === 3 ? -1 - i : draw(vocabulary)));
  const int64 = (values: readonly number[], dims: readonly number[]): Tensor =>
    tensor("int64", dims, BigInt64Array.from(values, BigInt));
  const shape = [rows, tokens];
  await using session = await openInMemory(graph, Object.fromEntries(parameters.tensors), { threads: 1 });
  const outputs = await session.run({
    ids: int64(ids, shape),
    labels: int64(labels, at === undefined ? shape : [at.length]),
    ...(at === undefined ? {} : { at: int64(at, [at.length]) }),
    ...(packed ? { documents: int64(documents, shape) } : {}),
    scale: tensor("float32", [], Float32Array.of(1)),
  });
  const inRows = (values: readonly number[]): number[][] => [values.slice(0, tokens), values.slice(tokens)];
  const fields = one.written === true ? family.written!(config) : config;
  const model = { family: one.family, config: fields, ...family.attentionNumbers?.(config, tokens) };
  const request = {
    folder,
    model,
    ids: inRows(ids),
    labels,
    at,
    documents: packed ? inRows(documents) : null,
    parallel,
  };
  const data = (output: string): Float32Array => outputs[output]!.data as Float32Array;
  const gradients = new Map([...graph.parameters.keys()].map((each) => [each, data(`gradient/${each}`)]));
  return { losses: data("losses"), gradients, request };
}

const largest = (values: Iterable<number>): number => Array.from(values, Math.abs).reduce((a, b) => Math.max(a, b), 0);
const difference = (a: Float32Array, b: ArrayLike<number>): number => largest(a.map((x, i) => x - b[i]!));

type Found = Readonly<Record<string, number>> & { readonly losses: readonly number[] };

describe.skipIf(python === undefined)("a network in PyTorch beside Galen's own:", () => {
  const place = mkdtempSync(join(tmpdir(), "galen-families-"));
  const ours = new Map<string, Computed>();
  const theirs = new Map<string, Found>();
  const folderOf = (name: string): string => join(place, String(Object.keys(cases).indexOf(name)));
  afterAll(() => rmSync(place, { recursive: true }));
  beforeAll(async () => {
    const requests: object[] = [];
    for (const [name, one] of Object.entries(cases)) {
      const { request, ...computed } = await compute(name, one, folderOf(name));
      requests.push(request);
      ours.set(name, computed);
    }
    // All in one process: importing PyTorch takes most of the time.
    const script = fileURLToPath(new URL("../scripts/families-torch.py", import.meta.url));
    const settings = { input: JSON.stringify(requests), maxBuffer: 1 << 28 };
    const printed = execFileSync(python!, [script], settings).toString().trim().split("\n").at(-1)!;
    (JSON.parse(printed) as Found[]).forEach((found, i) => theirs.set(Object.keys(cases)[i]!, found));
  }, 300_000);

  test("every family that is trained by language modelling is there", () => {
    expect(new Set(Object.values(cases).map(({ family }) => family))).toEqual(new Set(Object.keys(families)));
  });

  describe.each(Object.keys(cases))("%s", (name) => {
    test("has the same losses, 0 where there is no label", () => {
      const [own, found] = [ours.get(name)!.losses, theirs.get(name)!.losses];
      expect(found).toHaveLength(own.length);
      expect(own.filter((loss) => loss === 0).length).toBeGreaterThan(0);
      expect(difference(own, found) / largest(own)).toBeLessThan(1e-5);
    });

    test("has the same gradients, of the same parameters", async () => {
      const { entries } = await openSafetensors(join(folderOf(name), "gradients.safetensors"));
      const { gradients } = ours.get(name)!;
      expect([...entries.keys()].toSorted()).toEqual([...gradients.keys()].toSorted());
      const apart: Record<string, number> = {};
      for (const [parameter, own] of gradients) {
        // A bias of keys that do not turn moves all scores of a token alike: its gradient is rounding, as large as others'.
        const beside = gradients.get(
          parameter.replace("key.bias", "query.bias").replace("k_proj.bias", "q_proj.bias"),
        )!;
        const by = difference(own, await readFloat32(entries.get(parameter)!)) / largest(beside);
        if (by > 1e-4) apart[parameter] = by;
      }
      expect(apart).toEqual({});
    });

    test("is the same sharded, computed again and cut, and near in bfloat16", () => {
      const found = theirs.get(name)!;
      expect(found["sharded and computed again"]).toBeLessThan(1e-5);
      expect(found["computed again with dropout"]).toBeLessThan(1e-5);
      expect(found["dropout"]).toBeGreaterThan(1e-2);
      expect(found["bfloat16"]).toBeLessThan(2e-2);
      expect(found["autocast"]).toBeLessThan(2e-2);
      if (cases[name]!.parallel === true) expect(found["cut"]).toBeLessThan(1e-4);
      else expect(found).not.toHaveProperty("cut");
    });
  });
});

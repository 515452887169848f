/** Models by name against a hub on loopback: what is fetched, what is not, and what is said where it cannot be. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { etagOf, goodToken, mainCommit } from "../../test/support/hub-server.ts";
import { type HubWorld, hubWorld } from "../../test/support/hub-env.ts";
import { type HubProgress, pullModel, resolveModel } from "./index.ts";

// Who waits before asking again need not wait here.
vi.mock(import("node:timers/promises"), async (original) => {
  const real = await original();
  const setTimeout: typeof real.setTimeout = (ms, value, options) => real.setTimeout((ms ?? 0) / 50, value, options);
  return { ...real, setTimeout };
});

const bytes = (text: string): Uint8Array => Buffer.from(text);
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251);
const plain = {
  "config.json": bytes('{"model_type": "bert"}'),
  "tokenizer.json": bytes("{}"),
  "README.md": bytes("---\nlicense: mit\n---\n"),
  "model.safetensors": weights,
};
/** What other programs need of the same model. */
const others = {
  ".gitattributes": bytes("*.bin filter=lfs\n"),
  LICENSE: bytes("MIT"),
  "pytorch_model.bin": bytes("old"),
  "tf_model.h5": bytes("tf"),
  "flax_model.msgpack": bytes("flax"),
  "rust_model.ot": bytes("rust"),
  "onnx/model.onnx": bytes("onnx"),
  "onnx/config.json": bytes("{}"),
  "openvino/openvino_model.xml": bytes("<x/>"),
  "training_args.bin": bytes("pickle"),
  "optimizer.pt": bytes("pickle"),
  "trainer_state.json": bytes("{}"),
  "model.Q4_0.gguf": bytes("gguf"),
  "train_script.py": bytes("x"),
};
const second = "fedcba9876543210fedcba9876543210fedcba98";
const index = (...shards: readonly string[]): Uint8Array =>
  bytes(JSON.stringify({ weight_map: Object.fromEntries(shards.map((shard, i) => [`w${i}`, shard])) }));

let world: HubWorld;
beforeEach(async () => {
  world = await hubWorld({
    "org/plain": {
      files: { ...plain, ...others },
      revisions: { main: mainCommit, "v1.0": second, "refs/pr/1": second },
    },
    "org/sharded": {
      files: {
        "config.json": bytes("{}"),
        "model.safetensors.index.json": index("model-1.safetensors", "model-2.safetensors"),
        "model-1.safetensors": bytes("one"),
        "model-2.safetensors": bytes("two"),
        "model-3.safetensors": bytes("of another index"),
      },
    },
    "org/sentences": {
      files: {
        ...plain,
        "modules.json": bytes(
          JSON.stringify([{ path: "" }, { path: "1_Pooling" }, { path: "2_Dense" }, { path: "../x" }]),
        ),
        "config_sentence_transformers.json": bytes("{}"),
        "sentence_bert_config.json": bytes("{}"),
        "1_Pooling/config.json": bytes("{}"),
        "2_Dense/config.json": bytes('{"in_features": 1}'),
        "2_Dense/model.safetensors": bytes("dense"),
        "2_Dense/pytorch_model.bin": bytes("dense, old"),
        "3_Unused/config.json": bytes("{}"),
      },
    },
    "org/old": {
      files: { "config.json": bytes("{}"), "pytorch_model.bin": bytes("pickle"), "tf_model.h5": bytes("tf") },
    },
    "org/quantised": {
      files: { "a.Q4_0.gguf": bytes("four"), "b.Q8_0.gguf": bytes("eight"), "README.md": bytes("x") },
    },
    "org/foreign": { files: { "config.json": bytes("{}"), "tf_model.h5": bytes("tf") } },
    "org/gated": { files: plain, gated: true },
  });
});
afterEach(() => world[Symbol.asyncDispose]());

const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !lstatSync(join(folder, name)).isDirectory())
    .sort();
/** What fails of it. */
const refusalOf = async (source: string): Promise<string> =>
  resolveModel(source).then(
    (path) => `no error, but ${path}`,
    (error: Error) => error.message,
  );

test("a name is fetched: what a model needs, as Python lays it out", async () => {
  const path = await resolveModel("org/plain");
  const folder = world.model("org/plain");
  expect(path).toBe(join(folder, "snapshots", mainCommit));
  expect(filesIn(path)).toEqual(Object.keys(plain).sort());
  expect(readFileSync(join(folder, "refs/main"), "utf8")).toBe(mainCommit);
  for (const [name, contents] of Object.entries(plain)) {
    expect(readlinkSync(join(path, name))).toBe(join("../../blobs", etagOf(name, contents)));
    expect(readFileSync(join(path, name)).equals(contents)).toBe(true);
  }
  expect(readdirSync(join(folder, "blobs"))).toHaveLength(Object.keys(plain).length);
});

test("again, nothing is fetched; a commit that is there is not even asked for its number", async () => {
  const path = await resolveModel("org/plain");
  world.hub.requests.length = 0;
  expect(await resolveModel("org/plain")).toBe(path);
  expect(world.hub.fetched()).toEqual([]);
  expect(world.hub.requests.map(({ path }) => path.split("?")[0])).toEqual([
    "/api/models/org/plain/revision/main",
    `/api/models/org/plain/tree/${mainCommit}`,
  ]);
  world.hub.requests.length = 0;
  expect(await resolveModel(`org/plain@${mainCommit}`)).toBe(path);
  expect(world.hub.requests.map(({ path }) => path.split("?")[0])).toEqual([
    `/api/models/org/plain/tree/${mainCommit}`,
  ]);
});

test("a path is taken as it is, and nobody is asked", async () => {
  for (const path of ["./org/plain", "/no/such", "x.gguf", "gpt2", "bm25"]) expect(await resolveModel(path)).toBe(path);
  expect(world.hub.requests).toEqual([]);
});

test("requests hold the name and nothing else of the user's", async () => {
  vi.stubEnv("HF_TOKEN", goodToken);
  await resolveModel("org/plain");
  for (const { method, path, token } of world.hub.requests) {
    expect(method).toBe("GET");
    expect(path).toMatch(/^\/(?:api\/models\/)?(?:storage\/org%2Fplain|org\/plain)\//);
    // Storage is another's: the token is the hub's alone.
    expect(token).toBe(path.startsWith("/storage") ? undefined : `Bearer ${goodToken}`);
  }
  expect(world.hub.requests.some(({ path }) => path.startsWith("/storage"))).toBe(true);
});

test("a revision is a tag, a branch or a commit; blobs are shared", async () => {
  const main = await resolveModel("org/plain");
  world.hub.requests.length = 0;
  const path = await resolveModel("org/plain@v1.0");
  expect(path).toBe(main.replace(mainCommit, second));
  expect(filesIn(path)).toEqual(filesIn(main));
  expect(world.hub.fetched()).toEqual([]);
  expect(await resolveModel("org/plain@refs/pr/1")).toBe(path);
  expect(filesIn(join(world.model("org/plain"), "refs"))).toEqual(["main", "refs/pr/1", "v1.0"]);
  expect(await refusalOf("org/plain@v2")).toMatch(
    /expected a branch, tag or commit of it, got "v2".*\nHint: leave @v2 out/s,
  );
});

test("a list of many pages is read to its end", async () => {
  world.hub.pageSize = 3;
  expect(filesIn(await resolveModel("org/plain"))).toEqual(Object.keys(plain).sort());
});

test.each([
  ["org/sharded", ["config.json", "model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"]],
  [
    "org/sentences",
    [
      ...Object.keys(plain),
      "1_Pooling/config.json",
      "2_Dense/config.json",
      "2_Dense/model.safetensors",
      "config_sentence_transformers.json",
      "modules.json",
      "sentence_bert_config.json",
    ].sort(),
  ],
  ["org/old", ["config.json", "pytorch_model.bin"]],
])("of %s only what it needs is fetched", async (name, expected) => {
  expect(filesIn(await resolveModel(name))).toEqual(expected);
});

test("a tokenizer is fetched without the weights, which come when they are needed", async () => {
  const path = await resolveModel("org/plain", { part: "tokenizer" });
  expect(filesIn(path)).toEqual(["config.json", "tokenizer.json"]);
  expect(filesIn(await resolveModel("org/plain"))).toEqual(Object.keys(plain).sort());
});

test("a GGUF file is fetched when it is named", async () => {
  const path = await resolveModel("org/quantised:b.Q8_0.gguf");
  expect(path).toBe(join(world.model("org/quantised"), "snapshots", mainCommit, "b.Q8_0.gguf"));
  expect(readFileSync(path, "utf8")).toBe("eight");
  expect(await refusalOf("org/quantised")).toMatch(
    /GGUF files alone: a.Q4_0.gguf, b.Q8_0.gguf\nHint: name one of them: org\/quantised:a.Q4_0.gguf/,
  );
  expect(await refusalOf("org/quantised:a.Q4_1.gguf")).toMatch(/Hint: did you mean "a.Q4_0.gguf"/);
  expect(await refusalOf("org/quantised:zzzzzz.gguf")).toMatch(/Hint: its GGUF files are a.Q4_0.gguf, b.Q8_0.gguf/);
});

test("weights of other programs are refused by their names", async () => {
  expect(await refusalOf("org/foreign")).toMatch(/expected model.safetensors or pytorch_model.bin, got tf_model.h5/);
});

test("a name that there is not is refused, with the one in the cache that may be meant", async () => {
  expect(await refusalOf("org/plein")).toMatch(
    /expected a model of http.*, got none of this name.*\nHint: look at its spelling/s,
  );
  await resolveModel("org/plain");
  expect(await refusalOf("org/plein")).toMatch(/Hint: did you mean "org\/plain"\?/);
});

test("a gated model says what to do, and is fetched with a token of the environment or of its file", async () => {
  expect(await refusalOf("org/gated")).toMatch(
    /gated.*got no token.*\nHint: agree to its terms on .*\/org\/gated.*HF_TOKEN/s,
  );
  vi.stubEnv("HF_TOKEN", "hf_other");
  expect(await refusalOf("org/gated")).toMatch(/gated.*got a token whose owner has none/s);
  vi.stubEnv("HF_TOKEN", "hf_unknown");
  expect(await refusalOf("org/gated")).toMatch(/expected a token that .* knows, got one that it does not/);
  vi.stubEnv("HF_TOKEN", undefined);
  writeFileSync(join(world.home, "token"), `${goodToken}\n`);
  expect(filesIn(await resolveModel("org/gated"))).toEqual(Object.keys(plain).sort());
});

test("offline, the cache is enough, and nobody is asked", async () => {
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  expect(await refusalOf("org/plain")).toMatch(
    /expected it in the cache \(.*\), as HF_HUB_OFFLINE is set, got none of it\nHint: unset/,
  );
  vi.stubEnv("HF_HUB_OFFLINE", undefined);
  const path = await resolveModel("org/plain", { part: "tokenizer" });
  world.hub.requests.length = 0;
  vi.stubEnv("HF_HUB_OFFLINE", "ON");
  expect(await refusalOf("org/plain")).toMatch(/got a part: .*expected model.safetensors/);
  expect(await resolveModel("org/plain", { part: "tokenizer" })).toBe(path);
  vi.stubEnv("HF_HUB_OFFLINE", "0");
  await resolveModel("org/plain");
  await resolveModel("org/sharded");
  world.hub.requests.length = 0;
  vi.stubEnv("TRANSFORMERS_OFFLINE", "yes");
  expect(await resolveModel("org/plain")).toBe(path);
  expect(await resolveModel(`org/plain@${mainCommit}`)).toBe(path);
  expect(await refusalOf("org/plain@v1.0")).toMatch(/got none of it/);
  rmSync(join(world.model("org/sharded"), "snapshots", mainCommit, "model-2.safetensors"));
  expect(await refusalOf("org/sharded")).toMatch(/got a part: .*expected the shards of .*model-2.safetensors/);
  expect(world.hub.requests).toEqual([]);
});

test("a hub that does not answer is said to be so, with what to do; what is in the cache is taken", async () => {
  const warnings = vi.spyOn(process, "emitWarning").mockReturnValue();
  const path = await resolveModel("org/plain");
  const { url } = world.hub;
  vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
  expect(await refusalOf("org/old")).toMatch(
    /org\/old: expected an answer from http:\/\/127.0.0.1:9, got .*\nHint: .*name a folder .*\.\/folder; HF_ENDPOINT/s,
  );
  expect(warnings).not.toHaveBeenCalled();
  expect(await resolveModel("org/plain")).toBe(path);
  expect(warnings.mock.calls).toEqual([
    [expect.stringMatching(/copy in the cache is taken \(0123456\)/), "GalenWarning"],
  ]);
  vi.stubEnv("HTTPS_PROXY", "http://proxy:3128");
  expect(await refusalOf("org/old")).toMatch(/NODE_USE_ENV_PROXY=1/);
  vi.stubEnv("HF_ENDPOINT", url);
  // Taken from the hub, or closed since: the copy is the user's still.
  world.hub.models.delete("org/plain");
  expect(await resolveModel("org/plain")).toBe(path);
}, 20_000);

test("what is no hub is refused", async () => {
  vi.stubEnv("HF_ENDPOINT", `${world.hub.url}/nothing/here`);
  expect(await refusalOf("org/plain")).toMatch(/expected a model of .*\/nothing\/here, got none of this name/);
});

test("HF_HUB_CACHE is the cache, wherever HF_HOME is; links that cannot be are second names", async () => {
  const cache = join(world.home, "elsewhere");
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_HUB_DISABLE_SYMLINKS", "1");
  const path = await resolveModel("org/plain");
  expect(path).toBe(join(cache, "models--org--plain/snapshots", mainCommit));
  expect(existsSync(join(world.home, "hub"))).toBe(false);
  expect(lstatSync(join(path, "model.safetensors")).isFile()).toBe(true);
  expect(readFileSync(join(path, "model.safetensors")).equals(weights)).toBe(true);
  world.hub.requests.length = 0;
  await resolveModel("org/plain");
  expect(world.hub.fetched()).toEqual([]);
});

test("progress ends with all bytes that are needed", async () => {
  const seen: HubProgress[] = [];
  await resolveModel("org/sentences", { onProgress: (progress) => seen.push(progress) });
  const last = seen.at(-1)!;
  expect(last.done).toBe(last.total);
  expect(last.total).toBeGreaterThan(weights.length);
  expect(last.rate).toBeGreaterThan(0);
  expect(seen.every(({ done, total }) => done <= total)).toBe(true);
});

test("pull writes a folder, from the cache where it is there, and never over another's file", async () => {
  const output = join(world.home, "biogpt");
  const pulled = await pullModel("org/sentences", { output });
  expect(pulled).toMatchObject({ name: "org/sentences", commit: mainCommit, path: output });
  expect(pulled.files.map(({ path }) => path).sort()).toEqual(filesIn(output));
  expect(pulled.files.reduce((sum, { size }) => sum + size, 0)).toBe(pulled.fetched);
  expect(filesIn(output).every((name) => lstatSync(join(output, name)).isFile())).toBe(true);
  expect(existsSync(join(world.home, "hub/models--org--sentences"))).toBe(false);
  expect((await pullModel("org/sentences", { output })).fetched).toBe(0);
  await resolveModel("org/plain");
  world.hub.requests.length = 0;
  const copy = join(world.home, "copy");
  expect((await pullModel("org/plain", { output: copy })).fetched).toBe(0);
  expect(world.hub.fetched()).toEqual([]);
  expect(readFileSync(join(copy, "model.safetensors")).equals(weights)).toBe(true);
  const own = join(world.home, "own");
  mkdirSync(own);
  writeFileSync(join(own, "config.json"), "mine");
  await expect(pullModel("org/plain", { output: own })).rejects.toThrow(/own\/config.json: expected none, or the one/);
  expect(readFileSync(join(own, "config.json"), "utf8")).toBe("mine");
  vi.stubEnv("HF_HUB_OFFLINE", "1");
  const offline = join(world.home, "offline");
  expect((await pullModel("org/plain", { output: offline })).fetched).toBe(0);
  expect(filesIn(offline)).toEqual(filesIn(copy));
  await expect(pullModel("./org/plain")).rejects.toThrow(/expected a name of Hugging Face's hub/);
});

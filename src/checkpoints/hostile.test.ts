/** Damaged and hostile files: each either loads or throws a CheckpointError, and nothing in it is ever run. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CheckpointError } from "../errors.ts";
import { fairseq } from "../models/biogpt/fairseq.ts";
import { openFairseq } from "./fairseq.ts";
import { readPickle } from "./pickle.ts";
import { openSafetensors, readFloat32, readTensor, type TensorEntry } from "./safetensors.ts";
import { torchRules } from "./torch-globals.ts";
import { openTorchFile } from "./torch-file.ts";

const goldens = join(import.meta.dirname, "../../test/goldens/checkpoints");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "galen-hostile-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A linear congruential generator: the same mutations every time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One to four flips, cuts, insertions, repeats or interesting integers, within the first `span` or last 600 bytes. */
function mutate(original: Buffer, below: (limit: number) => number, span: number): Buffer {
  let bytes = Buffer.from(original);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const near = Math.min(span, bytes.length);
    const at = below(4) === 0 ? Math.max(0, bytes.length - 1 - below(600)) : below(near);
    const kind = below(6);
    if (kind === 0) bytes[at] = below(256);
    else if (kind === 1) bytes[at] = (bytes[at] as number) ^ (1 << below(8));
    else if (kind === 2) bytes = bytes.subarray(0, below(20) === 0 ? at : bytes.length - below(64));
    else if (kind === 3) {
      const inserted = Buffer.from(Array.from({ length: 1 + below(8) }, () => below(256)));
      bytes = Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
    } else if (kind === 4) {
      const again = bytes.subarray(at, at + below(200));
      bytes = Buffer.concat([bytes.subarray(0, at), again, bytes.subarray(at)]);
    } else if (at + 4 <= bytes.length)
      bytes.writeUInt32LE([0, 0x7fffffff, 0xffffffff, 0x80000000][below(4)] as number, at);
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

async function readAll(entries: Map<string, TensorEntry>, size: number): Promise<void> {
  for (const entry of entries.values()) {
    expect(entry.byteLength).toBeLessThanOrEqual(size);
    const { data } = await readTensor(entry);
    expect(data.byteLength).toBeLessThanOrEqual(size);
    if (entry.dtype === "float16") await readFloat32(entry);
  }
}

/** Loads every mutation; returns how many loaded and how many were refused. */
async function survive(
  source: string,
  count: number,
  seed: number,
  span: number,
  load: (path: string, size: number) => Promise<void>,
): Promise<{ loaded: number; refused: number }> {
  const original = await readFile(join(goldens, source));
  const below = generator(seed);
  const path = join(folder, `mutated-${seed}`);
  let [loaded, refused] = [0, 0];
  for (let i = 0; i < count; i++) {
    const bytes = mutate(original, below, span);
    await writeFile(path, bytes);
    try {
      await load(path, bytes.length);
      loaded++;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw new Error(`mutation ${i} of ${source}`, { cause: error });
      expect(error.message.length).toBeLessThan(2000);
      refused++;
    }
  }
  return { loaded, refused };
}

const openTorch = async (path: string, size: number): Promise<void> =>
  readAll((await openTorchFile(path, { strict: false })).tensors, size);

async function readFairseq(path: string): Promise<void> {
  const { entries, setting } = await openFairseq(path);
  for (const name of entries.keys()) fairseq.parameterOf(name, path);
  fairseq.configOf({ where: path, stored: entries, setting });
}

describe("mutated files load or throw a CheckpointError", () => {
  it.each([
    ["views.pt", 700, 1, 1500, openTorch],
    ["views-big-endian.pt", 300, 2, 1500, openTorch],
    ["views-legacy.pt", 700, 3, 2300, openTorch],
    ["bin/pytorch_model.bin", 300, 4, 5000, openTorch],
    ["fairseq/omegaconf.pt", 300, 5, 8000, readFairseq],
    ["fairseq/args.pt", 300, 6, 8000, readFairseq],
    [
      "fp16/model.safetensors",
      700,
      7,
      3000,
      async (path, size) => readAll((await openSafetensors(path)).entries, size),
    ],
    [
      "sharded-safetensors/model-00001-of-00003.safetensors",
      700,
      8,
      1000,
      async (path, size) => readAll((await openSafetensors(path)).entries, size),
    ],
  ] satisfies [string, number, number, number, (path: string, size: number) => Promise<void>][])(
    "%s, %i times",
    async (source, count, seed, span, load) => {
      const { loaded, refused } = await survive(source, count, seed, span, load);
      expect(loaded + refused).toBe(count);
      expect(refused).toBeGreaterThan(count / 10);
    },
    60_000,
  );

  it("the bare pickle, 2000 times, with every byte within reach", async () => {
    const archive = await readFile(join(goldens, "fairseq/omegaconf.pt"));
    const start = archive.indexOf(Buffer.from([0x80, 2, 0x7d]));
    const { end } = readPickle(
      archive,
      "golden",
      torchRules(false, () => {}),
      start,
    );
    const original = archive.subarray(start, end);
    const below = generator(9);
    let [loaded, refused] = [0, 0];
    for (let i = 0; i < 2000; i++) {
      try {
        readPickle(
          mutate(original, below, original.length),
          "mutated",
          torchRules(i % 2 === 0, () => {}),
        );
        loaded++;
      } catch (error) {
        expect(error).toBeInstanceOf(CheckpointError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
    expect(loaded).toBeGreaterThan(10);
  });
});

function read(pickle: string | Buffer, strict = false): unknown {
  const bytes = typeof pickle === "string" ? Buffer.from(pickle, "latin1") : pickle;
  return readPickle(
    bytes,
    "hostile.bin",
    torchRules(strict, () => {}),
  ).value;
}

function refusal(pickle: string | Buffer, strict = false): string {
  try {
    read(pickle, strict);
  } catch (error) {
    expect(error).toBeInstanceOf(CheckpointError);
    return (error as Error).message;
  }
  return "";
}

const text = (value: string): string => `X${String.fromCharCode(value.length & 255, value.length >> 8, 0, 0)}${value}`;

describe("a pickle that tries to run something is refused by the name of what it wants", () => {
  const target = join(tmpdir(), "galen-pickle-was-executed");
  it.each([
    ["os.system", `cos\nsystem\n(${text(`touch ${target}`)}tR.`],
    ["posix.system", `\x80\x02cposix\nsystem\n${text(`touch ${target}`)}\x85R.`],
    ["builtins.eval", `\x80\x02cbuiltins\neval\n${text("1")}\x85R.`],
    ["builtins.getattr", `\x80\x02cbuiltins\ngetattr\n.`],
    ["__builtin__.exec", `c__builtin__\nexec\n(${text("1")}tR.`],
    ["os.system", `\x80\x04\x8c\x02os\x8c\x06system\x93${text(`touch ${target}`)}\x85R.`],
    ["subprocess.Popen", `\x80\x02csubprocess\nPopen\n(tR.`],
    ["torch.load", `\x80\x02ctorch\nload\n${text("/etc/passwd")}\x85R.`],
    ["torch.storage._load_from_bytes", `\x80\x02ctorch.storage\n_load_from_bytes\n(tR.`],
    ["torch.hub.load", `\x80\x02ctorch.hub\nload\n(tR.`],
    ["os.fairseq", `cos\nfairseq\n.`],
    ["fairseqs.tasks", `cfairseqs\ntasks\n.`],
    ["__proto__.constructor", `c__proto__\nconstructor\n.`],
    ["constructor.constructor", `cconstructor\nconstructor\n.`],
    [".constructor", `c\nconstructor\n.`],
  ])("%s", (name, pickle) => {
    const message = refusal(pickle);
    expect(message).toMatch(/^hostile.bin: pickle byte \d+, opcode (GLOBAL|STACK_GLOBAL): refused global /);
    expect(message).toContain(JSON.stringify(name));
    expect(existsSync(target)).toBe(false);
  });

  it("and a global that only fairseq's files may name is inert: nothing is called", () => {
    const pickle = `\x80\x02cfairseq.utils\nimport_user_module\n${text("/tmp/x.py")}\x85R.`;
    expect(read(pickle)).toMatchObject({ kind: "object", type: "fairseq.utils.import_user_module" });
    expect(refusal(pickle, true)).toContain("refused global");
  });
});

describe("a pickle that is malformed is refused", () => {
  const rebuild = "ctorch._utils\n_rebuild_tensor_v2\n";
  const storage = `(${text("storage")}ctorch\nFloatStorage\n${text("0")}${text("cpu")}K\x04tQ`;
  it.each([
    ["an empty one", "", /end of the data/],
    ["an unknown opcode", "\x80\x02\xff.", /opcode 0xff/],
    ["an extension code", "\x82\x01.", /opcode 0x82/],
    ["INST", "(ios\nsystem\n.", /opcode 0x69/],
    ["a persistent id in text", "P0\n.", /opcode 0x50/],
    ["a value that is missing", "\x85.", /TUPLE1: expected a value/],
    ["a mark that is missing", "NNt.", /TUPLE: expected a mark/],
    ["a value below the mark", "N(0\x85\x85(\x85.", /expected a value on the stack/],
    ["two values at the end", "NN.", /expected one value at the end, got 2/],
    ["an unset memo", "h\x07.", /expected memo 7 to be set/],
    ["a string beyond the end", "X\xff\xff\xff\xffa.", /expected 4294967295 bytes, got 2/],
    ["bytes beyond the end", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", /expected 1844674407370955\d+ bytes, got 1/],
    ["an integer of 2 GiB", "\x8b\xff\xff\xff\x7f.", /integer of at most 1024 bytes/],
    ["a frame beyond the end", "\x80\x04\x95\xff\0\0\0\0\0\0\0.", /frame of at most 1 bytes, got 255/],
    ["protocol 9", "\x80\x09.", /protocol 0 to 5, got 9/],
    ["text that is not UTF-8", "X\x01\0\0\0\xff.", /expected UTF-8/],
    ["a number that is not one", "I0x10\n.", /expected an integer, got "0x10"/],
    ["an odd dictionary", "}(Nu.", /odd number/],
    ["an append to None", "NNa.", /expected a list, got None/],
    ["items set on a string", `${text("s")}NNs.`, /expected a dictionary, got "s"/],
    ["a call of a string", `${text("s")})R.`, /expected a global to construct, got "s"/],
    ["a call without a tuple", "ccollections\nOrderedDict\nNR.", /expected a tuple of arguments/],
    ["a state for a list", "]Nb.", /expected an object to give a state/],
    ["a storage of another kind", `(${text("module")}NNNK\x04tQ.`, /expected a reference to a storage/],
    ["a storage of an unknown type", `(${text("storage")}N${text("0")}NK\x04tQ.`, /known type of storage, got None/],
    ["a negative storage", `(${text("storage")}ctorch\nFloatStorage\n${text("0")}NJ\xff\xff\xff\xfftQ.`, /a storage/],
    ["a tensor beyond its storage", `${rebuild}(${storage}K\x01K\x04\x85K\x01\x85\x89NtR.`, /within its storage of 4/],
    ["a tensor that expands", `${rebuild}(${storage}K\x00J\xff\xff\xff\x7f\x85K\x00\x85tR.`, /2147483647 elements/],
    ["negative strides", `${rebuild}(${storage}K\x03K\x04\x85J\xff\xff\xff\xff\x85tR.`, /sizes and strides/],
    ["a tensor without storage", `${rebuild}(NK\x00))tR.`, /expected a tensor's storage, got None/],
    [
      "a rebuilder of itself",
      "ctorch._tensor\n_rebuild_from_type_v2\nq\x00(h\x00N]tR.",
      /expected a tensor to rebuild/,
    ],
    ["more opcodes than any checkpoint", Buffer.concat([Buffer.alloc(1_000_001, "N0"), Buffer.from("N.")]), /at most/],
  ])("%s", (_, pickle, message) => {
    expect(refusal(pickle)).toMatch(message);
  });

  it("or, where it is merely odd, read without harm", () => {
    const loop = read("]q\x00h\x00a.") as unknown[];
    expect(loop[0]).toBe(loop);
    const deep = read(Buffer.concat([Buffer.from("]"), Buffer.alloc(200_000, 0x85), Buffer.from(".")]));
    expect(deep).toHaveLength(1);
    const map = read(`}${text("__proto__")}}${text("polluted")}\x88ss.`) as Map<string, unknown>;
    expect(map.get("__proto__")).toBeInstanceOf(Map);
    expect("polluted" in {}).toBe(false);
    const namespace = `\x80\x02cargparse\nNamespace\n)\x81}${text("__proto__")}}${text("polluted")}\x88ssb.`;
    expect(read(namespace)).toMatchObject({ type: "argparse.Namespace" });
    expect("polluted" in {}).toBe(false);
  });

  it("and values of every protocol are read as Python wrote them", () => {
    expect(read("(I1\nI01\nI00\nL-5L\nF2.5\nV\\u00e9\nS'a'\nNl.")).toEqual([1, true, false, -5, 2.5, "é", "a", null]);
    expect(read("\x80\x02(\x8a\x00\x8a\x01\xff\x8a\x02\xff\x00\x8a\x08\0\0\0\0\0\0\0\x80t.")).toEqual([
      0,
      -1,
      255,
      -(2n ** 63n),
    ]);
    expect(read("\x80\x05(J\xfe\xff\xff\xffG\x3f\xf8\0\0\0\0\0\0M\xff\xffC\x01a\x8c\x02\xc3\xa9U\x01\xe9t.")).toEqual([
      -2,
      1.5,
      65535,
      Uint8Array.of(97),
      "é",
      "é",
    ]);
    expect(read("\x80\x04\x8f\x94(K\x01K\x02\x90(h\x00K\x03\x91\x86.")).toEqual([new Set([1, 2]), expect.any(Set)]);
  });
});

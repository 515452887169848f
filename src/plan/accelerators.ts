/**
 * Accelerators that a training is planned for: dense peaks as makers publish them, without sparsity, which no training of
 * all weights has. Left out: other sheets of the same chip (PCIe cards are slower), and peaks of eight bits and fewer.
 */
import { ConfigError } from "../errors.ts";
import { required } from "../schema.ts";
import { didYouMean } from "../suggest.ts";

export interface Accelerator {
  /** Dense operations a second in bfloat16; where there is none, in float16. */
  readonly peak: number;
  readonly half: "bfloat16" | "float16";
  /** In bytes; a sheet's GB are 1e9, which is at most what the driver reports. */
  readonly memory: number;
  /** Of the board, at most. */
  readonly watts: number;
  /** Bytes a second and direction, to the others of its node (half of what sheets call bidirectional). */
  readonly link: number;
  /** Bytes a second and direction, to other nodes: the maker's own node's adapters, shared by its eight. */
  readonly network: number;
  readonly source: string;
}

const GB = 1e9;

/** NVIDIA's are of SXM boards in a DGX, AMD's of OAM boards in the eight-way platform. */
export const accelerators: Readonly<Record<string, Accelerator>> = {
  "v100-16": {
    peak: 125e12,
    half: "float16",
    memory: 16 * GB,
    watts: 300,
    link: 150 * GB,
    network: 6.25 * GB,
    source: "NVIDIA V100 data sheet (SXM2), DGX-1: 4 × 100 Gb/s",
  },
  "v100-32": {
    peak: 125e12,
    half: "float16",
    memory: 32 * GB,
    watts: 300,
    link: 150 * GB,
    network: 6.25 * GB,
    source: "NVIDIA V100 data sheet (SXM2), DGX-1: 4 × 100 Gb/s",
  },
  "a100-40": {
    peak: 312e12,
    half: "bfloat16",
    memory: 40 * GB,
    watts: 400,
    link: 300 * GB,
    network: 25 * GB,
    source: "NVIDIA A100 data sheet (SXM), DGX A100: 8 × 200 Gb/s",
  },
  "a100-80": {
    peak: 312e12,
    half: "bfloat16",
    memory: 80 * GB,
    watts: 400,
    link: 300 * GB,
    network: 25 * GB,
    source: "NVIDIA A100 data sheet (SXM), DGX A100: 8 × 200 Gb/s",
  },
  h100: {
    peak: 989e12,
    half: "bfloat16",
    memory: 80 * GB,
    watts: 700,
    link: 450 * GB,
    network: 50 * GB,
    source: "NVIDIA H100 data sheet (SXM), DGX H100: 8 × 400 Gb/s",
  },
  h200: {
    peak: 989e12,
    half: "bfloat16",
    memory: 141 * GB,
    watts: 700,
    link: 450 * GB,
    network: 50 * GB,
    source: "NVIDIA H200 data sheet (SXM), DGX H200: 8 × 400 Gb/s",
  },
  b200: {
    peak: 2250e12,
    half: "bfloat16",
    memory: 180 * GB,
    watts: 1000,
    link: 900 * GB,
    network: 50 * GB,
    source: "NVIDIA HGX B200 at 1,000 W, DGX B200: 1,440 GB, 8 × 400 Gb/s",
  },
  mi300x: {
    peak: 1307e12,
    half: "bfloat16",
    memory: 192 * GB,
    watts: 750,
    link: 448 * GB,
    network: 50 * GB,
    source: "AMD Instinct MI300X data sheet; network: 8 × 400 Gb/s, as platforms are sold",
  },
};

/** Of a node; tensor parallelism stays within one. */
export const acceleratorsOfNode = 8;

export interface Fleet {
  readonly count: number;
  readonly name: string;
  readonly accelerator: Accelerator;
}

/** "256xh100", "8×v100-32". @throws ConfigError that lists the accelerators. */
export function fleetOf(text: string): Fleet {
  required("fleetOf: text", text, "text");
  const known = Object.keys(accelerators);
  const [, digits, given] = /^(\d+)\s*[x×*]\s*(.+)$/i.exec(text.trim()) ?? [];
  const count = Number(digits);
  if (given === undefined || !Number.isSafeInteger(count) || count < 1 || count > mostAccelerators) {
    const hint = { hint: `for example 8x${known.includes(text) ? text : "h100"}` };
    const expected = `COUNTxNAME, 1 to ${mostAccelerators.toLocaleString("en-US")} of them`;
    throw new ConfigError(`accelerators: expected ${expected}, got "${text}"`, hint);
  }
  const name = given.toLowerCase();
  if (Object.hasOwn(accelerators, name)) return { count, name, accelerator: accelerators[name]! };
  const sizes = known.filter((one) => one.startsWith(`${name}-`));
  const hint = sizes.length > 0 ? { hint: `which memory: ${sizes.join(" or ")}?` } : didYouMean(name, known);
  throw new ConfigError(`accelerators: expected one of ${known.join(", ")}, got "${given}"`, hint);
}

const mostAccelerators = 1_000_000;

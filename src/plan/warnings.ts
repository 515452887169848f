/** What does not add up in a plan, each against what was published. */
import { accelerators, type Fleet } from "./accelerators.ts";
import { daysOf, type Range } from "./flops.ts";
import { type PlannedLayout, secondsOf } from "./layouts.ts";
import type { RanksOnPaper } from "./ranks.ts";

export interface Planned {
  readonly fleet: Fleet;
  readonly parameters: number;
  readonly flops: number;
  readonly days: Range;
  readonly tokens: number;
  readonly updates: number;
  readonly tokensOfUpdate: number;
  readonly tokensOfRow: number;
  readonly longest: number;
  /** Rows of the vocabulary, and the tokens that these are for. */
  readonly rows: number;
  readonly pieces: number;
  /** Updates. */
  readonly warmup: number;
  readonly peakRate: number;
  readonly precision: "float32" | "float16" | "bfloat16";
  readonly layouts: readonly PlannedLayout[];
  readonly ranks: RanksOnPaper;
}

/** PubMed, PubMed Central, guidelines and 1 % of other text (Chen et al. 2023, arXiv:2311.16079, table 1). */
const literature = 46.7e9;
/** Passes over a text up to which it teaches almost as new text does (Muennighoff et al. 2023, arXiv:2305.16264). */
const usefulPasses = 4;
/** Llama 2 70B's 2.0e12 tokens (Meta's model card), and what Meditron-70B reached (arXiv:2311.16079, §3). */
const llama2 = { tokens: 2e12, hours: 1_720_320 };
const meditron = { utilisation: 0.423, rate: 1.5e-4 };
const longDays = 60;

const rate = (value: number): string => (value < 1e-3 ? value.toExponential() : String(value));
/** "86", "4.5", "4,283". */
const about = (value: number): string => (value < 10 ? value.toPrecision(2) : many(value));
const many = (value: number): string => Math.round(value).toLocaleString("en-US");
const trillions = (value: number): string =>
  value >= 1e12
    ? `${value < 1e13 ? (value / 1e12).toFixed(1) : many(value / 1e12)}T`
    : `${(value / 1e9).toPrecision(3)}B`;

/** In the order of what costs most. */
export function warningsOf(plan: Planned): string[] {
  return [...ofTime(plan), ...ofData(plan), ...ofRates(plan), ...ofShapes(plan), ...ofMachines(plan), ...ofRanks(plan)];
}

function ofTime({ days, fleet, flops }: Planned): string[] {
  if (days.low <= longDays) return [];
  const a100 = { ...fleet, accelerator: accelerators["a100-80"]! };
  const then = daysOf(flops, a100, meditron.utilisation);
  const needed = Math.ceil((fleet.count * days.low) / longDays);
  return [
    `${many(days.low)} to ${many(days.high)} days without a stop: ${many(needed)} accelerators would take ${longDays} at best. ` +
      `On ${many(fleet.count)} A100, at the 42.3 % of their peak that Meditron-70B reached, it is ${many(then)} days, ` +
      `${((then * 24 * fleet.count) / 1e6).toPrecision(3)}M accelerator-hours; Llama 2 70B took ${many(llama2.hours)} for ${trillions(llama2.tokens)} tokens`,
  ];
}

function ofData({ tokens, parameters }: Planned): string[] {
  const warnings: string[] = [];
  const passes = tokens / literature;
  if (passes > usefulPasses) {
    warnings.push(
      `${trillions(tokens)} tokens are ${about(passes)} passes over PubMed, PubMed Central and guidelines (${trillions(literature)}); ` +
        `beyond about ${usefulPasses} a pass teaches little, so the rest would have to be other text`,
    );
  }
  if (tokens < parameters) {
    warnings.push(
      `${trillions(tokens)} tokens are fewer than the weights: too few for new ones, whose usual measure is 20 a weight`,
    );
  }
  return warnings;
}

function ofRates({ peakRate, parameters, tokens, warmup, updates, tokensOfUpdate }: Planned): string[] {
  const warnings: string[] = [];
  if (parameters > 3e9 && peakRate < 1e-4 && tokens > 20e9) {
    warnings.push(
      `a peak of ${rate(peakRate)} is a rate of fine-tuning: Llama 2 and Meditron trained 70B at ${rate(meditron.rate)}, 7B at 3e-4`,
    );
  }
  if (updates > 10_000 && warmup / updates < 0.002) {
    warnings.push(
      `${many(warmup)} updates of warm-up are ${((100 * warmup) / updates).toFixed(2)} % of ${many(updates)} (of ${many(tokensOfUpdate)} tokens); Llama 2's were 0.4 %`,
    );
  }
  return warnings;
}

/** What tiles of matrix units and shards divide by; Megatron pads to it, too. */
const tile = 128;

function ofShapes({ rows, pieces, tokensOfRow, longest }: Planned): string[] {
  const warnings: string[] = [];
  if (rows % tile !== 0) {
    const padded = Math.ceil(rows / tile) * tile;
    warnings.push(
      `${many(rows)} rows of the vocabulary are no multiple of ${tile}: rowMultiple=${tile} makes them ${many(padded)}`,
    );
  } else if (rows > pieces) {
    warnings.push(`${many(pieces)} tokens are filled up to ${many(rows)} rows, a multiple of ${tile} (rowMultiple)`);
  }
  if (tokensOfRow > longest) {
    warnings.push(
      `rows of ${many(tokensOfRow)} tokens are longer than the ${many(longest)} that the model has positions for`,
    );
  }
  return warnings;
}

function ofMachines({ layouts, fleet, precision }: Planned): string[] {
  const warnings: string[] = [];
  const [first] = layouts;
  if (first?.feasible !== true) warnings.push("no layout is feasible: see why each fails");
  else {
    const { computing, sharding } = first.seconds;
    if (first.recomputation === "full") {
      warnings.push(
        "the quickest layout computes each layer again: a third more operations, which the utilisation does not count, so expect the days' upper end",
      );
    }
    if (sharding > computing) {
      warnings.push(
        `the network bounds the quickest layout: ${sharding.toPrecision(2)} s of an update for shards beside ${computing.toPrecision(2)} s of computing, ` +
          `so expect the days' upper end, or more (${secondsOf(first).toPrecision(2)} s an update)`,
      );
    }
  }
  if (fleet.accelerator.half === "float16") {
    warnings.push(
      `${fleet.name} has no bfloat16: float16 with a loss scale, and memory-efficient attention, since FlashAttention has no kernels for it`,
    );
  }
  if (precision === "float32") {
    warnings.push(
      "the recipe says precision=float32; this plan is of half precision on float32 weights, as accelerators are used",
    );
  }
  return warnings;
}

/** Of the run's time, beyond which something is to be changed. */
const feltShare = 0.05;

function ofRanks({ ranks: { checkpoint, interruptions, startUp } }: Planned): string[] {
  const warnings: string[] = [];
  if (checkpoint.share.high > feltShare) {
    warnings.push(
      `checkpoints may take ${(100 * checkpoint.share.high).toFixed(0)} % of the time: write them less often (save.every), or on faster storage`,
    );
  }
  if (interruptions.expected.high > 0.5 && interruptions.share.high > feltShare) {
    warnings.push(
      `interruptions may cost ${(100 * Math.min(1, interruptions.share.high)).toFixed(0)} % of the time, ${interruptions.hoursEach.high.toPrecision(2)} h each: ` +
        `a checkpoint every ${many(checkpoint.bestSeconds.low / 60)} to ${many(checkpoint.bestSeconds.high / 60)} minutes would lose least, and the recipe writes one every ${many(checkpoint.secondsBetween.low / 60)} to ${many(checkpoint.secondsBetween.high / 60)}`,
    );
  }
  if (startUp.seconds.high > 3600) {
    warnings.push(
      `where each host reads all start weights, starting takes up to ${many(startUp.seconds.high / 60)} minutes: copy them to each host's own disk first`,
    );
  }
  return warnings;
}

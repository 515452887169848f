/** How much there is to do, as people say it: "28TB", "4e12tokens", "38e6documents". */
import { ConfigError } from "../../errors.ts";
import { required } from "../../schema.ts";
import type { Range } from "../flops.ts";

export const amountUnits = ["bytes", "documents", "characters", "words", "tokens"] as const;
export type AmountUnit = (typeof amountUnits)[number];

export interface Amount {
  readonly value: number;
  readonly unit: AmountUnit;
}

const sizes: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 };
/** Of English under a vocabulary of tens of thousands: 4e12 tokens are taken for 16 TB of text. An assumption. */
export const charactersOfToken = 4;

/** @throws ConfigError that says what an amount looks like. */
export function amountFrom(text: string): Amount {
  required("amountFrom: text", text, "text");
  const [, number, name = ""] = /^\s*(\d[\d_,]*(?:\.\d+)?(?:e\+?\d+)?|\.\d+)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const value = Number(number?.replaceAll(/[_,]/g, ""));
  const size = sizes[name.toUpperCase()];
  const unit = amountUnits.find((one) => one === name.toLowerCase() || one === `${name.toLowerCase()}s`);
  if (value > 0 && Number.isFinite(value) && (size ?? unit) !== undefined) {
    return size === undefined ? { value, unit: unit! } : { value: value * size, unit: "bytes" };
  }
  throw new ConfigError(
    `amount: expected a number with B to PB, or ${amountUnits.slice(1).join(", ")}, got "${text}"`,
    {
      hint: "for example 1.2TB (of the files as they lie), 38e6documents, 4e12tokens",
    },
  );
}

/** What a sample held. */
export interface Measured {
  readonly bytes: number;
  readonly documents: number;
  readonly characters: number;
  readonly words?: number | undefined;
  readonly tokens?: number | undefined;
}

/** The amount in another unit, by what samples held of both. @throws ConfigError where they do not say. */
export function converted({ value, unit }: Amount, to: AmountUnit, samples: readonly Measured[]): Range {
  if (unit === to) return { low: value, high: value };
  const ratios = samples.map((sample) => countOf(sample, to) / countOf(sample, unit));
  if (!ratios.every((ratio) => Number.isFinite(ratio) && ratio > 0)) {
    throw new ConfigError(`amount: expected a unit that the sample says something of, got ${unit}`, {
      hint: "bytes and documents are always measured",
    });
  }
  return { low: value * Math.min(...ratios), high: value * Math.max(...ratios) };
}

function countOf(sample: Measured, unit: AmountUnit): number {
  return unit === "tokens" ? (sample.tokens ?? sample.characters / charactersOfToken) : (sample[unit] ?? Number.NaN);
}

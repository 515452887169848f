/**
 * The 18 classes of identifiers of Safe Harbor, 45 CFR 164.514(b)(2)(i)(A) to (R), and what is found of them in a text. What the
 * rule asks beyond them, that nobody knows how to tell who someone is from the rest, no program can say.
 */

/** In the order of the rule; fingerprints and photographs are mentions: the text holds none, but says that there are some. */
export const identifierClasses = [
  "NAME",
  "LOCATION",
  "DATE",
  "AGE",
  "PHONE",
  "FAX",
  "EMAIL",
  "SSN",
  "MRN",
  "HEALTH_PLAN",
  "ACCOUNT",
  "LICENCE",
  "VEHICLE",
  "DEVICE",
  "URL",
  "IP",
  "BIOMETRIC",
  "PHOTO",
  "ID",
] as const;
export type IdentifierClass = (typeof identifierClasses)[number];

export interface Found {
  readonly class: IdentifierClass;
  /** UTF-16 code units, the end exclusive. */
  readonly start: number;
  readonly end: number;
  /** What found it: "title", "ssn", "tagger". */
  readonly rule: string;
}

/** Said, but no identifier: counted and left as it is. */
export const isMention = ({ class: name, rule }: Found): boolean =>
  (name === "BIOMETRIC" || name === "PHOTO") && rule === "mention";

/** What takes an identifier's place in mode "mask": "[NAME]". */
export const maskOf = (name: IdentifierClass): string => `[${name}]`;

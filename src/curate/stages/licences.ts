/** Licences: which documents may be used, by their own licence, for what the corpus is made for. */
import * as z from "zod";
import { eachDocument, type MapStage } from "../stage.ts";

const settings = z.strictObject({
  /** SPDX identifiers, "CC-BY-*" for all that begin so; case does not count. */
  allow: z.array(z.string()).min(1).optional(),
  refuse: z.array(z.string()).default([]),
  /** Whether documents of no known licence stay. */
  unknown: z.enum(["keep", "drop"]).default("drop"),
});
type Settings = z.output<typeof settings>;

function matcher(patterns: readonly string[]): (licence: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
    return new RegExp(`^${escaped}$`, "i");
  });
  return (licence) => expressions.some((one) => one.test(licence));
}

export const licencesStage: MapStage<Settings> = {
  name: "licences",
  about: "documents whose licence allows the use",
  version: 1,
  settings,
  rewrites: false,
  open({ allow, refuse, unknown }) {
    const [isAllowed, isRefused] = [allow === undefined ? () => true : matcher(allow), matcher(refuse)];
    return eachDocument(({ licence }) => {
      if (licence === null) return unknown === "keep" ? { keep: true } : { keep: false, rule: "licence-unknown" };
      if (isAllowed(licence) && !isRefused(licence)) return { keep: true };
      return { keep: false, rule: "licence-not-allowed", detail: licence };
    });
  },
};

/**
 * Which licence an article or a row names, as SPDX's list (3.25) has it: Creative Commons by address or in words, public
 * domain, and the permissive licences that data sets have. A licence in words without its version stays without: "CC-BY".
 */

const creativeCommons =
  /creativecommons\.org\/licen[sc]es\/(by(?:-nc)?(?:-nd|-sa)?)(?:\/(\d\.\d)(?:\/(igo|[a-z]{2})(?![a-z]))?)?/i;
/** Countries' versions that SPDX lists. */
const ported = new Set(
  (
    "BY-2.5-AU BY-3.0-AT BY-3.0-AU BY-3.0-DE BY-3.0-IGO BY-3.0-NL BY-3.0-US BY-NC-3.0-DE BY-NC-ND-3.0-DE " +
    "BY-NC-ND-3.0-IGO BY-NC-SA-2.0-DE BY-NC-SA-2.0-FR BY-NC-SA-2.0-UK BY-NC-SA-3.0-DE BY-NC-SA-3.0-IGO BY-ND-3.0-DE " +
    "BY-SA-2.0-UK BY-SA-2.1-JP BY-SA-3.0-AT BY-SA-3.0-DE BY-SA-3.0-IGO"
  ).split(" "),
);

/** What "Creative Commons Attribution Non-Commercial 4.0" and "CC BY-NC 4.0" say. */
function inWords(text: string): string | null {
  const short = /\bCC[ -]BY(?:[ -]NC)?(?:[ -](?:ND|SA))?(?![A-Za-z])(?:[ -]?\d\.\d)?/.exec(text)?.[0];
  const long = /\bcreative ?commons\W{0,3}(?:attribution|by\b)(?:[^.;:]|\.(?=\d)){0,60}/i.exec(text)?.[0];
  const words = short ?? long;
  if (words === undefined) return null;
  const has = (pattern: RegExp): boolean => pattern.test(words);
  const name = ["CC", "BY"];
  if (has(/non[ -]?commercial|\bnc\b/i)) name.push("NC");
  if (has(/no[ -]?deriv|\bnd\b/i)) name.push("ND");
  else if (has(/share[ -]?alike|\bsa\b/i)) name.push("SA");
  const version = /\b([1-4]\.\d)\b/.exec(words)?.[1];
  return [...name, ...(version === undefined ? [] : [version])].join("-");
}

/** The licence that one of the texts names, the surest first; null where none does. */
export function spdxOf(texts: readonly string[]): string | null {
  for (const text of texts) {
    const address = creativeCommons.exec(text);
    if (address?.[2] !== undefined) {
      const name = `${address[1]!.toUpperCase()}-${address[2]}`;
      const local = address[3] === undefined ? name : `${name}-${address[3].toUpperCase()}`;
      return `CC-${ported.has(local) ? local : name}`;
    }
    if (/creativecommons\.org\/publicdomain\/zero/i.test(text)) return "CC0-1.0";
    if (/creativecommons\.org\/publicdomain\/mark/i.test(text)) return "CC-PDM-1.0";
  }
  for (const text of texts) {
    if (/\bCC[ -]?0\b|Creative Commons (?:Zero|CC0|public domain dedication)/i.test(text)) return "CC0-1.0";
    const words = inWords(text);
    if (words !== null) return words;
    const address = creativeCommons.exec(text);
    if (address !== null) return `CC-${address[1]!.toUpperCase()}`;
    const exact =
      /^\s*(MIT|Apache-2\.0|BSD-[23]-Clause|ODC-By-1\.0|ODbL-1\.0|PDDL-1\.0|CDLA-[A-Za-z]+-[12]\.0)\b/i.exec(text)?.[1];
    if (exact !== undefined) return exact;
  }
  return null;
}

/** As SPDX, else in the first of the texts' own words, cut at 200 characters; null where there are none. */
export function licenceOf(texts: readonly string[]): string | null {
  const some = texts.map((text) => text.trim()).filter((text) => text !== "");
  return spdxOf(some) ?? some[0]?.slice(0, 200) ?? null;
}

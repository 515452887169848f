/**
 * Places smaller than a state: 45 CFR 164.514(b)(2)(i)(B). Streets, cities, counties, ZIP codes, and hospitals by their names,
 * which say where somebody was. States and countries stay.
 */
import type { Found } from "../classes.ts";
import { city, flagsOf, name, ordinary, place, veryOrdinary } from "../lexicon.ts";
import { eponymNouns, eponyms, stopWords } from "../word-lists.ts";
import { beginsSentence, type Word } from "../words.ts";
import { isThing, type Read } from "./name-runs.ts";
import type { Pattern } from "./pattern.ts";

const states =
  "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|Wyoming|Ontario|Quebec|British Columbia|Alberta";
const abbreviations =
  "AL|AK|AZ|AR|CA|CO|CT|DE|DC|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|PR|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY";
/** States, countries and peoples: nothing of them is smaller than a state. */
const large: ReadonlySet<string> = new Set(
  `${states.toLowerCase()}|united states|united kingdom|u.s|usa|america|mexico|canada|england|scotland|wales|ireland|france|germany|italy|spain|portugal|poland|russia|ukraine|greece|turkey|egypt|nigeria|kenya|ethiopia|somalia|ghana|liberia|india|pakistan|bangladesh|china|japan|korea|vietnam|thailand|philippines|indonesia|australia|brazil|colombia|peru|chile|argentina|ecuador|venezuela|honduras|guatemala|nicaragua|haiti|cuba|jamaica|iraq|iran|syria|lebanon|israel|jordan|afghanistan|europe|asia|africa|el salvador|costa rica|puerto rico|dominican republic|hong kong|south africa|saudi arabia|new zealand|panama|luxembourg|singapore|netherlands|tanzania|austria|belgium|switzerland|sweden|norway|denmark|finland|hungary|romania|bulgaria|serbia|croatia|sudan|uganda|rwanda|cameroon|senegal|algeria|morocco|tunisia|libya|yemen|oman|kuwait|qatar|nepal|myanmar|burma|laos|cambodia|malaysia|taiwan|mongolia|uruguay|paraguay|bolivia|belize|bahamas|barbados|trinidad|guyana|fiji|samoa|guam|bosnia|albania|eritrea|armenia|georgia|kazakhstan|uzbekistan|latvia|lithuania|estonia|iceland|scandinavia`.split(
    "|",
  ),
);
/** A state, a country, or the second word of one: "South Carolina". */
export const isLarge = (lower: string): boolean => large.has(lower) || partsOfStates.has(lower);
const partsOfStates = new Set("carolina dakota jersey hampshire island rhode states kingdom rico".split(" "));

const streets =
  "Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Terrace|Ter|Trail|Trl|Square|Sq|Way|Turnpike|Pike|Crescent|Alley|Loop|Plaza|Route|Rte";
const unitPart = String.raw`(?:,? {1,2}(?:Apt|Apartment|Suite|Ste|Unit|Bldg|Building|Lot|#)\.? {0,2}#?(?:[A-Z]?\d{1,5}[A-Z]?|[A-Z])(?![A-Za-z]))?`;
const capital = String.raw`[A-Z][A-Za-zÀ-ɏ'’-]{1,24}`;

/** "3 Smith Dr. Jones": a doctor, not a drive. */
const isStreet = (value: string, { text, end }: { text: string; end: number }): boolean =>
  !/ [AP]\.?M\b| [MD]G\b/i.test(value) &&
  (!/Dr\.?$/.test(value) || !/^\.? (?!Apt|Suite|Unit|Ste)[A-Z][a-z]/.test(text.slice(end, end + 4)));

export const placePatterns: readonly Pattern[] = [
  {
    class: "LOCATION",
    rule: "street",
    pattern: new RegExp(
      String.raw`(?<![\w./,:-])\d{1,6}(?:-?[A-Z]|-\d{1,4})?(?: (?:[NSEW]|NE|NW|SE|SW|North|South|East|West)\.?)?(?: (?:${capital}|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))){1,4}? (?:${streets}|${streets.toUpperCase()})(?![A-Za-z'’-])\.?(?: (?:N|S|E|W|NE|NW|SE|SW)(?![A-Za-z]))?${unitPart}`,
      "g",
    ),
    check: isStreet,
  },
  {
    class: "LOCATION",
    rule: "street",
    pattern:
      /(?<![\w./,-])\d{1,6} (?:County |State )?(?:Highway|Hwy|Route|Rte|Road|Broadway|Avenue) ?(?:[A-Z]{1,2}(?![a-z])|\d{1,4})?(?![\w])/g,
  },
  {
    class: "LOCATION",
    rule: "street",
    pattern: new RegExp(
      String.raw`(?<![A-Za-z.])(?!(?:The|This|On|In|At|Silk|High) )${capital} (?:Road|Street|Avenue|Boulevard|Parkway|Turnpike)(?![A-Za-z'’-])(?! (?:drug|smart|value))`,
      "g",
    ),
  },
  { class: "LOCATION", rule: "box", pattern: /\bP\.? ?O\.? ?Box {1,2}#?\d{1,8}/gi },
  {
    class: "LOCATION",
    rule: "zip",
    pattern: new RegExp(
      String.raw`(?:\b(?:${abbreviations})\.?|\b(?:${states}))[, ]{1,3}(\d{5}(?:-\d{4})?)(?![\d-]|\.\d)`,
      "g",
    ),
  },
  {
    class: "LOCATION",
    rule: "zip",
    pattern:
      /\b(?:zip(?:[ -]?code)?|postal code|post ?code)(?: is)?[ :#=]{1,4}(\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2})(?![\w-])/gi,
  },
  {
    class: "LOCATION",
    rule: "postcode",
    pattern:
      /(?<=[A-Z][a-z]{1,20},? )(?:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[ABCEGHJ-NPR-TVXY]\d[A-Z] \d[A-Z]\d)(?![\w-])/g,
  },
  {
    class: "LOCATION",
    rule: "county",
    pattern: new RegExp(
      String.raw`(?<![A-Za-z])(?:St\. )?(?!The |This |Our |Your )${capital}(?: ${capital})? (?:County|Parish|Township|Borough)(?![A-Za-z])`,
      "g",
    ),
  },
];

/** "in the Longmont area", "a Roseburg resident". */
function byArea(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const word = words[at]!;
  if (word.shape !== "capital" || !(word.flags & place) || word.flags & ordinary || eponyms.has(word.lower))
    return undefined;
  return /^ (?:area|resident|native|suburbs?|region|office|campus)\b/.test(text.slice(word.end, word.end + 10)) &&
    !large.has(word.lower)
    ? located(read, at, at + 1, "place")
    : undefined;
}

const facilities: ReadonlySet<string> = new Set(
  "institute laboratory laboratories building gardens emergency intensive icu er ed ltac correctional med urgent retirement air hospital hospitals clinic clinics center centre infirmary sanatorium hospice medical health healthcare university college institute rehabilitation rehab pavilion manor lodge nursing school prison jail".split(
    " ",
  ),
);
/** Last words of a facility's name. */
const facilityEnds =
  /^(?:hospitals?|clinics?|infirmary|hospice|sanatorium|university|college|medical (?:center|centre|group|associates|clinic)|health (?:center|centre|system|care|services)|healthcare|nursing (?:home|facility|center)|rehab(?:ilitation)? (?:center|centre|hospital|institute|facility)|cancer (?:center|centre|institute)|(?:surgery|surgical|imaging|dialysis|heart|community|women's|children's|wellness|care|treatment|counseling|behavioral|birth|eye) (?:center|centre)|high school|elementary school|middle school|church|pharmacy|manor|pavilion|assisted living|(?:(?:[A-Z][a-z]{2,20} ){0,2})institute|laborator(?:y|ies)|med care|urgent care|emergency (?:room|department)|intensive care unit|ICU|LTAC|correctional (?:facility|institution)|air force base|building|gardens|retirement (?:home|community)|elementary)(?![a-z])/i;
/** Ordinary words that hospitals are called by. */
const facilityNames: ReadonlySet<string> = new Set(
  "mercy memorial samaritan providence sacred trinity baptist methodist presbyterian lutheran sinai covenant grace hope cross veterans deaconess general's children's regional county saint st city valley mountain lake river lady bethesda shepherd".split(
    " ",
  ),
);
/** "Physiatry Clinic" is anybody's. */
const specialty = /(?:ology|iatry|iatrics|therapy|surgery|oscopy|icine|metry|ectomy|pedics|paedics|care|ical)$/;
const genericNames: ReadonlySet<string> = new Set(
  "emergency pain urology cardiology outpatient inpatient local outside surgery surgical pediatric general dental walk-in orthopedic neurology oncology dermatology gi primary care eye family wound sleep university community free tertiary teaching referring receiving medical private public psychiatric day acute rehabilitation children's women's regional trauma level the this our rural mobile comprehensive diabetes heart cancer".split(
    " ",
  ),
);

/** Words with capitals that stand together, from `at` on. */
function capitalsFrom({ text, words }: Read, at: number, most: number): number {
  let to = at;
  while (to < at + most) {
    const word = words[to];
    if (word === undefined || !(word.shape === "capital" || word.shape === "capitals") || stopWords.has(word.lower))
      break;
    if (to > at && !/^(?: |\. )$/.test(text.slice(words[to - 1]!.end, word.start))) break;
    if (to > at && text.slice(words[to - 1]!.end, word.start) === ". " && !/^(?:st|mt|ft)$/.test(words[to - 1]!.lower))
      break;
    to++;
  }
  return to;
}

const located = (read: Read, from: number, to: number, rule: string): Found => ({
  class: "LOCATION",
  rule,
  start: read.words[from]!.start,
  end: read.words[to - 1]!.end,
});

/** "Mercy Hospital", "St. Mary's Medical Center", "University of Somewhere Hospital": backwards from what it is. */
function byFacility(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const word = words[at]!;
  const ahead = facilityEnds.exec(text.slice(word.start, word.start + 32));
  if (ahead === null) return undefined;
  let from = at;
  while (from > at - 6 && from > 0) {
    const previous = words[from - 1]!;
    const gap = text.slice(previous.end, words[from]!.start);
    const isSaint = gap === ". " && /^(?:st|mt|ft)$/.test(previous.lower);
    if (gap !== " " && gap !== "'s " && gap !== "’s " && gap !== "-" && !isSaint) break;
    const isOf = previous.lower === "of" && from > 1 && words[from - 2]!.shape !== "lower";
    if (!isOf && previous.shape !== "capital" && previous.shape !== "capitals") break;
    if (stopWords.has(previous.lower) && !isOf) break;
    from--;
  }
  while (from < at && (words[from]!.lower === "of" || beginsOther(words[from]!))) from++;
  if (from === at) return undefined;
  const parts = words.slice(from, at);
  const isUnit = /^(?:ICU|E[RD]\b|emergency|intensive|ward)/i.test(ahead[0]);
  const isNamed = parts.some((part) => {
    if (part.lower === "of" || genericNames.has(part.lower)) return false;
    if (facilityNames.has(part.lower)) return true;
    if (part.shape !== "capital" || part.text.length < 3 || specialty.test(part.lower)) return false;
    if (eponyms.has(part.lower) && isUnit) return false;
    return (part.flags & ordinary) === 0 || ((part.flags & name) !== 0 && (part.flags & veryOrdinary) === 0);
  });
  if (!isNamed) return undefined;
  return { class: "LOCATION", rule: "facility", start: words[from]!.start, end: word.start + ahead[0].length };
}

const beginsOther = ({ lower }: Word): boolean => facilities.has(lower) || genericNames.has(lower);

const contexts =
  /\b(?:lives?|lived|living|resides?|resided|residing|born|raised|grew up|works?|worked|working|worships?|retired|schools?|homes?|house|apartment|condo|facility|stationed|vacation(?:ed|ing)?|stayed|staying|traveling|incarcerated|camp(?:ing)?|hik(?:ed|ing)|accident|admitted|hospitalized|treated|seen) (?:alone |with [a-z]{2,12} [a-z]{2,12} |with [a-z]{2,12} |independently )?(?:in|at|near|outside(?: of)?|from) (?:the (?:city|town|village) of )?$|\b(?:moved|moving|relocat(?:ed|ing)|travel(?:ed|led|ing|s)?|trips?|drove|driving|flew|flying|flight|commut(?:es|ing)|returned|returning|return|visit(?:ed|ing)?) (?:here |back )?(?:to|from) (?:the (?:city|town) of )?$|\b(?:originally from|native of|resident of|residents of|comes? from|came from|immigrated from|call(?:ed|s|ing) from|(?:street|st|avenue|ave|road|rd|blvd|boulevard|lane|ln|drive|dr|court|ct|place|pl|way|apt\.? \w{1,4})\.?,|phoned from|writes from|transfer(?:red)? from|hails from|visiting from|visiting|city of|town of|village of|suburbs? of|homeless in|shelter in|born at|from nearby|outside of|hometown of|hometown:|city:|town:|address:|residence:|birthplace:|place of birth:|location:)[ \t]{1,3}$/i;

/** "lives in Springfield", "moved from New Haven". */
function byContext(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const word = words[at]!;
  const isInName =
    word.shape === "capital" && at > 0 && words[at - 1]!.shape !== "lower" && !stopWords.has(words[at - 1]!.lower);
  if (isInName && text.slice(words[at - 1]!.end, word.start) === " ") return undefined;
  if (word.shape !== "capital" && !(word.flags & place)) return undefined;
  if (!contexts.test(text.slice(Math.max(0, word.start - 60), word.start))) return undefined;
  const to = capitalsFrom(read, at, 4);
  let end = at;
  for (let i = at; i < to; i++) {
    const one = words[i]!;
    const isPart =
      /^(?:st|mt|ft|saint|mount|fort|new|north|south|east|west|san|santa|los|las|el|port|lake|salt|upper|lower|beach|city|falls|springs|heights|hills|park|creek|valley|grove|island|rock|haven|ridge|bay|village)$/.test(
        one.lower,
      );
    const isPlace = (one.flags & (place | name)) !== 0 && (one.flags & ordinary) === 0;
    if (!isPart && !isPlace && !(one.flags & place) && one.flags !== 0) break;
    if (one.shape === "capitals" && !(one.flags & place) && !isPart) break;
    end = i + 1;
  }
  if (end === at) return undefined;
  const said = words
    .slice(at, end)
    .map(({ lower }) => lower)
    .join(" ");
  return large.has(said) || eponymNouns.has(words[end]?.lower ?? "") ? undefined : located(read, at, end, "place");
}

const stateBehind = new RegExp(
  String.raw`^,? {1,2}(?:(${states})(?![A-Za-z])|(${abbreviations})(?![A-Za-z.'-])(,?\.? {1,3}\d{5}(?!\d))?)`,
);

/** "Springfield, IL 62701", "Salem, Oregon". */
function byState(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const word = words[at]!;
  const behind = stateBehind.exec(text.slice(word.end, word.end + 32));
  if (behind === null) return undefined;
  let from = at;
  const isPlace = (start: number): boolean =>
    (flagsOf(
      words
        .slice(start, at + 1)
        .map(({ lower }) => lower)
        .join(" "),
    ) &
      place) !==
    0;
  const start = (() => {
    while (from > at - 3 && from > 0) {
      const previous = words[from - 1]!;
      const gap = text.slice(previous.end, words[from]!.start);
      if (!(gap === " " || (gap === ". " && /^(?:st|mt|ft)$/.test(previous.lower)))) break;
      if (previous.shape === "lower" || previous.shape === "initial" || stopWords.has(previous.lower)) break;
      from--;
    }
    for (let i = from; i <= at; i++) if (isPlace(i)) return i;
    return undefined;
  })();
  const hasComma = text[word.end] === ",";
  if (start !== undefined && (hasComma || behind[3] !== undefined || behind[1] !== undefined)) {
    return large.has(word.lower) && start === at ? undefined : located(read, start, at + 1, "city");
  }
  const isCertain = behind[3] !== undefined || (behind[1] !== undefined && hasComma);
  const isWord = (word.flags & ordinary) !== 0 && (word.flags & (name | place)) === 0;
  if (!isCertain || (isWord && from === at) || large.has(word.lower)) return undefined;
  return located(read, from, at + 1, "city");
}

const unlistedBehind = /^(?:[,.;]| (?:this|last|where|who|for|on|with|and)\b)/;

/** "from Boise", "in St. Paul": a known town behind a word of place, if it is nobody's name. */
function byPreposition(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const [previous, word] = [words[at - 1], words[at]!];
  if (previous === undefined || word.shape !== "capital" || text.slice(previous.end, word.start) !== " ")
    return undefined;
  if (!/^(?:in|from|near|to|at|around|outside|downtown|via|through|our|the)$/.test(previous.lower)) return undefined;
  const isIn = /^(?:in|from|near|downtown)$/.test(previous.lower);
  let end = at;
  let said = "";
  for (let i = at; i < at + 3; i++) {
    const one = words[i];
    if (one === undefined || one.shape !== "capital") break;
    const gap = i === at ? "" : text.slice(words[i - 1]!.end, one.start);
    if (i > at && gap !== " " && gap !== ". ") break;
    said += `${gap}${one.lower}`;
    const flags = flagsOf(said);
    // A surname, too, as many are: who it is or where, it goes.
    const isOther =
      (flags & ordinary) !== 0 ||
      ((flags & name) !== 0 && !(flags & city) && !(isIn && !one.isPossessive && !eponyms.has(one.lower)));
    if ((flags & place) !== 0 && !(isOther && i === at)) end = i + 1;
  }
  // A small town that no list has: "in Wilkesboro, this week".
  const isUnlisted =
    isIn && word.flags === 0 && word.text.length > 4 && !eponyms.has(word.lower) && !stopWords.has(word.lower);
  if (end === at && isUnlisted && unlistedBehind.test(text.slice(word.end, word.end + 8))) end = at + 1;
  if (end === at || isThing(read, end - 1)) return undefined;
  const whole = words
    .slice(at, end)
    .map(({ lower }) => lower)
    .join(" ");
  return large.has(whole) ? undefined : located(read, at, end, "place");
}

/** A city that everybody knows, wherever it stands. */
function byItself(read: Read, at: number): Found | undefined {
  const { text, words } = read;
  const word = words[at]!;
  if (word.shape !== "capital") return undefined;
  let to = at + 1;
  let said = word.lower;
  let isCity = (word.flags & city) !== 0 && (word.flags & (ordinary | name)) === 0 && word.text.length > 3;
  for (let i = at + 1; i < at + 3; i++) {
    const next = words[i];
    if (next === undefined || next.shape !== "capital" || text.slice(words[i - 1]!.end, next.start) !== " ") break;
    said += ` ${next.lower}`;
    if ((flagsOf(said) & city) !== 0) {
      isCity = true;
      to = i + 1;
    }
  }
  if (
    !isCity ||
    large.has(
      words
        .slice(at, to)
        .map(({ lower }) => lower)
        .join(" "),
    )
  )
    return undefined;
  if (large.has(word.lower) && to === at + 1) return undefined;
  if (
    isThing(read, to - 1) ||
    words[to - 1]!.isPossessive ||
    (to === at + 1 && beginsSentence(text, word) && text[word.end] === ":")
  )
    return undefined;
  return located(read, at, to, "city");
}

/** Places in a text that patterns of characters do not find. */
export function findPlaces(read: Read): Found[] {
  const places: Found[] = [];
  read.words.forEach((word, at) => {
    if (word.shape !== "capital" && word.shape !== "capitals") return;
    for (const rule of [byFacility, byContext, byState, byPreposition, byArea, byItself]) {
      const one = rule(read, at);
      if (one !== undefined) {
        places.push(one);
        break;
      }
    }
  });
  return places;
}

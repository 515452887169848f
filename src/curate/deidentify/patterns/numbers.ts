/**
 * Numbers and codes by the words before them, by their form or their check digits: 45 CFR 164.514(b)(2)(i)(G) to (M) and (R).
 * Numbers of trials, diagnoses, procedures and products (NCT, ICD, CPT, catalogue) are nobody's own and stay.
 */
import type { Found, IdentifierClass } from "../classes.ts";
import { isCard, isDea, isIban, isNpi, isVin } from "./check-digits.ts";
import { digitsIn, type Pattern } from "./pattern.ts";

/** Words before a number that say whose it is. `strict` ones are said of numbers only ("MRN"), `loose` ones behind "number". */
interface Label {
  readonly class: IdentifierClass;
  readonly rule: string;
  /** What stands right before the number. */
  readonly before: RegExp;
  readonly check: (value: string) => boolean;
}

const numbering = String.raw`(?:numbers?|num|nbr|no|ids?|identifier|code|#)`;
const between = String.raw`[ \t]{0,2}(?:\([A-Z]{2,5}\))?[ \t]{0,2}(?:[:=#-][ \t]{0,3}){0,2}(?:is|was|of)?[ \t]{0,2}(?:[:=#-][ \t]{0,3}){0,2}$`;

function labelled(
  name: IdentifierClass,
  rule: string,
  { strict, loose }: { strict?: string; loose?: string },
  check: (value: string) => boolean = () => true,
): Label {
  const parts = [
    ...(strict === undefined ? [] : [String.raw`(?:${strict})(?![A-Z])(?:[ \t]{0,2}${numbering}\.?(?![A-Z])){0,2}`]),
    ...(loose === undefined
      ? []
      : [String.raw`(?:${loose})[ \t]{0,2}(?:\bid[ \t]{1,2})?(?:\b${numbering}|#)\.?(?![A-Z])`]),
  ];
  const before = new RegExp(String.raw`(?<![A-Z])(?:${parts.join("|")})${between}`, "i");
  return { class: name, rule, before, check };
}

const isCodeCharacter = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
const isJoint = (code: number): boolean => code === 45 || code === 46 || code === 47;

/** Runs of letters, digits and single marks between them that hold three digits or more, of at most 40 characters. */
function* codesIn(text: string): Generator<{ start: number; end: number }> {
  for (let at = 0; at < text.length; at++) {
    if (!isCodeCharacter(text.charCodeAt(at))) continue;
    const start = at;
    let digits = 0;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code >= 48 && code <= 57) digits++;
      else if (!isCodeCharacter(code) && !(isJoint(code) && isCodeCharacter(text.charCodeAt(at + 1)))) break;
    }
    if (digits >= 3 && at - start <= 40) yield { start, end: at };
  }
}

/** How far back a label may begin. */
const reach = 64;

interface Whole {
  readonly class: IdentifierClass;
  readonly rule: string;
  readonly is: (value: string, place: { readonly text: string; readonly end: number }) => boolean;
}

/** Numbers of trials, articles and data sets: nobody's own. */
const isPublic = (value: string): boolean => /^(?:NCT|ISRCTN|EUDRACT|PMC|PMID|GSE|CD|IL|DOI)-?\d+$/i.test(value);

/** What a number is by its form or its check digit alone. */
const wholes: readonly Whole[] = [
  {
    class: "HEALTH_PLAN",
    rule: "mbi",
    is: (value) =>
      /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d-?[AC-HJKMNP-RT-Y]{2}\d{2}$/.test(
        value,
      ),
  },
  { class: "LICENCE", rule: "dea", is: (value) => /^[A-Z]/.test(value) && isDea(value) },
  { class: "LICENCE", rule: "npi", is: isNpi },
  { class: "VEHICLE", rule: "vin", is: isVin },
  { class: "ID", rule: "uuid", is: (value) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) },
  { class: "ID", rule: "pathology", is: (value) => /^[A-Z]{1,3}-?\d{2}-\d{3,8}$/.test(value) && !isPublic(value) },
  { class: "ID", rule: "digits", is: (value, place) => /^\d{7,40}$/.test(value) && isBare(value, place) },
  {
    class: "ID",
    rule: "mixed",
    is: (value) =>
      /^(?:[A-Z]{1,4}-?\d|\d{1,4}[A-Z])[A-Z0-9-]*$/.test(value) &&
      digitsIn(value) >= 6 &&
      /[A-Z]/.test(value) &&
      !isPublic(value),
  },
];

/** Numbers that have a label, or are known by themselves. */
export function findNumbers(text: string): Found[] {
  const found: Found[] = [];
  for (const { start, end } of codesIn(text)) {
    const value = text.slice(start, end);
    if (isDate(value)) continue;
    const isPart = /[.,/]/.test(text[start - 1] ?? "") || /^[,.]\d|^[/-]/.test(text.slice(end, end + 2));
    for (const { class: name, rule, is } of isPart ? [] : wholes) {
      if (!is(value, { text, end })) continue;
      found.push({ class: name, start, end, rule });
      break;
    }
    const before = text.slice(Math.max(0, start - reach), start);
    if (!/[a-z#][^a-z]{0,12}$/i.test(before)) continue;
    for (const { class: name, rule, before: label, check } of labels) {
      if (label.test(before) && check(value)) found.push({ class: name, start, end, rule });
    }
  }
  return found;
}

/** What `dates.ts` finds. */
const isDate = (value: string): boolean =>
  /^\d{1,2}[-/.]\d{1,2}[-/.](?:\d{2}|\d{4})$|^(?:19|20)\d{2}[-/.]\d{1,2}[-/.]\d{1,2}$/.test(value);
const isNoYear = (value: string): boolean => !/^(?:19|20)\d{2}$/.test(value);
const atLeast =
  (least: number) =>
  (value: string): boolean =>
    digitsIn(value) >= least && isNoYear(value);

/** Behind a number: what it counts or measures. */
const unit =
  /^[ ]?(?:%|°|units?\b|iu\b|u\b|mg|mcg|µg|ug\b|g\b|kg|ml|cc\b|l\b|cm|mm|cells?\b|copies|cfu|organisms|colon|platelets|per\b|\/|k\b|x\b|·|\*|ng\b|pg\b|hz\b|dollars|patients|million|thousand|-gauge|french)/i;

/** A long number that nothing names: no measurement, no round number, no decimal's digits. */
const isBare = (value: string, { text, end }: { readonly text: string; readonly end: number }): boolean =>
  !/0{4}$/.test(value) && !unit.test(text.slice(end, end + 12));

const labels: readonly Label[] = [
  labelled(
    "MRN",
    "mrn",
    {
      strict: String.raw`mrn|m\.r\.n\.?|emrn|mr[ ]?#|mpi|empi|epi[ ]?#|med(?:ical)?\.?[ ]rec(?:ord)?s?\.?|chart|pt\.?[ ]id|patient[ ]id(?:entifier|entification)?|hospital[ ](?:id|number|no)|unit[ ](?:number|no)`,
      loose: String.raw`mr|record|patient|pt|hospital|unit|history|hx|emr|ehr|clinic|registration`,
    },
    atLeast(4),
  ),
  labelled(
    "HEALTH_PLAN",
    "health-plan",
    {
      strict: String.raw`medicare|medicaid|hicn|mbi|member[ ]?id|subscriber[ ]?id|policy[ ]?id|group[ ]?id|insurance[ ]?id|beneficiary[ ]?id|rx[ ]?(?:bin|pcn|grp|group)|health[ ]plan(?:[ ]id)?|nhs`,
      loose: String.raw`member|subscriber|policy|group|grp|insurance|plan|beneficiary|payer|coverage|insured|cert(?:ificate)? holder`,
    },
    atLeast(4),
  ),
  labelled(
    "ACCOUNT",
    "account",
    {
      strict: String.raw`account|acct|a\/c|billing[ ]id|invoice|iban|routing|har|financial`,
      loose: String.raw`bill(?:ing)?|guarantor|bank|card|credit card|statement`,
    },
    atLeast(4),
  ),
  labelled(
    "LICENCE",
    "licence",
    {
      strict: String.raw`npi|dea|upin|dl|driver'?s?'?[ ]licen[cs]e|licen[cs]e|lic|passport`,
      loose: String.raw`certificate|cert|certification|registration|permit|state board|green card|alien|visa`,
    },
    atLeast(4),
  ),
  labelled("VEHICLE", "vehicle", {
    strict: String.raw`vin|vehicle[ ](?:id(?:entification)?|tag|registration)`,
    loose: String.raw`vehicle|tag`,
  }),
  labelled("DEVICE", "device", {
    strict: String.raw`serial|s\/n|sn|ser|udi|imei|meid|lot|device[ ]id(?:entifier)?|implant[ ]id|mac(?: address)?`,
    loose: String.raw`device|pacemaker|generator|implant|lead|pump|equipment|asset`,
  }),
  labelled(
    "ID",
    "code",
    {
      strict: String.raw`accession|csn|encounter|requisition|job|dictation|transcription|doc(?:ument)?[ ]?(?:id|number|no|#)|confirmation|tracking|employee[ ]?id|badge|study[ ]?id|subject[ ]?id|case[ ]?(?:number|no|#)|specimen[ ]?(?:id|number|no|#)|user[ ]?id|student[ ]?id|claim|auth(?:orization)?`,
      loose: String.raw`visit|order|specimen|case|sample|file|reference|ref|ticket|study|subject|participant|employee|student|user|login|report|exam|work order|prescription|rx|donor|voucher|docket|fin`,
    },
    atLeast(3),
  ),
];

export const numberPatterns: readonly Pattern[] = [
  { class: "SSN", rule: "ssn", pattern: /(?<![\d-])\d{3}([- ])\d{2}\1\d{4}(?![\d-])/g },
  {
    class: "SSN",
    rule: "labelled-ssn",
    pattern:
      /(?<![a-z])(?:ssn|ss[ ]?#|soc(?:ial)?\.? sec(?:urity)?\.?(?:[ ](?:number|no\.?|#))?)(?:[ ]?(?:is|last (?:four|4)(?: digits)?(?: of)?))?[ :=#.-]{0,4}((?:[x*\d]{3}[- ]?[x*\d]{2}[- ]?)?\d{4})(?!\d)/gi,
  },
  {
    class: "SSN",
    rule: "last-four",
    pattern:
      /\blast (?:four|4)(?: digits)?(?: of (?:the |his |her )?(?:ssn|social(?: security(?: number)?)?))?[ :#]{1,3}(?:is |are )?(\d{4})(?!\d)/gi,
  },
  { class: "SSN", rule: "masked-ssn", pattern: /(?<![\w*])[x*]{3}-?[x*]{2}-?(\d{4})(?!\d)/gi },
  { class: "ACCOUNT", rule: "card", pattern: /(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])/g, check: isCard },
  {
    class: "ACCOUNT",
    rule: "iban",
    pattern: /(?<![A-Z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}(?![A-Z0-9])/g,
    check: isIban,
  },
  {
    class: "VEHICLE",
    rule: "plate",
    pattern:
      /\b(?:(?:[Ll]icen[cs]e|[Nn]umber|[Rr]egistration|[Vv]ehicle|[Cc]ar|[Tt]ruck)(?:'s)? (?:[Pp]lates?|[Tt]ags?)|[Pp]lates? (?:number|no\.?|#)|LICENSE PLATE)(?: (?:[Nn]umber|[Nn]o\.?|#|is|was|reads?|reading|of)){0,2}[ :#]{1,3}([A-Z0-9]{1,4}[- ][A-Z0-9]{2,5}|[A-Z]{1,3}\d{2,5}|\d{1,3}[A-Z]{2,3}\d{0,4})(?![A-Za-z0-9])/g,
    check: (value) => /\d/.test(value) && /[A-Z]/i.test(value),
  },
  { class: "DEVICE", rule: "mac", pattern: /(?<![\w:])[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}(?![\w:])/gi },
  { class: "DEVICE", rule: "udi", pattern: /\(01\)\d{14}(?:\((?:10|11|17|21)\)[A-Z0-9-]{2,20}){0,4}/g },
  {
    class: "ID",
    rule: "grouped",
    pattern: /(?<=[(:#\n] ?)\d{2,4}-\d{2,3}-\d{2,4}(?![\w/-]|\.\d)/g,
    check: (value) => !isDate(value),
  },
];

export const mentionPatterns: readonly Pattern[] = [
  {
    class: "BIOMETRIC",
    rule: "mention",
    pattern:
      /\b(?:(?:finger|thumb|palm|voice)[ -]?prints?|footprints)\b(?! assay)|\b(?:retinal?|iris)[ -]scans?\b|\bhand geometry\b|\b(?:facial|voice) recognition\b|\bbiometric (?:data|identifier|record|scan)s?\b|\b(?:DNA|genetic) (?:profile|fingerprint)\b/gi,
  },
  {
    class: "PHOTO",
    rule: "file",
    needs: /\.(?:jpe?g|png|gif|bmp|tiff?|heic|dcm)/i,
    pattern: /(?<![\w./-])[\w-]{3,80}\.(?:jpe?g|png|gif|bmp|tiff?|heic|dcm)(?!\w)/gi,
  },
  {
    class: "PHOTO",
    rule: "mention",
    pattern:
      /\b(?:full[- ]face |facial |clinical |patient |preoperative |postoperative |digital )?(?:photographs?|photos?|photographed|selfies?|mug ?shots?)\b(?!-)/gi,
  },
];

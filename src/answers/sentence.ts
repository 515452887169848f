/**
 * What a sentence of a document is for: a finding that may answer, or a heading, a question, an aim, which never do.
 * By rules over words; what they miss, the scorer's weights have to bear.
 */
import { splitSentences } from "../corpus/sentences.ts";
import type { IndexedDocument } from "../search/types.ts";
import { wordsOf } from "../search/words.ts";

/** A sentence in its place: `text` is `document.text.slice(start, end)`. */
export interface PlacedSentence {
  readonly document: IndexedDocument;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** The label of its section; "TITLE" for the title. */
  readonly section: string | null;
  /** What it stands under: the last question or short title on a line of its own, or else its section's label. */
  readonly heading: string | null;
}

/** Most sentences that are looked at in one document, and characters of one: a full text is searched by its best passage. */
const mostSentences = 400;
const mostCharacters = 600;

/** Characters from a document's beginning that are its abstract, mostly. */
export const abstractLength = 3000;

const asked = /^(?:question|q)\s*:\s*/i;
const answered = /^(?:answer|a)\s*:\s*/i;

/** Most words of a title within a text. */
const mostHeadingWords = 8;

/** What the line says, where it is a question or a short title that names what follows. */
function headingOf(line: string): string | undefined {
  if (answered.test(line)) return undefined;
  const said = line.replace(asked, "").trim();
  const isQuestion = said.endsWith("?") && said.length <= 200;
  const isTitle = !/[.!,;]$/.test(said) && /^[\p{Lu}\d]/u.test(said) && said.split(/\s+/).length <= mostHeadingWords;
  return isQuestion || isTitle ? said : undefined;
}

/** Sentences of a document, or of a range of it, that could be quoted; none crosses a section's border. */
export function sentencesOf(
  document: IndexedDocument,
  [from, to]: readonly [number, number] = [0, document.text.length],
): PlacedSentence[] {
  const sections =
    document.sections.length > 0 ? document.sections : [{ label: null, start: 0, end: document.text.length }];
  const found: PlacedSentence[] = [];
  for (const { label, start, end } of sections) {
    if (end <= from || start >= to) continue;
    const text = document.text.slice(start, end);
    let heading = label === "TITLE" ? null : label;
    for (const [first, last] of splitSentences(text)) {
      const isLine =
        /(?:^|\n)[ \t]*$/.test(text.slice(Math.max(0, first - 9), first)) &&
        /^[ \t]*\n/.test(text.slice(last, last + 9));
      if (isLine) heading = headingOf(text.slice(first, last)) ?? heading;
      const [said = ""] = answered.exec(text.slice(first, last)) ?? [];
      const place = { start: start + first + said.length, end: start + last };
      if (place.end <= from || place.start >= to || place.end - place.start > mostCharacters) continue;
      found.push({ document, ...place, text: document.text.slice(place.start, place.end), section: label, heading });
      if (found.length === mostSentences) return found;
    }
  }
  return found;
}

/** A sentence as a reranker reads it, which knows nothing of its document: behind title and heading. */
export function inContext({ document: { title }, heading, text, section }: PlacedSentence): string {
  const before = section === "TITLE" ? [] : [title, heading ?? ""].filter((one) => one !== "");
  return [...before.map((one) => one.replace(/[.:]$/, "")), text].join(": ");
}

const aim =
  /\b(?:we|this|the|our|present|current)\b[^.]{0,60}\b(?:aim(?:ed|s)?|objectives?|purpose|goal|sought|hypothesi[sz]ed?|intend(?:ed|s)?|set out)\b|^(?:(?:background|introduction|objectives?|aims?|purpose|methods?)[:\s/]+)?(?:to|in order to) (?:assess|compare|describe|determine|develop|elucidate|establish|estimate|evaluate|examine|explore|identify|investigate|report|review|study|test|understand|validate)\b|\b(?:we|study) (?:will )?(?:investigated|examined|evaluated|assessed|studied|explored|tested|compared) (?:whether|if|the (?:effects?|role|association|efficacy|relationship))\b|\b(?:remains?|is|are) (?:unknown|unclear|controversial|poorly understood|not (?:well |fully |yet )?(?:known|understood|clear|established))\b|\b(?:is|are|was|were) (?:reviewed|discussed|described|presented|summari[sz]ed)\.?$/i;
const verb =
  /\b(?:is|are|was|were|be|been|has|have|had|does|do|did|can|may|might|could|will|would|cannot|not|[a-z]{3,}(?:ates|izes|ises|ifies)|(?:accelerat|activat|affect|allow|alter|associat|attenuat|block|bind|caus|confer|contain|contribut|control|correlat|decreas|defin|depend|differ|driv|enabl|encod|enhanc|exacerbat|exhibit|express|facilitat|fail|form|harbou?r|help|identif|impair|improv|increas|induc|influenc|inhibit|interact|involv|lead|limit|link|lower|maintain|mediat|modif|modulat|occur|play|predict|prevent|produc|prolong|promot|protect|provid|reduc|regulat|remain|repress|requir|rescu|result|reveal|rais|show|shorten|slow|stabili[sz]|stimulat|suggest|support|suppress|target|trigger|underl|upregulat|worsen)(?:e|es|s|ed|ies|ied))\b/i;

/** What claims nothing. */
const noClaims: readonly RegExp[] = [
  // A study that asks, and a supposition.
  /\bhypothes[ie]s (?:to be|is whether|that (?:is|was|will be) tested)\b/i,
  /\b(?:tests?|tested|examines?|investigates?|determines?|assess(?:es)?|evaluates?|asks?|asked|explores?) (?:whether|if)\b/i,
  /\b(?:one would|we) (?:also )?(?:expect|anticipate|hope)\b|^(?:if|suppose)\b[^.]*\b(?:would|could|might)\b/i,
  // What will be done, and what is still to be.
  /\b(?:will|would) be the first\b|\b(?:chapter|project|proposal|protocol|review|section|study|trial) will\b/i,
  /\bwill (?:also )?be (?:\w+ly )?(?:administered|allocated|asked|assessed|collected|compared|determined|evaluated|followed|given|invited|measured|offered|performed|randomi[sz]ed|recruited|studied|treated|used)\b/i,
  /\b(?:researchers|scientists|investigators|studies) (?:are|is) (?:now |still |currently )?(?:looking|searching|trying|underway|under way|ongoing)\b/i,
  /\bthere is (?:also )?an? (?:\w+ )?need (?:for|to)\b/i,
  /^(?:(?:however|therefore|thus|hence|clearly|in conclusion),? )?(?:further|more|additional|larger|future)\b[^.;]{0,40}\b(?:research|stud(?:y|ies)|trials?|investigations?|evaluation|data|evidence)\b[^.;]{0,80}\b(?:needed|required|warranted|necessary)\b[^.;]*\.?$/i,
  // Who was let in.
  /\b(?:inclusion|exclusion) criteria\b|\b(?:were|are|was|is) (?:eligible|(?:included|excluded|enrolled) (?:if|when))\b/i,
  // What points elsewhere.
  /^(?:see|click|for more|read|refer to)\b|\b(?:provides?|gives?) the following (?:list|information)\b/i,
  /^this (?:summary|article|paper|page|section|chapter|module|review|protocol|trial|study) (?:is about|describes?|discusses|reviews|presents?|outlines?|will)\b/i,
];

/** Objectives of registry records ("I. Determine the rate of …"), which name what is not known yet. */
const objective =
  /^(?:[\w ]{0,30}:\s*)?(?:-\s*)?(?:(?:[IVX]+|\d+)[.)]\s*)?(?:assess|compare|describe|determine|establish|estimate|evaluate|examine|explore|identify|investigate|study|test|validate)\s+(?:the|whether|if|how|and|any|safety|efficacy|toxicity)\b/i;
/** Titles of works, in lists of references too: "Aspirin for primary prevention: a systematic review." */
const work =
  /:\s*(?:an?|the)\b[^.:]*\b(?:analysis|analyses|comparison|guidelines?|meta-analysis|overview|protocol|review|series|study|survey|trial)s?\b[^:]*$/i;
/** Items of a list that no full stop parts, as registries write criteria. */
const list = /(?: - [^-]+){3}/;

/** In a title a participle says nothing: "Heart Failure with Reduced Ejection Fraction". */
const participle = /\b(?!is|are|was|were)[a-z]+ed\b/gi;

function says(text: string, isTitle: boolean): boolean {
  // "to reduce" is what something is for, not what it does; "results of" are told elsewhere.
  const claims = text.replaceAll(/\bto [a-z]+|\b(?:effects|outcomes|results) of\b/gi, "");
  return verb.test(isTitle ? claims.replaceAll(participle, "") : claims);
}

/** Below so many words a sentence has to have a verb that is known: "Evidence of Cushing syndrome." is an item of a list. */
const fewWords = 8;

/** Whether a sentence, of so many words, can be an answer at all. */
export function canAnswer(
  { text, section }: Pick<PlacedSentence, "text" | "section">,
  words: number = wordsOf(text).length,
): boolean {
  if (words < 4) return false;
  if (/\?["”')\]]*\s*$/.test(text) || aim.test(text) || noClaims.some((one) => one.test(text))) return false;
  if (asked.test(text) || objective.test(text) || list.test(text)) return false;
  if (/^[©(]/.test(text)) return false;
  const isTitle = section === "TITLE" || work.test(text) || !/[.!…]["”')\]]*$/.test(text);
  if (isTitle && text.includes("?")) return false;
  if (isTitle || words < fewWords) return says(text, isTitle);
  return !/^(?:objectives?|aims?|purpose)$/i.test(section ?? "");
}

const findingCue =
  /\b(?:conclu(?:de|sions?)|we (?:found|show|showed|demonstrate|demonstrated|report|identified)|(?:results?|findings?|data|study|evidence|analysis) (?:suggests?|shows?|showed|indicates?|demonstrates?|demonstrated|reveals?|revealed|supports?|confirms?)|significant(?:ly)?|thus|therefore|in summary|associated with)\b/i;

/** Whether it says what was found, by its section or its words. */
export function isFinding({ text, section }: Pick<PlacedSentence, "text" | "section">): boolean {
  return /conclu|result|finding|interpretation/i.test(section ?? "") || findingCue.test(text);
}

/**
 * What is asked: the words that carry it, whether it can be answered by yes or no, and how a search is asked for it.
 * A question is text, never a query: parentheses, quotes and operators in it mean nothing.
 */
import { UsageError } from "../errors.ts";
import { shown } from "../schema.ts";
import { type StemmedWord, stemmedWords } from "../search/words.ts";

export interface Question {
  readonly text: string;
  /** "whether": yes, no or maybe is an answer. */
  readonly kind: "whether" | "what";
  /** Its content words as they stand, one of each stem, at most `mostWords`. */
  readonly words: readonly string[];
  /** Stems of `words`. */
  readonly stems: readonly string[];
  /** What about its subject is asked, where a word of the question says so. */
  readonly focus: Focus | undefined;
  /** Stems of what its verb is about, where it asks whether something changes that; else none. */
  readonly outcome: readonly string[];
  /** For `SearchIndex.search`: words without marks or operators. */
  readonly query: string;
}

/** Most characters of a question. */
const mostCharacters = 2000;
const mostWords = 32;

const auxiliary =
  "is|are|was|were|am|do|does|did|can|could|has|have|had|should|will|would|may|might|must|isn't|aren't|doesn't|don't|didn't|can't";
/** At its beginning, or behind a mark: "Statins in old age: do they help?". */
const whether = new RegExp(`(?:^|[:;,.?!–—-]\\s*)(?:so |and |but |or |if so,? )?(?:${auxiliary})\\b[^.:;]*\\??$`, "i");
const open = /^(?:(?:in|of|for|by|with|to|from|on|at|under) )?(?:what|which|who|whom|whose|when|where|why|how)\b/i;

/** Of what is asked: how questions name it, and how sentences that answer speak of it. The first that fits counts. */
const focuses = {
  harm: [
    /\b(?:side effects?|adverse|safe(?:ty|ly)?|complications?|harm\w*|toxic\w*)\b/i,
    /\b(?:side effects?|adverse|safe\w*|complicat\w*|harm\w*|toxic\w*|bleed\w*|tolerat\w*|risks?|problems?|events?)\b/i,
  ],
  symptoms: [
    /\b(?:symptoms?|signs|manifest\w*|clinical (?:features|presentation))\b/i,
    /\b(?:symptoms?|signs?|manifest\w*|present(?:s|ing)? with|characteri[sz]ed|experienc\w+|complain\w*|feel\w*|pain\w*|have|develop\w*|include[sd]?)\b/i,
  ],
  diagnosis: [
    /\b(?:diagnos\w+|detect\w*|screen\w*|tests?)\b/i,
    /\b(?:diagnos\w+|tests?|tested|testing|exam\w*|biops\w+|imaging|detect\w*|screen\w*|scans?|x-rays?|mri|ct|criteria|measur\w+)\b/i,
  ],
  prevention: [
    /\b(?:prevent\w*|prophyla\w+|avoid\w*)\b/i,
    /\b(?:prevent\w*|avoid\w*|protect\w*|prophyla\w+|vaccin\w+|(?:reduc|lower|decreas)\w+ (?:the |your )?(?:risk|incidence|rate))\b/i,
  ],
  inheritance: [
    /\b(?:inherit\w*|heredit\w+)\b/i,
    /\b(?:inherit\w*|heredit\w+|autosomal|recessive|dominant|x-linked|sporadic|parents?|passed (?:on|down)|family history|carriers?|cop(?:y|ies) of)\b/i,
  ],
  genes: [
    /\b(?:genetic\w*|genes?|mutations?|chromosom\w+)\b/i,
    /\b(?:genes?|genetic\w*|mutations?|chromosom\w+|variants?|delet\w+|duplicat\w+|encod\w+)\b/i,
  ],
  frequency: [
    /\b(?:how (?:many|common|frequent|often)|prevalence|incidence)\b/i,
    /\b(?:\d[\d,.]*|common|rare|prevalen\w+|inciden\w+|affect\w*|estimated|occurs?)\b/i,
  ],
  outlook: [
    /\b(?:outlook|prognosis|survival|life expectancy)\b/i,
    /\b(?:outlook|prognos\w+|surviv\w+|recover\w*|die[sd]?|deaths?|fatal|life expectancy|remission|long-term|cured?)\b/i,
  ],
  risk: [
    /\b(?:risk factors?|at risk|who gets)\b/i,
    /\b(?:risk\w*|more (?:likely|common|often)|factors?|suscept\w+|predispos\w+)\b/i,
  ],
  cause: [
    /\b(?:causes?|caused|etiolog\w+|aetiolog\w+|why)\b/i,
    /\b(?:caus\w+|due to|because|result(?:s|ed|ing)? from|etiolog\w+|aetiolog\w+|mutations?|risk factors?|trigger\w*|attribut\w+|linked|arises?|occurs? when)\b/i,
  ],
  treatment: [
    /\b(?:treat\w*|therap\w+|manag\w+|medications?|drugs?|antibiotics?|what to do)\b/i,
    /\b(?:treat\w*|therap\w+|manag\w+|medic\w+|drugs?|surg\w+|recommend\w*|prescri\w+|reliev\w*|cures?|dos(?:e|es|age)|antibiotics?|administ\w+)\b/i,
  ],
  definition: [
    /^what (?:is|are) (?!the\b)|^(?:definition|description|overview)\b/i,
    /\b(?:is|are) (?:an?|the|any|one)\b|\b(?:refers? to|called|known as|defined)\b/i,
  ],
} as const;
export type Focus = keyof typeof focuses;

/** What a question, or a heading, asks about. */
export function focusOf(question: string): Focus | undefined {
  return (Object.keys(focuses) as Focus[]).find((name) => focuses[name][0].test(question));
}

/** Pages say under one what is asked about another. */
const near: Partial<Record<Focus, readonly Focus[]>> = { cause: ["risk", "genes"], risk: ["cause"], genes: ["cause"] };

/** Whether what stands under the heading is what is asked about; undefined where the heading does not say. */
export function namesFocus(focus: Focus, heading: string | null): boolean | undefined {
  const named = heading === null ? undefined : focusOf(heading);
  return named && (named === focus || near[focus]?.includes(named) === true);
}

/** Whether a sentence speaks of what is asked about. */
export function speaksOf(focus: Focus, sentence: string): boolean {
  return focuses[focus][1].test(sentence);
}

/** Words that ask, join or are in every text. */
const empty = new Set(
  `a about after all also among an and any are as at be because been before being between both but by can could describe did
  do does doing during each either explain for from give had has have having how i if in into is it its itself known list
  may me might more most must name no nor not of on or other our out over please same shall should show so some such tell
  than that the their them then there these they this those through to under up upon use used using via was we were what
  when where whether which while who whom whose why will with within without would you your`.split(/\s+/),
);

/** Words that say something, in their order. */
export function contentWords(text: string): StemmedWord[] {
  return stemmedWords(text).filter(({ word }) => !empty.has(word));
}

/** Stems of the words that say something, in their order, each once. */
export function contentStems(text: string): string[] {
  return [...new Set(contentWords(text).map(({ stem }) => stem))];
}

/** What stands behind a question's verb, up to where it says in whom: "Does metformin reduce *mortality* in …?" */
const outcome =
  /\b(?:affect|aid|alter|caus|chang|decreas|delay|enhanc|improv|increas|induc|influenc|lower|predict|prevent|promot|protect against|reduc|reliev|shorten|slow|trigger|worsen)(?:es?|s|ed)?\s+(.+?)(?=\s+(?:after|among|by|compared|during|for|from|in|than|when|with)\b|[?.,;]|$)/i;

/** Stems of what a question's verb is about; none where it has no verb of change. */
export function outcomeOf(question: string): string[] {
  return contentStems(outcome.exec(question)?.[1] ?? "");
}

/**
 * Reads a question.
 * @throws UsageError where it has no word, or more than 2,000 characters.
 */
export function readQuestion(text: string): Question {
  if (typeof text !== "string" || text.length > mostCharacters) {
    throw new UsageError(`question: expected a text of at most ${mostCharacters} characters, got ${shown(text)}`);
  }
  const trimmed = text.replace(/\s+/g, " ").trim();
  const all = stemmedWords(trimmed);
  if (all.length === 0) {
    throw new UsageError(`question: expected words, got ${shown(text)}`);
  }
  const content = contentWords(trimmed);
  const byStem = new Map((content.length === 0 ? all : content).map(({ word, stem }) => [stem, word]));
  const stems = [...byStem.keys()].slice(0, mostWords);
  const words = stems.map((stem) => byStem.get(stem)!);
  const last = trimmed.split(/(?<=[.?!])\s+/).at(-1)!;
  const kind = !open.test(last) && whether.test(last) ? "whether" : "what";
  const asksOf = kind === "whether" ? outcomeOf(trimmed) : [];
  return { text: trimmed, kind, words, stems, focus: focusOf(trimmed), outcome: asksOf, query: words.join(" ") };
}

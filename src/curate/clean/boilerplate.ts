/**
 * Rules on what publishers, databases and page layout put between the lines: whole lines by what they say, and rights at a
 * text's end. English. A line is only taken where all of it is such; what is in a sentence of the text's own stays.
 */
import { replaceAll, type CleanRule } from "./rule.ts";

/** Whole lines of at most 300 characters. */
const line = (pattern: string): RegExp => new RegExp(`^[ \\t]*(?:${pattern})[ \\t]*(?:\\n|$)`, "gim");

const holder =
  "(?:Inc|Ltd|LLC|GmbH|B\\.?V|Elsevier|Wiley|Springer|Karger|Blackwell|Lippincott|Williams & Wilkins|Wolters Kluwer|Taylor & Francis|Informa|Sage|Oxford|Cambridge|Nature|Macmillan|Thieme|Dove|Hindawi|BMJ|Mosby|Saunders|Academic Press|University Press|Publish\\w*|Press|Verlag|Societ\\w+|Associat\\w+|College|Academy|Institut\\w+|Foundation|Federation|Organi[sz]ation|Council|Union|Journals?|Authors?|APA|IEEE|rights reserved)";
const rights = `(?:(?:Copyright|Crown copyright)[ :]*(?:©|\\(c\\))?|©|\\(c\\))[ ,]*(?:The Author\\S*[ ,]*|the[ ,]+)?(?:19|20)\\d\\d`;

interface LineRule {
  readonly name: string;
  readonly about: string;
  /** Lines, or what may stand anywhere. */
  readonly patterns: readonly RegExp[];
  /** What may stand at a text's end. */
  readonly ends?: readonly RegExp[];
}

/** Longest end that is looked at. */
const longestEnd = 600;

const lineRules: readonly LineRule[] = [
  {
    name: "copyright",
    about: "lines on rights, and rights at a text's end",
    patterns: [
      line(`${rights}[^\\n]{0,250}`),
      line("(?:\\(?copyright[^\\n]{0,100})?all rights reserved[.;)]*(?:[^\\n]{0,80})?"),
      line("this is an open[- ]access article[^\\n]{0,400}"),
      line("this (?:article|work) is (?:distributed|licensed|published) under [^\\n]{0,400}licen[cs]e[^\\n]{0,200}"),
    ],
    ends: [
      new RegExp(
        `(?<![ \\t])[ \\t]*\\(?(?:Published by [^\\n.]{2,60}\\. ?)?${rights}[^\\n]{0,120}?\\b${holder}\\b[^\\n]{0,80}$`,
        "gi",
      ),
      /(?<![ \t])[ \t]*\(?(?:PsycINFO|PsycInfo) Database Record[^\n]{0,200}$/g,
      /(?<=[.?!)])[ \t]*All rights reserved\.?[ \t]*$/gi,
    ],
  },
  {
    name: "truncation",
    about: '"(ABSTRACT TRUNCATED AT 250 WORDS)" and its like',
    patterns: [/(?<![ \t])[ \t]*\(?\bABSTRACT TRUNCATED(?: AT \d+ WORDS)?\)?\.?/g],
  },
  {
    name: "downloads",
    about: "lines that say who downloaded a text, and where",
    patterns: [
      line("downloaded (?:from|by|on) [^\\n]{0,250}"),
      line("(?:author manuscript|nih-pa author manuscript|for personal use only)[.;]?(?:[^\\n]{0,80})?"),
      line("(?:this article has been )?(?:downloaded|accessed) \\d+ times[^\\n]{0,80}"),
    ],
  },
  {
    name: "view-lines",
    about: "lines that send the reader elsewhere: to view, to cite, to click",
    patterns: [
      line("to view (?:this|the) (?:article|figure|table|video|full)[^\\n]{0,250}"),
      line("(?:view|read) (?:this|the full) article (?:on|at|online)[^\\n]{0,200}"),
      line("(?:please )?click here (?:for|to)[^\\n]{0,150}"),
      line("(?:please )?cite this article as:?[^\\n]{0,350}"),
      line(
        "skip to (?:main )?content|jump to navigation|back to top|sign in|log ?in|share this (?:page|article)[^\\n]{0,60}",
      ),
      line("for additional data file[^\\n]{0,80}|\\(?pdf\\)?|\\(?\\d+ ?[km]b (?:pdf|docx?|xlsx?)\\)?"),
    ],
  },
  {
    name: "page-numbers",
    about: '"Page 3 of 12", "- 3 -" and "3 | Page" on lines of their own',
    patterns: [
      line(
        "page \\d{1,4}(?: (?:of|/) ?\\d{1,4})?|[-–—] ?\\d{1,4} ?[-–—]|\\d{1,4} ?\\| ?p ?a ?g ?e|\\(page number not for citation purposes\\)",
      ),
    ],
  },
];

export const boilerplateRules: readonly CleanRule[] = lineRules.map(({ name, about, patterns, ends = [] }) => ({
  name,
  about,
  proseOnly: true,
  apply(text) {
    let cleaned = { text, count: 0 };
    for (const pattern of patterns) {
      const once = replaceAll(cleaned.text, pattern, () => "");
      cleaned = { text: once.text, count: cleaned.count + once.count };
    }
    for (const pattern of ends) {
      const start = Math.max(0, cleaned.text.length - longestEnd);
      const once = replaceAll(cleaned.text.slice(start), pattern, () => "");
      if (once.count > 0)
        cleaned = { text: cleaned.text.slice(0, start) + once.text, count: cleaned.count + once.count };
    }
    return cleaned;
  },
}));

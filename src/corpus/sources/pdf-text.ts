/**
 * Pages of lines as a paper's title and sections: running heads and page numbers go, lines become paragraphs, words that a line
 * end broke are whole again (with their hyphen where the paper writes them so elsewhere), headings are found by their size or by
 * what papers call their sections.
 */
import type { CorpusSection, SectionKind } from "../corpus-document.ts";
import { section } from "./events.ts";
import type { Line } from "./pdf-layout.ts";

export interface PdfPage {
  readonly height: number;
  readonly lines: readonly Line[];
}

const ligatures: Readonly<Record<string, string>> = { ﬀ: "ff", ﬁ: "fi", ﬂ: "fl", ﬃ: "ffi", ﬄ: "ffl", ﬅ: "st", ﬆ: "st" };

export function withoutLigatures(text: string): string {
  return text.replace(/[\uFB00-\uFB06]/g, (character) => ligatures[character]!).replaceAll("\u00AD", "-");
}

const pageNumber = /^(?:page\s*)?[-–—]?\s*(?:\d{1,5}|[ivxl]{1,6})\s*[-–—]?(?:\s*(?:of|\/)\s*\d{1,5})?$/i;

/** Lines without running heads and feet: what stands at the top or bottom of several pages, but for its numbers. */
export function withoutRunningHeads(pages: readonly PdfPage[]): Line[][] {
  const isAtEdge = ({ y }: Line, { height }: PdfPage): boolean => y > 0.9 * height || y < 0.08 * height;
  const key = ({ text, y }: Line): string => `${Math.round(y / 8)} ${text.replace(/\d+/g, "#").toLowerCase()}`;
  const counts = new Map<string, number>();
  for (const page of pages) {
    for (const one of new Set(page.lines.filter((line) => isAtEdge(line, page)).map(key)))
      counts.set(one, (counts.get(one) ?? 0) + 1);
  }
  const least = Math.max(2, 0.25 * pages.length);
  return pages.map((page) =>
    page.lines.filter(
      (line) => !isAtEdge(line, page) || (!pageNumber.test(line.text) && (counts.get(key(line)) ?? 0) < least),
    ),
  );
}

const known =
  /^(?:\d{1,2}(?:\.\d{1,2})*\.?\s+|[IVX]+\.\s+)?(abstract|summary|introduction|background|(?:patients|materials?|subjects) and methods|methods?|methodology|results|results and discussion|discussion|conclusions?|limitations|acknowledge?ments?|references|bibliography|literature cited|funding|competing interests|conflicts? of interests?|author contributions|supplementary (?:material|information)|appendix(?: [A-Z\d])?)[:.]?$/i;

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

interface Paragraph {
  text: string;
  readonly height: number;
  lines: number;
  readonly first: Line;
}

/** Words as the paper writes them, for what a hyphen at a line's end means. */
function wordsIn(lines: readonly Line[]): Set<string> {
  const words = new Set<string>();
  for (const { text } of lines) {
    for (const [word] of text.slice(0, text.lastIndexOf(" ") + 1).matchAll(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu))
      words.add(word.toLowerCase());
  }
  return words;
}

/** A line behind a text. */
function joined(before: string, line: string, words: ReadonlySet<string>): string {
  const broken = /([\p{L}\p{N}]+)[-‐]$/u.exec(before)?.[1];
  const next = /^\p{Ll}[\p{L}\p{N}]*/u.exec(line)?.[0];
  if (broken === undefined || next === undefined)
    return /[-‐–/]$/u.test(before) && /^\S/.test(line) && broken !== undefined ? before + line : `${before} ${line}`;
  const keepsHyphen = words.has(`${broken}-${next}`.toLowerCase()) && !words.has((broken + next).toLowerCase());
  return keepsHyphen ? before + line : before.slice(0, -1) + line;
}

const isHeadingText = (text: string): boolean => text.length <= 120 && /\p{L}/u.test(text) && !/[,;]$/.test(text);

/** Paragraphs of all pages: one goes on over a column's or a page's end where no sentence ends there. */
export function paragraphsOf(pages: readonly (readonly Line[])[]): { paragraphs: Paragraph[]; body: number } {
  const all = pages.flat();
  // By characters, since headings have few.
  const body = middle(
    all.flatMap(({ height, text }) => Array.from({ length: Math.ceil(text.length / 20) }, () => height)),
  );
  const words = wordsIn(all);
  const leadings = pages.flatMap((lines) =>
    lines.slice(1).flatMap((line, i) => (lines[i]!.block === line.block ? [lines[i]!.y - line.y] : [])),
  );
  const leading = middle(leadings.filter((step) => step > 0)) || 1.2 * body;
  const found: Paragraph[] = [];
  let last: Line | undefined;
  let [left, right] = [0, 0];
  for (const [number, lines] of pages.entries()) {
    for (const line of lines) {
      const current = found.at(-1);
      const isSameBlock = last !== undefined && last.block === line.block && lines.includes(last);
      if (!isSameBlock) {
        const own = lines.filter((one) => one.block === line.block);
        [left, right] = [Math.min(...own.map((one) => one.left)), Math.max(...own.map((one) => one.right))];
      }
      const isOtherSize = current !== undefined && Math.abs(line.height - last!.height) > 0.1 * body;
      const endsSentence = /[.!?:]["'”’)\]]?$/.test(current?.text ?? "");
      const wasShort = last !== undefined && last.right < right - 0.12 * (right - left);
      const isIndented = line.left > left + 0.8 * line.height && line.left < left + 4 * line.height;
      const isHeading = current !== undefined && current.height > 1.1 * body;
      const step = last !== undefined && lines.includes(last) ? last.y - line.y : 0;
      const starts =
        current === undefined ||
        isOtherSize ||
        known.test(line.text) ||
        known.test(current.text) ||
        (isHeading
          ? !(step > 0 && step < 1.7 * line.height)
          : isSameBlock
            ? step > 1.4 * leading || (endsSentence && (wasShort || isIndented))
            : endsSentence || (/^[\p{Lu}\d•]/u.test(line.text) && !/[,;]$/.test(current.text)));
      if (starts) found.push({ text: line.text, height: line.height, lines: 1, first: line });
      else {
        current.text = joined(current.text, line.text, words);
        current.lines += 1;
      }
      last = line;
    }
    if (number > 0 && lines.length === 0) last = undefined;
  }
  return { paragraphs: found, body };
}

const kindOf = (title: string): SectionKind =>
  /^\W*(?:\d+\.?\s+)?(?:abstract|summary)\b/i.test(title)
    ? "abstract"
    : /^\W*(?:\d+\.?\s+)?(?:references|bibliography|literature cited)\b/i.test(title)
      ? "reference"
      : "text";

/** Title and sections of a paper's pages. */
export function paperOf(pages: readonly PdfPage[]): { title: string; sections: CorpusSection[] } {
  const { paragraphs, body } = paragraphsOf(withoutRunningHeads(pages));
  const first = paragraphs.filter(({ first }) => pages[0]?.lines.includes(first) === true);
  const largest = Math.max(0, ...first.map(({ height }) => height));
  const heading =
    largest > 1.15 * body ? first.find(({ height, text }) => height === largest && /\p{L}{2}/u.test(text)) : undefined;
  const sections: CorpusSection[] = [];
  let title = "";
  let texts: string[] = [];
  const close = (): void => {
    sections.push(...section(title, kindOf(title), texts));
    texts = [];
  };
  for (const paragraph of paragraphs) {
    if (paragraph === heading) continue;
    const { text, height, lines } = paragraph;
    if (known.test(text) || (height > 1.12 * body && lines <= 3 && isHeadingText(text))) {
      close();
      title = text.replace(/[:.]$/, "");
    } else texts.push(text);
  }
  close();
  return { title: heading?.text ?? "", sections };
}

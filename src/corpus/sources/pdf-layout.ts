/**
 * Text on a page in reading order: pieces of text become lines, and a page is cut along its white space, between columns where
 * a gap runs all the way down and else across at the widest gap (recursive XY-cut, Nagy and Seth 1984). Left out: text that
 * is not set from left to right, and tables as tables.
 */

/** A piece of text as a PDF places it; y grows upwards, from the baseline. */
export interface Piece {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Of the font. */
  readonly height: number;
}

export interface Line {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly y: number;
  readonly height: number;
  /** Text of this block goes on in no other: which one it is, in reading order. */
  readonly block: number;
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** Gaps between intervals, widest first. */
function gapsOf(intervals: readonly (readonly [start: number, end: number])[]): { start: number; end: number }[] {
  const sorted = intervals.toSorted((a, b) => a[0] - b[0]);
  const gaps: { start: number; end: number }[] = [];
  let end = sorted[0]?.[1] ?? 0;
  for (const [from, to] of sorted) {
    if (from > end) gaps.push({ start: end, end: from });
    end = Math.max(end, to);
  }
  return gaps.toSorted((a, b) => b.end - b.start - (a.end - a.start));
}

const rightOf = ({ x, width }: Piece): number => x + width;

/** Whether pieces are a column of text: rows of them, most of which fill its width, as those of tables do not. */
function isColumn(pieces: readonly Piece[]): boolean {
  const rows = rowsOf(pieces);
  if (rows.length < 3) return false;
  const left = Math.min(...pieces.map(({ x }) => x));
  const right = Math.max(...pieces.map(rightOf));
  const full = rows.filter((row) => rightOf(row.at(-1)!) - row[0]!.x > 0.6 * (right - left));
  return full.length >= rows.length / 2;
}

/** Pieces on a common baseline, from left to right; rows from top to bottom. */
function rowsOf(pieces: readonly Piece[]): Piece[][] {
  const rows: Piece[][] = [];
  for (const piece of pieces.toSorted((a, b) => b.y - a.y || a.x - b.x)) {
    const row = rows.at(-1);
    const first = row?.[0];
    // Raised and lowered figures stand less than half a line away.
    if (
      first !== undefined &&
      first.y - piece.y < 0.5 * Math.min(Math.max(first.height, 1), Math.max(piece.height, 1)) + 0.5
    ) {
      row!.push(piece);
    } else rows.push([piece]);
  }
  return rows.map((row) => row.toSorted((a, b) => a.x - b.x));
}

/** Text of a row: a space where pieces stand apart. */
function rowText(row: readonly Piece[]): string {
  let text = "";
  let end = row[0]!.x;
  for (const piece of row) {
    const isApart = piece.x - end > 0.15 * piece.height;
    text += isApart && !text.endsWith(" ") && !piece.text.startsWith(" ") ? ` ${piece.text}` : piece.text;
    end = rightOf(piece);
  }
  return text.replace(/\s+/g, " ").trim();
}

/** Blocks of pieces in reading order. */
function blocksOf(pieces: readonly Piece[], depth: number): Piece[][] {
  if (pieces.length < 2 || depth > 24) return [[...pieces]];
  const height = middle(pieces.map((piece) => piece.height));
  const column = gapsOf(pieces.map((piece) => [piece.x, rightOf(piece)])).find(({ start, end }) => {
    if (end - start < Math.max(0.8 * height, 5)) return false;
    const [left, right] = [pieces.filter(({ x }) => x < start), pieces.filter(({ x }) => x >= end)];
    return isColumn(left) && isColumn(right);
  });
  if (column !== undefined) {
    const left = pieces.filter(({ x }) => x < column.start);
    const right = pieces.filter(({ x }) => x >= column.end);
    return [...blocksOf(left, depth + 1), ...blocksOf(right, depth + 1)];
  }
  const across = gapsOf(pieces.map((piece) => [piece.y - 0.2 * piece.height, piece.y + 0.8 * piece.height]));
  const gap = across.find(({ start, end }) => end - start > 0.3 * height);
  if (gap === undefined) return [[...pieces]];
  const above = pieces.filter(({ y, height }) => y - 0.2 * height >= gap.end - 1e-6);
  const below = pieces.filter(({ y, height }) => y - 0.2 * height < gap.end - 1e-6);
  return [...blocksOf(above, depth + 1), ...blocksOf(below, depth + 1)];
}

/** The lines of a page in reading order. */
export function linesOf(pieces: readonly Piece[]): Line[] {
  const some = pieces.filter(({ text }) => text.trim() !== "");
  return blocksOf(some, 0).flatMap((block, index) =>
    rowsOf(block).map((row) => ({
      text: rowText(row),
      left: row[0]!.x,
      right: rightOf(row.at(-1)!),
      y: row[0]!.y,
      height: Math.max(...row.map((piece) => piece.height)),
      block: index,
    })),
  );
}

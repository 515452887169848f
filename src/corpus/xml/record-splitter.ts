/**
 * Cuts an XML byte stream at record boundaries without parsing it, so that one bad record costs only itself and memory
 * stays flat. Records are the elements that a format names, such as PubMed's PubmedArticle; they do not nest, sets of them
 * may stand around them, and whole documents after one another (USPTO's files). Tags inside comments and CDATA do not count. What stands between records is checked, so that nothing is lost silently.
 * A comment or CDATA section that a record does not close before its end tag is taken as unclosed: the record fails.
 */
import { Buffer } from "node:buffer";

/** Part of a stream that holds whole records; `ranges` are pairs of start and end in `buffer`. */
export interface RecordBlock {
  readonly buffer: Buffer<ArrayBuffer>;
  /** Position of `buffer` in the uncompressed stream. */
  readonly offset: number;
  readonly ranges: number[];
}

export interface SplitFailure {
  readonly offset: number;
  readonly message: string;
}

export interface SplitterOptions {
  /** Bytes gathered before a block is cut. */
  readonly blockBytes?: number;
  /** A larger record is reported and skipped. */
  readonly recordLimit?: number;
}

type Found =
  | { kind: "record"; at: number; end: number }
  | { kind: "skip"; end: number }
  | { kind: "more"; from: number };

/** What a format's files consist of. */
export interface RecordNames {
  /** As messages name the format: "PubMed". */
  readonly format: string;
  /** Elements that are records, at most 30 characters each. */
  readonly records: readonly string[];
  /** Elements that may hold records. */
  readonly sets: readonly string[];
}

/** Enough bytes to tell any tag that matters from any other. */
const lookahead = 32;

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}

function isNameEnd(byte: number | undefined): boolean {
  return isSpace(byte) || byte === 62 || byte === 47;
}

/**
 * A buffer and what is known of where things stand in it: each search goes on where the last one for the same thing
 * ended, so that however many records lack their end tags the whole of it takes one pass.
 */
interface Searched {
  readonly buffer: Buffer;
  /** "<" and name of each kind of record. */
  readonly starts: readonly string[];
  /** What was sought: there is none in [from, at), and one at `at` unless that is the end. */
  readonly known: Map<string, { from: number; at: number }>;
}

/** Where `next` first finds something from `from` on, by what is known of `what`; the buffer's length where nowhere. */
function seek({ buffer, known }: Searched, what: string, from: number, next: (from: number) => number): number {
  const last = known.get(what);
  if (last !== undefined && from >= last.from && from <= last.at) return last.at;
  const found = next(from);
  const at = found < 0 ? buffer.length : found;
  known.set(what, { from, at: last !== undefined && from < last.from && at >= last.from ? last.at : at });
  return at;
}

/** Position of `text` from `from` on; -1 where there is none. */
function findText(searched: Searched, text: string, from: number): number {
  const at = seek(searched, text, from, (start) => searched.buffer.indexOf(text, start, "latin1"));
  return at === searched.buffer.length ? -1 : at;
}

/** Position of the tag `<name` or `</name` in [from, to), as a whole name; -1 where there is none. */
function findTag(searched: Searched, tag: string, from: number, to: number): number {
  const { buffer } = searched;
  const at = seek(searched, tag, from, (start) => {
    for (let at = buffer.indexOf(tag, start); at >= 0; at = buffer.indexOf(tag, at + 1)) {
      if (isNameEnd(buffer[at + tag.length])) return at;
    }
    return -1;
  });
  return at < to ? at : -1;
}

/** Position of "<!" in [from, to); -1 where there is none. "!" is rare, "<" is not. */
function findDeclaration(searched: Searched, from: number, to: number): number {
  const { buffer } = searched;
  const at = seek(searched, "<!", from, (start) => {
    for (let at = buffer.indexOf(33, start); at >= 0; at = buffer.indexOf(33, at + 1)) {
      if (at > start && buffer[at - 1] === 60) return at - 1;
    }
    return -1;
  });
  return at < to ? at : -1;
}

/** First record start tag in [from, to), or `to`. */
function nextStart(searched: Searched, from: number, to: number): number {
  let nearest = to;
  for (const tag of searched.starts) {
    const at = findTag(searched, tag, from, nearest);
    if (at >= 0) nearest = at;
  }
  return nearest;
}

/** End of a DOCTYPE with its internal subset, quotes and comments observed; -1 where it is not closed. */
function doctypeEnd(buffer: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < buffer.length; at++) {
    const byte = buffer[at];
    if (byte === 34 || byte === 39) {
      at = buffer.indexOf(byte, at + 1);
      if (at < 0) return -1;
    } else if (byte === 60 && buffer.subarray(at, at + 4).equals(Buffer.from("<!--"))) {
      at = buffer.indexOf("-->", at + 4) + 2;
      if (at < 2) return -1;
    } else if (byte === 91) depth++;
    else if (byte === 93) depth--;
    else if (byte === 62 && depth <= 0) return at + 1;
  }
  return -1;
}

/**
 * End (exclusive) of the record that starts at `start`, and whether it has its end tag. A record without one stops
 * before the next record; "more": the buffer ends first.
 */
function recordEnd(
  searched: Searched,
  start: number,
  name: string,
  final: boolean,
): { end: number; closed: boolean } | "more" {
  const { buffer } = searched;
  const close = `</${name}`;
  let from = start + 1;
  for (;;) {
    const end = findTag(searched, close, from, buffer.length);
    const limit = end < 0 ? buffer.length : end;
    const own = findTag(searched, `<${name}`, from, limit);
    const at = findDeclaration(searched, from, own < 0 ? limit : own);
    if (at < 0) {
      if (own >= 0) return { end: nextStart(searched, from, own), closed: false };
      if (end < 0) return "more";
      const bracket = findText(searched, ">", end);
      return bracket < 0 ? "more" : { end: bracket + 1, closed: true };
    }
    const cdata = buffer.subarray(at, at + 9).toString("latin1") === "<![CDATA[";
    const comment = !cdata && buffer.subarray(at, at + 4).toString("latin1") === "<!--";
    if (!cdata && !comment) {
      from = at + 2;
      continue;
    }
    const stop = findText(searched, cdata ? "]]>" : "-->", at + 4);
    const boundary = own < 0 ? limit : own;
    const swallows = stop > boundary && own < 0 && nextStart(searched, boundary, stop) < stop;
    if (swallows || (stop < 0 && final && end >= 0)) from = boundary;
    else if (stop < 0) return "more";
    else from = stop + 3;
  }
}

/** Splits one stream. `scan` takes the bytes so far unread and says how many it used. */
function createScanner({ format, records: recordNames, sets }: RecordNames, recordLimit: number) {
  const starts = recordNames.map((name) => `<${name}`);
  const recordTag = new RegExp(`^<(${recordNames.join("|")})[\\s>/]`);
  // Without sets nothing is one.
  const setTag = sets.length === 0 ? /(?!)/ : new RegExp(`^</?(?:${sets.join("|")})[\\s>/]`);
  const failures: SplitFailure[] = [];
  let sawSet = false;
  let setClosed = false;
  let records = 0;
  let failed = false;
  let junk = false;
  let skipping = false;
  let openDoctype = false;
  let base = 0;

  const fail = (at: number, message: string): void => {
    failed = true;
    failures.push({ offset: base + at, message });
  };
  const reportJunk = (buffer: Buffer, at: number): void => {
    if (junk) return;
    junk = true;
    const sample = JSON.stringify(buffer.subarray(at, at + 40).toString("utf8"));
    fail(at, `expected ${format} records, got ${sample} between them`);
  };

  /** A construct that ends with `end` (-1: not in the buffer yet). */
  function construct(buffer: Buffer, at: number, end: number, final: boolean, what: string): Found {
    if (end >= 0) return { kind: "skip", end };
    if (!final && buffer.length - at <= recordLimit) return { kind: "more", from: at };
    fail(at, `${what} is not closed`);
    return { kind: "skip", end: at + 2 };
  }

  function after(position: number, length: number): number {
    return position < 0 ? -1 : position + length;
  }

  function record(searched: Searched, at: number, name: string, final: boolean): Found {
    const { buffer } = searched;
    const last = final || buffer.length - at > recordLimit;
    const found = recordEnd(searched, at, name, last);
    if (found === "more") {
      if (!last) return { kind: "more", from: at };
      const next = nextStart(searched, at + 1, buffer.length);
      skipping = !final && next === buffer.length;
      const size = `record larger than ${recordLimit} bytes`;
      fail(at, final ? `${name} has no end tag: the record is cut short` : size);
      return { kind: "skip", end: next };
    }
    if (!found.closed) fail(at, `${name} has no end tag: the record is cut short`);
    else if (found.end - at > recordLimit) fail(at, `record larger than ${recordLimit} bytes`);
    else return { kind: "record", at, end: found.end };
    return { kind: "skip", end: found.end };
  }

  /** What stands at the "<" at `at`. */
  function markup(searched: Searched, at: number, final: boolean): Found {
    const { buffer } = searched;
    if (!final && buffer.length - at < lookahead) return { kind: "more", from: at };
    const head = buffer.subarray(at, at + lookahead).toString("latin1");
    const name = recordTag.exec(head)?.[1];
    if (name !== undefined) return record(searched, at, name, final);
    if (head.startsWith("<!--")) {
      return construct(buffer, at, after(findText(searched, "-->", at + 4), 3), final, "a comment");
    }
    if (head.startsWith("<?")) {
      return construct(buffer, at, after(findText(searched, "?>", at + 2), 2), final, "a processing instruction");
    }
    // There is one; where it is not closed, what looks like others is not sought through again.
    if (head.startsWith("<!DOCTYPE") && !openDoctype) {
      const found = construct(buffer, at, doctypeEnd(buffer, at), final, "DOCTYPE");
      openDoctype = found.kind === "skip" && found.end === at + 2;
      return found;
    }
    if (setTag.test(head)) {
      if (head.startsWith("</")) setClosed = true;
      else sawSet = true;
      return construct(buffer, at, after(findText(searched, ">", at), 1), final, "a tag");
    }
    reportJunk(buffer, at);
    return { kind: "skip", end: at + 1 };
  }

  /** Skips the rest of a record that is too large; -1: all of the buffer belongs to it. */
  function skipRest(searched: Searched): number {
    const { buffer } = searched;
    const next = nextStart(searched, 0, buffer.length);
    let nearest = next;
    for (const name of recordNames) {
      const end = findTag(searched, `</${name}`, 0, nearest);
      if (end >= 0) nearest = buffer.indexOf(62, end) + 1 || buffer.length;
    }
    return nearest === buffer.length && nearest === next ? -1 : nearest;
  }

  function scan(buffer: Buffer, offset: number, final: boolean): { ranges: number[]; used: number } {
    base = offset;
    const searched = { buffer, starts, known: new Map() };
    const ranges: number[] = [];
    let position = 0;
    if (skipping) {
      position = skipRest(searched);
      if (position < 0) return { ranges, used: final ? buffer.length : Math.max(0, buffer.length - lookahead) };
      skipping = false;
    }
    while (position < buffer.length) {
      if (isSpace(buffer[position])) {
        position++;
        continue;
      }
      if (buffer[position] !== 60) {
        reportJunk(buffer, position);
        const next = buffer.indexOf(60, position);
        position = next < 0 ? buffer.length : next;
        continue;
      }
      const found = markup(searched, position, final);
      if (found.kind === "more") return { ranges, used: found.from };
      if (found.kind === "record") {
        ranges.push(found.at, found.end);
        records++;
        junk = false;
      }
      position = found.end;
      if (skipping) break;
    }
    return { ranges, used: skipping ? Math.max(0, buffer.length - lookahead) : position };
  }

  /** Call after the last `scan`: what the whole stream lacks. */
  function finish(offset: number): void {
    base = offset;
    if (sawSet && !setClosed) fail(0, "expected the set's end tag, got the end: the file is cut short");
    else if (!sawSet && records === 0 && !failed) fail(0, `expected ${format} XML, got no records`);
  }
  return { scan, finish, failures };
}

/** Why a stream that starts with `head` cannot be read; records are UTF-8. */
function encodingProblem(head: Buffer): string | undefined {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff) || head[1] === 0) {
    return "expected UTF-8, got UTF-16";
  }
  const declared = /^<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)["']/.exec(head.subarray(0, 200).toString("latin1"))?.[1];
  if (declared === undefined || /^(utf-?8|us-ascii)$/i.test(declared)) return undefined;
  return `expected UTF-8, got encoding ${JSON.stringify(declared)}`;
}

/** Cuts `chunks` into blocks of whole records; failures come where they are found. */
export async function* splitRecords(
  chunks: AsyncIterable<Uint8Array>,
  names: RecordNames,
  options: SplitterOptions = {},
): AsyncGenerator<RecordBlock | SplitFailure> {
  const { blockBytes = 4 << 20, recordLimit = 64 << 20 } = options;
  const scanner = createScanner(names, recordLimit);
  let parts: Uint8Array[] = [];
  let held = 0;
  let offset = 0;
  let first = true;

  function* drain(final: boolean): Generator<RecordBlock | SplitFailure, boolean> {
    let buffer = Buffer.from(new ArrayBuffer(held));
    let filled = 0;
    for (const part of parts) {
      buffer.set(part, filled);
      filled += part.length;
    }
    if (first && buffer.length > 0) {
      first = false;
      const problem = encodingProblem(buffer);
      if (problem !== undefined) {
        yield { offset: 0, message: problem };
        return false;
      }
      if (buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf) {
        buffer = buffer.subarray(3);
        offset = 3;
      }
    }
    const { ranges, used } = scanner.scan(buffer, offset, final);
    const rest = Buffer.from(buffer.subarray(used));
    if (ranges.length > 0) yield { buffer, offset, ranges };
    yield* scanner.failures.splice(0);
    parts = [rest];
    held = rest.length;
    offset += used;
    return true;
  }

  // The first block must hold the XML declaration.
  let nextDrain = Math.max(256, blockBytes);
  for await (const chunk of chunks) {
    // Cut at exact sizes, so that the blocks do not depend on how the stream delivers its bytes.
    for (let taken = 0; taken < chunk.length;) {
      const part = chunk.subarray(taken, taken + nextDrain - held);
      taken += part.length;
      held += part.length;
      parts.push(part);
      if (held < nextDrain) continue;
      if (!(yield* drain(false))) return;
      nextDrain = held + blockBytes;
    }
  }
  if (!(yield* drain(true))) return;
  scanner.finish(offset);
  yield* scanner.failures.splice(0);
}

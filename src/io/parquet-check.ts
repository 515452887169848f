/**
 * Checks of Parquet bytes before hyparquet decodes them: it believes every count and length that it meets, so that one
 * changed byte can keep it busy for hours, take all memory, or lose rows without a word. After these checks its work is
 * bounded by the limits below. Pages of versions 1 and 2 pass, plain, of dictionaries, in runs or differences; prefixes
 * shared by values (DELTA_BYTE_ARRAY) do not, since a small page of them can hold any number of long texts.
 */
import type { ColumnMetaData } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { DataError } from "../errors.ts";

/** Most bytes of a row group, packed or unpacked, and most values of its columns together. */
const groupLimits = { bytes: 256 << 20, values: 1 << 25 };
/** Most fields of a footer, a page's header aside. */
const thriftFields = 1 << 22;
const thriftDepth = 32;

/** A column of scalars, as deep as it lies in lists and structs. */
export interface Leaf {
  readonly path: readonly string[];
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** Bytes of a value, where all have as many. */
  readonly valueBytes?: number | undefined;
}

/** What the row group under way may still hold. */
export interface Budget {
  bytes: number;
  values: number;
}

export const newBudget = (): Budget => ({ ...groupLimits });

export type Inflate = (codec: string, input: Uint8Array, length: number) => Uint8Array;

function expect(holds: boolean, expected: string, got: unknown): void {
  if (!holds) throw new DataError(`expected ${expected}, got ${String(got)}`);
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Takes from what is left. @throws DataError where too little is. */
export function spend(budget: Budget, what: keyof Budget, count: number): void {
  if ((budget[what] -= count) >= 0) return;
  throw new DataError(`expected at most ${groupLimits[what]} ${what} in a row group, got more`, {
    hint: "write the file with smaller row groups (100,000 rows or fewer), or fewer columns",
  });
}

/** Walks a structure of Thrift's compact protocol at `start`. @throws DataError where it does not fit the bytes. */
export function checkThrift(view: DataView, start: number): void {
  let at = start;
  let fields = thriftFields;
  const advance = (count: number): number => {
    expect(count <= view.byteLength - at, "metadata that ends within the file", "a length beyond it");
    at += count;
    return at - count;
  };
  // hyparquet takes lengths from five bytes at most, and numbers of any length in quadratic time.
  const varint = (most: number): number => {
    let value = 0;
    for (let i = 0; i < most; i++) {
      const byte = view.getUint8(advance(1));
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    throw new DataError("expected a number in the metadata, got too many bytes");
  };
  const element = (type: number, depth: number): void => {
    expect(depth < thriftDepth && --fields >= 0, "metadata of bounded size", "more");
    if (type === 3) advance(1);
    else if (type === 4 || type === 5) varint(5);
    else if (type === 6) varint(10);
    else if (type === 7) advance(8);
    else if (type === 8) advance(varint(5));
    else if (type === 9) list(depth + 1);
    else if (type === 12) struct(depth + 1);
    else expect(type === 1 || type === 2, "a type that Parquet's metadata have", type);
  };
  const list = (depth: number): void => {
    const head = view.getUint8(advance(1));
    const size = head >> 4 === 15 ? varint(5) : head >> 4;
    expect(size <= view.byteLength - at, "a list within the metadata", `${size} elements`);
    const type = head & 15;
    for (let i = 0; i < size; i++) element(type === 1 || type === 2 ? 3 : type, depth);
  };
  const struct = (depth: number): void => {
    for (;;) {
      const head = view.getUint8(advance(1));
      if ((head & 15) === 0) return;
      if (head >> 4 === 0) varint(5);
      element(head & 15, depth);
    }
  };
  struct(0);
}

/** Gives `visit` the `count` numbers that `bytes` hold in runs of `width` bits each. */
function walkRuns(
  bytes: Uint8Array,
  width: number,
  count: number,
  visit: (value: number, times: number) => void,
): void {
  let at = 0;
  let left = count;
  const next = (): number => {
    expect(at < bytes.length, "runs as long as the page", "shorter ones");
    return bytes[at++]!;
  };
  while (left > 0) {
    let header = 0;
    for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
      expect(shift < 28, "a run's length", "too many bytes");
      byte = next();
      header |= (byte & 127) << shift;
    }
    const size = header >> 1;
    if ((header & 1) === 0) {
      expect(size > 0 && size <= left, `a run of 1 to ${left} values`, size);
      let value = 0;
      for (let shift = 0; shift < width; shift += 8) value |= next() << shift;
      visit(value, size);
      left -= size;
      continue;
    }
    // DuckDB fills its last run up to 256 values; values of no bits would be free to claim any number.
    expect(size > 0 && (width > 0 || (size - 1) * 8 < left), `packed values for ${left}`, size * 8);
    const end = at + size * width;
    expect(end <= bytes.length, "runs as long as the page", "shorter ones");
    const here = Math.min(left, size * 8);
    for (let i = 0, bits = 0, held = 0; i < here; i++) {
      for (; held < width; held += 8) bits += bytes[at++]! * 2 ** held;
      visit(bits % 2 ** width, 1);
      bits = Math.floor(bits / 2 ** width);
      held -= width;
    }
    at = end;
    left -= here;
  }
}

const bitsFor = (most: number): number => 32 - Math.clz32(most);

/** Counts of levels below `most`, and at 0. @throws DataError for a level above. */
function countLevels(bytes: Uint8Array, most: number, count: number): { below: number; zeros: number; first: number } {
  const found = { below: 0, zeros: 0, first: -1 };
  walkRuns(bytes, bitsFor(most), count, (level, times) => {
    expect(level <= most, `levels up to ${most}`, level);
    if (found.first < 0) found.first = level;
    if (level < most) found.below += times;
    if (level === 0) found.zeros += times;
  });
  return found;
}

type Header = ReturnType<typeof parquetHeader>;

interface Page<H> {
  readonly bytes: Uint8Array;
  readonly plain: number;
  readonly header: H;
}

/** How a column's pages are packed, and how many entries its dictionary has. */
interface Packing {
  readonly codec: string;
  readonly dictionary: number;
  readonly inflate: Inflate;
}

interface Counts {
  readonly rows: number;
  readonly values: number;
}

/** Rows and values of a data page of version 1, which is packed as a whole and says how long its levels are. */
function checkOldPage(
  { bytes, plain, header }: Page<NonNullable<Header["data_page_header"]>>,
  leaf: Leaf,
  { codec, dictionary, inflate }: Packing,
): Counts {
  const { num_values: values, encoding } = header;
  expect(isCount(values) && values <= groupLimits.values, `at most ${groupLimits.values} values in a page`, values);
  const page = inflate(codec, bytes, plain);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  const levels = (most: number): ReturnType<typeof countLevels> | undefined => {
    if (most === 0) return undefined;
    expect(at + 4 <= page.length, "levels within the page", "too few bytes");
    const end = at + 4 + view.getUint32(at, true);
    expect(end <= page.length, "levels within the page", `${end} bytes`);
    const found = countLevels(page.subarray(at + 4, end), most, values);
    at = end;
    return found;
  };
  const repetition = levels(leaf.maxRepetition);
  expect(values === 0 || (repetition?.first ?? 0) === 0, "a page that begins with a row", "one within a row");
  const present = values - (levels(leaf.maxDefinition)?.below ?? 0);
  checkValues(page.subarray(at), encoding, present, { dictionary, valueBytes: leaf.valueBytes });
  return { rows: repetition?.zeros ?? values, values };
}

/** @throws DataError where `present` values are not encoded in a way that takes bounded time and memory to read. */
function checkValues(
  page: Uint8Array,
  encoding: string,
  present: number,
  { dictionary, valueBytes = NaN }: { readonly dictionary: number; readonly valueBytes: number | undefined },
): void {
  if (encoding === "PLAIN" || present === 0) return;
  if (encoding === "RLE") return walkRuns(page.subarray(4), 1, present, () => {});
  if (encoding === "DELTA_BINARY_PACKED" || encoding === "DELTA_LENGTH_BYTE_ARRAY") return checkDifferences(page);
  if (encoding === "BYTE_STREAM_SPLIT") {
    return expect(page.length === present * valueBytes, `${present} values of ${valueBytes} bytes`, page.length);
  }
  expect(/^(?:RLE|PLAIN)_DICTIONARY$/.test(encoding), "pages that are plain, runs, or of a dictionary", encoding);
  const width = page[0] ?? 64;
  expect(width <= 25, "places in a dictionary of at most 25 bits", width);
  if (width === 0) return expect(dictionary > 0, "a dictionary before the data", "none");
  walkRuns(page.subarray(1), width, present, (index) => {
    expect(index < dictionary, `places within a dictionary of ${dictionary}`, index);
  });
}

/** The sizes at the head of packed differences: as many bytes are allocated a block as it has parts. */
function checkDifferences(page: Uint8Array): void {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let i = 0; i < 4; i++) {
      const byte = page[at++] ?? 0;
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return value;
    }
    return Infinity;
  };
  const [size, parts] = [varint(), varint()];
  const isUsual = size > 0 && size <= 1 << 16 && parts > 0 && parts <= 512 && size % parts === 0;
  expect(isUsual, "differences in blocks of at most 65536 values and 512 parts", `${size} and ${parts}`);
}

/** Rows and values of a data page of version 2. */
function checkDataPage(
  { bytes, plain, header }: Page<NonNullable<Header["data_page_header_v2"]>>,
  { maxDefinition, maxRepetition, valueBytes }: Leaf,
  { codec, dictionary, inflate }: Packing,
): Counts {
  const { num_values: values, num_nulls: nulls, encoding } = header;
  const { repetition_levels_byte_length: first, definition_levels_byte_length: second } = header;
  expect(isCount(values) && values <= groupLimits.values, `at most ${groupLimits.values} values in a page`, values);
  expect(isCount(nulls) && nulls <= values, `at most ${values} nulls in a page`, nulls);
  const levels = isCount(first) && isCount(second) ? first + second : Infinity;
  expect(levels <= Math.min(bytes.length, plain), "levels within the page", `${levels} bytes`);
  const repetition = maxRepetition === 0 ? undefined : countLevels(bytes.subarray(0, first), maxRepetition, values);
  expect(values === 0 || (repetition?.first ?? 0) === 0, "a page that begins with a row", "one within a row");
  const { below } =
    maxDefinition === 0 ? { below: 0 } : countLevels(bytes.subarray(first, levels), maxDefinition, values);
  expect(below === nulls, `${nulls} nulls as the page says`, below);
  const counts = { rows: repetition?.zeros ?? values, values };
  if (encoding === "PLAIN") return counts;
  const packed = bytes.subarray(levels);
  const page = header.is_compressed === false ? packed : inflate(codec, packed, plain - levels);
  checkValues(page, encoding, values - nulls, { dictionary, valueBytes });
  return counts;
}

/** @throws DataError where the pages of a column of a row group are not what hyparquet can be trusted with. */
export function checkChunk(
  bytes: Uint8Array,
  leaf: Leaf,
  { codec, num_values: expected }: Pick<ColumnMetaData, "codec" | "num_values">,
  { rows, budget, inflate }: { rows: number; budget: Budget; inflate: Inflate },
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = { view, offset: 0 };
  const total = { rows: 0, values: 0 };
  let dictionary = 0;
  while (reader.offset < bytes.length) {
    checkThrift(view, reader.offset);
    const { type, compressed_page_size: packed, uncompressed_page_size: plain, ...header } = parquetHeader(reader);
    const left = bytes.length - reader.offset;
    expect(isCount(packed) && packed <= left, `a page of at most ${left} bytes`, packed);
    expect(isCount(plain), "an uncompressed size of a page", plain);
    spend(budget, "bytes", plain);
    const page = bytes.subarray(reader.offset, reader.offset + packed);
    reader.offset += packed;
    if (type === "DICTIONARY_PAGE") {
      dictionary = header.dictionary_page_header?.num_values ?? -1;
      // Every entry takes four bytes or more.
      expect(isCount(dictionary) && dictionary * 4 <= plain, `a dictionary within ${plain} bytes`, dictionary);
      expect(total.values === 0, "a dictionary before the data", "one after them");
      continue;
    }
    const { data_page_header: v1, data_page_header_v2: v2 } = header;
    const packing = { codec, dictionary, inflate };
    let found: Counts;
    if (type === "DATA_PAGE" && v1 !== undefined)
      found = checkOldPage({ bytes: page, plain, header: v1 }, leaf, packing);
    else if (type === "DATA_PAGE_V2" && v2 !== undefined) {
      found = checkDataPage({ bytes: page, plain, header: v2 }, leaf, packing);
    } else throw new DataError(`expected data pages, got ${String(type)}`);
    spend(budget, "values", found.values);
    total.rows += found.rows;
    total.values += found.values;
  }
  expect(total.rows === rows, `${rows} rows`, total.rows);
  expect(total.values === Number(expected), `${expected} values`, total.values);
}

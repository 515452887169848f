/** What each pickle opcode does to the machine of `pickle.ts` (CPython, Lib/pickletools.py, in its order of groups). */
import { describe, type Machine, type PickleGlobal, type PickleObject, type PickleValue } from "./pickle-values.ts";

interface Operation {
  readonly name: string;
  readonly run: (machine: Machine) => void;
}

const longLimit = 1024; // bytes of an integer

function take(machine: Machine, length: number): Uint8Array {
  const left = machine.bytes.length - machine.at;
  if (length > left) machine.fail(`expected ${length} bytes, got ${left}`, "the file is truncated or damaged");
  machine.at += length;
  return machine.bytes.subarray(machine.at - length, machine.at);
}

const littleEndian =
  (size: 1 | 2 | 4 | 8) =>
  (machine: Machine): number => {
    take(machine, size);
    const at = machine.at - size;
    if (size === 1) return machine.view.getUint8(at);
    if (size === 2) return machine.view.getUint16(at, true);
    if (size === 4) return machine.view.getUint32(at, true);
    return Number(machine.view.getBigUint64(at, true));
  };
const [byte1, byte2, byte4, byte8] = [littleEndian(1), littleEndian(2), littleEndian(4), littleEndian(8)];

function line(machine: Machine): string {
  const end = machine.bytes.indexOf(10, machine.at);
  if (end < 0) return machine.fail("expected a line, got no line end", "the file is truncated or damaged");
  const text = Buffer.from(take(machine, end - machine.at)).toString("latin1");
  machine.at++;
  return text;
}

function utf8(machine: Machine, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return machine.fail("expected UTF-8, got other bytes");
  }
}

/** Python's raw-unicode-escape: Latin-1 with \\uXXXX and \\UXXXXXXXX. */
function rawUnicode(machine: Machine): string {
  return line(machine).replace(/\\u([\da-f]{4})|\\U000([\da-f]{5})|\\U0010([\da-f]{4})/gi, (_, short, long, last) =>
    String.fromCodePoint(Number.parseInt(short ?? long ?? `10${last}`, 16)),
  );
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function pop(machine: Machine): PickleValue {
  if (machine.stack.length <= (machine.marks.at(-1) ?? 0)) machine.fail("expected a value on the stack, got none");
  return machine.stack.pop() as PickleValue;
}

function top(machine: Machine): PickleValue {
  const value = pop(machine);
  machine.stack.push(value);
  return value;
}

function popMark(machine: Machine): PickleValue[] {
  const mark = machine.marks.pop() ?? machine.fail("expected a mark on the stack, got none");
  return machine.stack.splice(mark);
}

function popText(machine: Machine): string {
  const value = pop(machine);
  return typeof value === "string" ? value : machine.fail(`expected a string, got ${describe(value)}`);
}

const push = (make: (machine: Machine) => PickleValue) => (machine: Machine) => {
  machine.stack.push(make(machine));
};

/** A little-endian two's complement integer. */
function long(machine: Machine, length: number): number | bigint {
  if (length > longLimit) machine.fail(`expected an integer of at most ${longLimit} bytes, got ${length}`);
  const bytes = take(machine, length);
  if (length === 0) return 0;
  const value = BigInt.asIntN(length * 8, BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`));
  return integer(value);
}

function integer(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function decimal(machine: Machine): PickleValue {
  const text = line(machine).replace(/L$/, "");
  if (text === "00" || text === "01") return text === "01";
  if (!/^-?\d{1,1024}$/.test(text)) machine.fail(`expected an integer, got ${describe(text)}`);
  return integer(BigInt(text));
}

function float(machine: Machine): number {
  const text = line(machine);
  const named = new Map([
    ["inf", Infinity],
    ["-inf", -Infinity],
    ["nan", Number.NaN],
  ]).get(text);
  if (named === undefined && !/^-?[\d.]{1,64}(e[+-]?\d{1,5})?$/i.test(text))
    machine.fail(`expected a number, got ${describe(text)}`);
  return named ?? Number(text);
}

/** Pairs of a flat list, into a dictionary. */
function fill(machine: Machine, map: Map<PickleValue, PickleValue>, flat: PickleValue[]): void {
  if (flat.length % 2 !== 0) machine.fail("expected pairs of key and value, got an odd number");
  for (let i = 0; i < flat.length; i += 2) map.set(flat[i] as PickleValue, flat[i + 1] as PickleValue);
}

function isKind<K extends "global" | "object" | "tensor">(
  value: PickleValue,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

function setItems(machine: Machine, flat: PickleValue[]): void {
  const target = top(machine);
  if (target instanceof Map) fill(machine, target, flat);
  else if (isKind(target, "object")) fill(machine, target.items, flat);
  else machine.fail(`expected a dictionary, got ${describe(target)}`);
}

function append(machine: Machine, values: PickleValue[]): void {
  const target = top(machine);
  const list = isKind(target, "object") ? target.list : target;
  if (!Array.isArray(list)) machine.fail(`expected a list, got ${describe(target)}`);
  else for (const value of values) list.push(value);
}

function findGlobal(machine: Machine, module: string, name: string): PickleGlobal {
  const full = `${module}.${name}`;
  const found = machine.rules.global(full);
  return (
    found ??
    machine.fail(
      `refused global ${describe(full)}`,
      "only weights are read and nothing is executed; if the file can be trusted, load it in Python and save it as safetensors",
    )
  );
}

/** Stands in for a call: our own constructor of plain data, or an object that only remembers its arguments. */
function construct(machine: Machine, type: PickleValue, args: PickleValue): PickleValue {
  if (!isKind(type, "global")) return machine.fail(`expected a global to construct, got ${describe(type)}`);
  if (!Array.isArray(args)) return machine.fail(`expected a tuple of arguments, got ${describe(args)}`);
  if (type.construct !== undefined) return type.construct(args, machine.fail);
  const made: PickleObject = { kind: "object", type: type.name, args, state: null, items: new Map(), list: [] };
  return made;
}

/** Sets the state of an inert object; attributes of dictionaries and tensors (such as `_metadata`) are dropped. */
function build(machine: Machine): void {
  const state = pop(machine);
  const target = top(machine);
  if (isKind(target, "object")) target.state = state;
  else if (!(target instanceof Map) && !isKind(target, "tensor"))
    machine.fail(`expected an object to give a state, got ${describe(target)}`);
}

function recall(machine: Machine, index: number): void {
  const value = machine.memo.get(index);
  if (value === undefined) machine.fail(`expected memo ${index} to be set, got nothing`);
  else machine.stack.push(value);
}

function remember(machine: Machine, index: number): void {
  machine.memo.set(index, top(machine));
}

function memoIndex(machine: Machine): number {
  const index = decimal(machine);
  return typeof index === "number" ? index : machine.fail(`expected a memo index, got ${describe(index)}`);
}

function popOrMark(machine: Machine): void {
  if (machine.marks.at(-1) === machine.stack.length) machine.marks.pop();
  else pop(machine);
}

function tuple(machine: Machine, length: number): void {
  const values: PickleValue[] = [];
  for (let i = 0; i < length; i++) values.unshift(pop(machine));
  machine.stack.push(values);
}

function persistent(machine: Machine): PickleValue {
  const id = pop(machine);
  return machine.rules.persistent === undefined
    ? machine.fail("refused a reference to something outside the pickle")
    : machine.rules.persistent(id, machine.fail);
}

/** NEWOBJ_EX; the keyword arguments become the state until BUILD gives another. */
function constructWithKeywords(machine: Machine): PickleValue {
  const keywords = pop(machine);
  const args = pop(machine);
  const made = construct(machine, pop(machine), args);
  if (isKind(made, "object")) made.state = keywords;
  return made;
}

function swapped<T>(machine: Machine, use: (under: PickleValue, over: PickleValue) => T): T {
  const over = pop(machine);
  return use(pop(machine), over);
}

const text8 = (size: (machine: Machine) => number): ((machine: Machine) => void) =>
  push((m) => utf8(m, take(m, size(m))));
const raw = (size: (machine: Machine) => number): ((machine: Machine) => void) =>
  push((m) => new Uint8Array(take(m, size(m))));
const text1 = (size: (machine: Machine) => number): ((machine: Machine) => void) =>
  push((m) => latin1(take(m, size(m))));

const table: [opcode: number, name: string, run: (machine: Machine) => void][] = [
  [0x49, "INT", push(decimal)],
  [0x4a, "BININT", push((m) => byte4(m) | 0)],
  [0x4b, "BININT1", push(byte1)],
  [0x4d, "BININT2", push(byte2)],
  [0x4c, "LONG", push(decimal)],
  [0x8a, "LONG1", push((m) => long(m, byte1(m)))],
  [0x8b, "LONG4", push((m) => long(m, byte4(m)))],
  [0x53, "STRING", push((m) => line(m).replace(/^(['"])(.*)\1$/, "$2"))],
  [0x54, "BINSTRING", text1(byte4)],
  [0x55, "SHORT_BINSTRING", text1(byte1)],
  [0x42, "BINBYTES", raw(byte4)],
  [0x43, "SHORT_BINBYTES", raw(byte1)],
  [0x8e, "BINBYTES8", raw(byte8)],
  [0x96, "BYTEARRAY8", raw(byte8)],
  [0x4e, "NONE", push(() => null)],
  [0x88, "NEWTRUE", push(() => true)],
  [0x89, "NEWFALSE", push(() => false)],
  [0x56, "UNICODE", push(rawUnicode)],
  [0x8c, "SHORT_BINUNICODE", text8(byte1)],
  [0x58, "BINUNICODE", text8(byte4)],
  [0x8d, "BINUNICODE8", text8(byte8)],
  [0x46, "FLOAT", push(float)],
  [0x47, "BINFLOAT", push((m) => (take(m, 8), m.view.getFloat64(m.at - 8)))],
  [0x5d, "EMPTY_LIST", push(() => [])],
  [0x61, "APPEND", (m) => append(m, [pop(m)])],
  [0x65, "APPENDS", (m) => append(m, popMark(m))],
  [0x6c, "LIST", push(popMark)],
  [0x29, "EMPTY_TUPLE", push(() => [])],
  [0x74, "TUPLE", push(popMark)],
  [0x85, "TUPLE1", (m) => tuple(m, 1)],
  [0x86, "TUPLE2", (m) => tuple(m, 2)],
  [0x87, "TUPLE3", (m) => tuple(m, 3)],
  [0x7d, "EMPTY_DICT", push(() => new Map())],
  [0x64, "DICT", dictionary],
  [0x73, "SETITEM", (m) => swapped(m, (key, value) => setItems(m, [key, value]))],
  [0x75, "SETITEMS", (m) => setItems(m, popMark(m))],
  [0x8f, "EMPTY_SET", push(() => new Set())],
  [0x90, "ADDITEMS", addItems],
  [0x91, "FROZENSET", push((m) => new Set(popMark(m)))],
  [0x30, "POP", popOrMark],
  [0x32, "DUP", push(top)],
  [0x28, "MARK", (m) => m.marks.push(m.stack.length)],
  [0x31, "POP_MARK", (m) => popMark(m)],
  [0x67, "GET", (m) => recall(m, memoIndex(m))],
  [0x68, "BINGET", (m) => recall(m, byte1(m))],
  [0x6a, "LONG_BINGET", (m) => recall(m, byte4(m))],
  [0x70, "PUT", (m) => remember(m, memoIndex(m))],
  [0x71, "BINPUT", (m) => remember(m, byte1(m))],
  [0x72, "LONG_BINPUT", (m) => remember(m, byte4(m))],
  [0x94, "MEMOIZE", (m) => remember(m, m.memo.size)],
  [0x63, "GLOBAL", push((m) => findGlobal(m, line(m), line(m)))],
  [0x93, "STACK_GLOBAL", stackGlobal],
  [0x52, "REDUCE", push((m) => swapped(m, (type, args) => construct(m, type, args)))],
  [0x62, "BUILD", build],
  [0x81, "NEWOBJ", push((m) => swapped(m, (type, args) => construct(m, type, args)))],
  [0x92, "NEWOBJ_EX", push(constructWithKeywords)],
  [0x80, "PROTO", protocol],
  [0x95, "FRAME", frame],
  [0x51, "BINPERSID", push(persistent)],
];

function dictionary(machine: Machine): void {
  const map = new Map<PickleValue, PickleValue>();
  fill(machine, map, popMark(machine));
  machine.stack.push(map);
}

function addItems(machine: Machine): void {
  const values = popMark(machine);
  const target = top(machine);
  if (!(target instanceof Set)) machine.fail(`expected a set, got ${describe(target)}`);
  else for (const value of values) target.add(value);
}

function stackGlobal(machine: Machine): void {
  const name = popText(machine);
  machine.stack.push(findGlobal(machine, popText(machine), name));
}

function protocol(machine: Machine): void {
  const version = byte1(machine);
  if (version > 5) machine.fail(`expected pickle protocol 0 to 5, got ${version}`);
}

/** A frame only says how much may be read at once. */
function frame(machine: Machine): void {
  const length = byte8(machine);
  const left = machine.bytes.length - machine.at;
  if (length > left) machine.fail(`expected a frame of at most ${left} bytes, got ${length}`);
}

export const operations: ReadonlyMap<number, Operation> = new Map(
  table.map(([opcode, name, run]) => [opcode, { name, run }]),
);

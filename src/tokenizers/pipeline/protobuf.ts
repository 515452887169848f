/**
 * Protocol Buffers as files hold them (protobuf.dev/programming-guides/encoding), as little of it as SentencePiece's
 * models need: fields of a message one by one, none copied, and none longer than its message.
 */
import { DataError } from "../../errors.ts";

export type Field =
  | { readonly number: number; readonly type: "varint"; readonly value: number }
  | { readonly number: number; readonly type: "bytes"; readonly value: Uint8Array }
  | { readonly number: number; readonly type: "fixed32"; readonly value: DataView }
  | { readonly number: number; readonly type: "fixed64"; readonly value: DataView };

/** The fields of a message. @throws DataError where the bytes are none. */
export function* fieldsIn(bytes: Uint8Array, what: string): Generator<Field> {
  let at = 0;
  const damaged = (problem: string): DataError =>
    new DataError(`${what}: expected a protocol buffer, got ${problem} at byte ${at} of ${bytes.length}`, {
      hint: "the file may be truncated or of another format; compare it with its source",
    });
  const varint = (): number => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw damaged("its end");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number(BigInt.asIntN(64, value));
    }
    throw damaged("a number without end");
  };
  const take = (length: number): Uint8Array => {
    if (length < 0 || length > bytes.length - at) throw damaged(`a field of ${length} bytes`);
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const type = key % 8;
    if (type === 0) yield { number, type: "varint", value: varint() };
    else if (type === 2) yield { number, type: "bytes", value: take(varint()) };
    else if (type === 5) yield { number, type: "fixed32", value: viewOf(take(4)) };
    else if (type === 1) yield { number, type: "fixed64", value: viewOf(take(8)) };
    else throw damaged(`a field of type ${type}`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes the fields of a message, in the order of the calls. */
export interface MessageWriter {
  varint(number: number, value: number): void;
  bytes(number: number, value: Uint8Array | string): void;
  float(number: number, value: number): void;
  done(): Uint8Array;
}

/** An empty message. */
export function messageWriter(): MessageWriter {
  const written: number[] = [];
  const put = (value: number): void => {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) written.push(Number(rest & 0x7fn) | 0x80);
    written.push(Number(rest));
  };
  return {
    varint(number, value) {
      put(number * 8);
      put(value);
    },
    bytes(number, value) {
      const content = typeof value === "string" ? new TextEncoder().encode(value) : value;
      put(number * 8 + 2);
      put(content.length);
      for (const byte of content) written.push(byte);
    },
    float(number, value) {
      put(number * 8 + 5);
      for (const byte of new Uint8Array(Float32Array.of(value).buffer)) written.push(byte);
    },
    done: () => Uint8Array.from(written),
  };
}

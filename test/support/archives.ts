/** Zip and tar archives for tests, hostile ones too (PKWARE APPNOTE 6.3.10; POSIX ustar). */
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipMember {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** What the directory says of its size; default: what it is. */
  readonly size?: number;
  readonly crc?: number;
  readonly flags?: number;
}

/** Members deflated, in the order given. */
export function zipOf(members: readonly ZipMember[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes, size, crc, flags = 0x800 } of members) {
    const raw = Buffer.from(bytes as string);
    const body = deflateRawSync(raw);
    const label = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc ?? crc32(raw), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(size ?? raw.length, 18);
    fields.writeUInt16LE(label.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), fields, tail, label]));
    bodies.push(Buffer.concat([Buffer.from("PK\u0003\u0004"), fields, label, body]));
    at += bodies.at(-1)!.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\u0005\u0006");
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...bodies, central, end]);
}

export interface TarMember {
  readonly name: string;
  readonly bytes: Uint8Array | string;
  /** "0" a file (default), "2" a symbolic link, "5" a folder. */
  readonly type?: string;
  readonly link?: string;
}

/** Members in the order given, with an end. */
export function tarOf(members: readonly TarMember[]): Buffer {
  const blocks = members.flatMap(({ name, bytes, type = "0", link = "" }) => {
    const raw = Buffer.from(bytes as string);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write("0000644\u00000000000\u00000000000\u0000", 100);
    header.write(`${raw.length.toString(8).padStart(11, "0")}\u000000000000000\u0000`, 124);
    header.write(`        ${type}`, 148);
    header.write(link, 157, 100);
    header.write("ustar\u000000", 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
    return [header, raw, Buffer.alloc((512 - (raw.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

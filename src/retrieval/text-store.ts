/**
 * Texts in a temporary file, every text once, numbered from 0 as they come. In memory is a number a text; while texts
 * are added, a hash as well, by which one that comes again is known.
 */
import { hash } from "node:crypto";
import { openTemporary } from "../io/temporary.ts";

export interface TextStore extends AsyncDisposable {
  readonly count: number;
  /** Starts adding: gives what appends the texts that are not there yet, and gives the numbers of all. */
  adding(): (texts: readonly string[]) => Promise<number[]>;
  read(numbers: readonly number[]): Promise<string[]>;
}

/** Opens an empty store on the disk of `folder`. */
export async function openTextStore(folder: string): Promise<TextStore> {
  const file = await openTemporary(folder);
  /** Bytes before each text, and before what is to come. */
  const starts = [0];
  return {
    get count() {
      return starts.length - 1;
    },
    adding() {
      const known = new Map<string, number>();
      return async (texts) => {
        const fresh: Buffer[] = [];
        const numbers = texts.map((text) => {
          const bytes = encode(text);
          const key = hash("sha256", bytes, "buffer").toString("latin1", 0, 16);
          const number = known.get(key) ?? starts.length - 1;
          if (number === starts.length - 1) {
            known.set(key, number);
            fresh.push(bytes);
            starts.push(starts.at(-1)! + bytes.length);
          }
          return number;
        });
        await file.append(Buffer.concat(fresh));
        return numbers;
      };
    },
    async read(numbers) {
      const read = async (number: number): Promise<string> => {
        const bytes = Buffer.alloc(starts[number + 1]! - starts[number]!);
        await file.read(bytes, starts[number]!);
        return decode(bytes);
      };
      return Promise.all(numbers.map(read));
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

/** As JSON, which keeps surrogates that have no partner. */
const encode = (text: string): Buffer => Buffer.from(JSON.stringify(text));
const decode = (bytes: Buffer): string => JSON.parse(bytes.toString()) as string;

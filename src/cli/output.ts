/** Results on stdout, written no faster than the reader takes them; notes on stderr. */
import { once } from "node:events";

export interface Output {
  /** Text as it is. */
  write(text: string): Promise<void>;
  /** One JSON line. */
  json(value: unknown): Promise<void>;
  /** A line for people on stderr; nothing with --json. */
  note(text: string): void;
}

export function createOutput({ quiet }: { quiet: boolean }): Output {
  const write = async (text: string): Promise<void> => {
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  };
  return {
    write,
    json: (value) => write(`${JSON.stringify(value)}\n`),
    note(text: string): void {
      if (!quiet) process.stderr.write(`${text}\n`);
    },
  };
}

/** A reader that has enough (`| head`) ends the command, not with an error. */
export function endWithReader(): void {
  if (process.stdout.listeners("error").includes(onError)) return;
  process.stdout.on("error", onError);
}

function onError(error: NodeJS.ErrnoException): void {
  process.exit(error.code === "EPIPE" ? 0 : 1);
}

/** float32 values as the shortest decimals that give them back. */
export function decimals(values: ArrayLike<number>): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(9)));
}

/** A path in a command that is suggested, as a shell takes it. */
export function quoted(path: string): string {
  return /^[\w./:@%+=,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/**
 * Progress on stderr: one line that is redrawn on a terminal, a line every ten seconds elsewhere. The libraries looked
 * at (cli-progress, ora, listr2) redraw on terminals only, or print every change elsewhere.
 */

export interface State {
  readonly done: number;
  readonly total?: number | undefined;
  /** What is counted: "records". Bytes are shown as MB. */
  readonly unit: string;
  /** Default: that of the last minute. */
  readonly rate?: number | undefined;
  readonly rateUnit?: string | undefined;
  readonly secondsLeft?: number | undefined;
  /** Shown behind: "loss 3.21". */
  readonly text?: string | undefined;
}

export interface Progress {
  update(state: State): void;
  /** Takes the line away; on a terminal nothing is left of it. */
  end(): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const redrawMs = 100;
const lineMs = 10_000;
/** What goes on after a break passes over what is there faster than it works: a rate is of the last minute. */
const rateMs = 60_000;

/** `now` in milliseconds; for tests. */
export function createProgress(label: string, stream: Stream, now: () => number = () => performance.now()): Progress {
  const started = now();
  const terminal = stream.isTTY === true;
  let last = terminal ? -Infinity : started;
  const seen = [{ time: started, done: 0 }];
  /** Of what was done a second since the last state that is a minute old. */
  const rateOf = (time: number, done: number): number => {
    while (seen.length > 1 && seen[1]!.time <= time - rateMs) seen.shift();
    const [first] = seen;
    seen.push({ time, done });
    return time > first!.time ? Math.max(0, (1000 * (done - first!.done)) / (time - first!.time)) : 0;
  };
  return {
    update(state: State): void {
      const time = now();
      if (time - last < (terminal ? redrawMs : lineMs)) return;
      last = time;
      const line = `${label}  ${describe(state, rateOf(time, state.done))}`;
      stream.write(terminal ? `\r${line.slice(0, (stream.columns ?? 80) - 1)}\u001B[K` : `${line}\n`);
    },
    end(): void {
      if (terminal) stream.write("\r\u001B[K");
    },
  };
}

export const noProgress: Progress = { update() {}, end() {} };

function describe(state: State, lately: number): string {
  const { done, total, unit, text } = state;
  const rate = state.rate ?? lately;
  const left = state.secondsLeft ?? (total !== undefined && rate > 0 ? (total - done) / rate : undefined);
  const of = total === undefined ? "" : ` of ${amount(total, unit)}`;
  const percent = total === undefined || total === 0 ? "" : ` ${Math.floor((100 * done) / total)} %`;
  const parts = [
    `${amount(done, unit)}${of} ${unit === "bytes" ? "MB" : unit}${percent}`,
    `${amount(rate, state.rateUnit ?? unit)} ${state.rateUnit ?? (unit === "bytes" ? "MB" : unit)}/s`,
    ...(left === undefined || !Number.isFinite(left) ? [] : [`${duration(left)} left`]),
    ...(text === undefined ? [] : [text]),
  ];
  return parts.join("  ");
}

function amount(value: number, unit: string): string {
  if (unit === "bytes") return (value / 1e6).toFixed(value < 1e8 ? 1 : 0);
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
}

/** "3 h 05 min", "4 min 10 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole >= 3600) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} min`;
  return whole >= 60 ? `${Math.floor(whole / 60)} min ${two(whole % 60)} s` : `${whole} s`;
}

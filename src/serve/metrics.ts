/**
 * Counters, gauges and histograms in Prometheus' text format (version 0.0.4): what `/metrics` answers. Labels are few and
 * known: a path is its route's pattern, never what a client wrote.
 */

type Labels = Readonly<Record<string, string>>;

export interface ServerMetrics {
  /** Adds to a counter. */
  count(name: CounterName, labels: Labels, amount?: number): void;
  /** Adds a measurement to a histogram. */
  observe(name: HistogramName, labels: Labels, value: number): void;
  /** A number that is asked for whenever the metrics are; a later one of the same name and labels takes its place. */
  gauge(name: GaugeName, labels: Labels, value: () => number): void;
  /** Ends what `gauge` began. */
  forget(name: GaugeName, labels: Labels): void;
  /** All of it. */
  text(): string;
}

const counters = {
  galen_requests_total: "Requests answered, by route and status",
  galen_prompt_tokens_total: "Tokens of prompts and texts that were computed",
  galen_generated_tokens_total: "Tokens that were generated",
  galen_generations_total: "Generations that ended, by how",
  galen_model_loads_total: "Times that a model was loaded",
} as const;
const histograms = {
  galen_request_seconds: "Time from a request to the end of its answer",
  galen_first_token_seconds: "Time from a request to its first token",
} as const;
const gauges = {
  galen_requests_running: "Requests that are being answered",
  galen_queue_length: "Generations that wait for a row",
  galen_batch_rows: "Rows that are decoded at once",
  galen_cache_bytes: "Bytes of keys and values that running generations may take",
  galen_models_loaded: "Models in memory",
  galen_model_bytes: "Bytes of a loaded model's weights",
  galen_resident_memory_bytes: "Resident memory of the process",
} as const;
type CounterName = keyof typeof counters;
type HistogramName = keyof typeof histograms;
type GaugeName = keyof typeof gauges;

/** Seconds; the last bucket is everything. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120] as const;

interface Histogram {
  readonly buckets: number[];
  sum: number;
  count: number;
}

/** A name's series, by their labels as they are written. */
type Series<T> = Map<string, Map<string, T>>;

/** Counters, gauges and histograms of a server, written in Prometheus' text format. */
export function createMetrics(): ServerMetrics {
  const counted: Series<number> = new Map();
  const observed: Series<Histogram> = new Map();
  const asked: Series<() => number> = new Map();
  return {
    count(name, labels, amount = 1): void {
      const series = seriesOf(counted, name);
      const key = written(labels);
      series.set(key, (series.get(key) ?? 0) + amount);
    },
    observe(name, labels, value): void {
      const series = seriesOf(observed, name);
      const key = written(labels);
      let found = series.get(key);
      if (found === undefined) series.set(key, (found = { buckets: bounds.map(() => 0), sum: 0, count: 0 }));
      bounds.forEach((bound, i) => (found.buckets[i]! += value <= bound ? 1 : 0));
      found.sum += value;
      found.count += 1;
    },
    gauge: (name, labels, value): void => void seriesOf(asked, name).set(written(labels), value),
    forget: (name, labels): void => void seriesOf(asked, name).delete(written(labels)),
    text(): string {
      const lines: string[] = [];
      const head = (name: string, about: string, type: string): void =>
        void lines.push(`# HELP ${name} ${about}`, `# TYPE ${name} ${type}`);
      for (const [name, about] of Object.entries(counters)) {
        head(name, about, "counter");
        for (const [labels, value] of counted.get(name) ?? []) lines.push(line(name, labels, value));
      }
      for (const [name, about] of Object.entries(gauges)) {
        head(name, about, "gauge");
        for (const [labels, value] of asked.get(name) ?? []) lines.push(line(name, labels, value()));
      }
      for (const [name, about] of Object.entries(histograms)) {
        head(name, about, "histogram");
        for (const [labels, found] of observed.get(name) ?? []) lines.push(...histogramLines(name, labels, found));
      }
      return `${lines.join("\n")}\n`;
    },
  };
}

function seriesOf<T>(all: Series<T>, name: string): Map<string, T> {
  let found = all.get(name);
  if (found === undefined) all.set(name, (found = new Map()));
  return found;
}

/** `route="/v1/models",status="200"`. */
function written(labels: Labels): string {
  const escaped = (value: string): string =>
    value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

const line = (name: string, labels: string, value: number): string =>
  `${name}${labels === "" ? "" : `{${labels}}`} ${value}`;

function histogramLines(name: string, labels: string, { buckets, sum, count }: Histogram): string[] {
  const and = labels === "" ? "" : `${labels},`;
  return [
    ...bounds.map((bound, i) => line(`${name}_bucket`, `${and}le="${bound}"`, buckets[i]!)),
    line(`${name}_bucket`, `${and}le="+Inf"`, count),
    line(`${name}_sum`, labels, sum),
    line(`${name}_count`, labels, count),
  ];
}

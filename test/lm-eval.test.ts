/** lm-evaluation-harness over the server's completions: of every choice the log-likelihood that the library gives. */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { loadLikelihoods } from "../src/likelihoods.ts";
import { makeChatModel } from "./support/chat-model.ts";
import { peerPackage, peersFolder } from "./support/peers.ts";
import { serveModels } from "./support/serving.ts";

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), "galen-lm-eval-"));
const skipped = peerPackage("lm_eval") === undefined;
/** A decoder of one's own, for figures that mean something. */
let source = process.env["GALEN_LM_EVAL_MODEL"];

beforeAll(async () => {
  if (skipped) return;
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  source ??= await makeChatModel(folder);
}, 120_000);
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const organs = ["kidney", "heart", "liver", "brain"];
const questions = Array.from({ length: 24 }, (_, i) => ({
  question: `In ${i + 2} patients aspirin was given. The organ that was affected is the`,
  choices: organs,
  answer: i % 4,
}));

const task = `task: galen_organs
dataset_path: json
dataset_kwargs:
  data_files:
    test: ${join(folder, "organs.jsonl")}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_choice: "{{choices}}"
doc_to_target: answer
metric_list:
  - metric: acc
  - metric: acc_norm
`;

interface Sample {
  readonly doc_id: number;
  /** Log-likelihood and whether the choice is the likeliest, of each choice. */
  readonly filtered_resps: readonly (readonly [string | number, string | boolean])[];
}

test.skipIf(skipped)(
  "lm_eval --model local-completions gives the library's log-likelihoods",
  { timeout: 300_000 },
  async () => {
    writeFileSync(join(folder, "organs.jsonl"), questions.map((one) => `${JSON.stringify(one)}\n`).join(""));
    mkdirSync(join(folder, "tasks"));
    writeFileSync(join(folder, "tasks/organs.yaml"), task);
    await using server = await serveModels({ models: [`tiny=${source}`] });
    const settings = {
      model: "tiny",
      base_url: `${server.url}/v1/completions`,
      tokenizer_backend: "huggingface",
      tokenizer: source!,
      tokenized_requests: "True",
      // As the library reads texts: this tokenizer begins them with a token of its own.
      add_bos_token: "True",
      num_concurrent: "4",
      max_length: "256",
    };
    const given = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    await run(
      join(peersFolder, "bin/lm_eval"),
      [
        "--model",
        "local-completions",
        "--model_args",
        given.join(","),
        "--tasks",
        "galen_organs",
        "--include_path",
        join(folder, "tasks"),
        "--batch_size",
        "3",
        "--log_samples",
        "--output_path",
        join(folder, "out"),
      ],
      {
        env: {
          ...process.env,
          HF_HOME: join(folder, "hf"),
          HF_HUB_OFFLINE: "1",
          HF_DATASETS_OFFLINE: "1",
          OPENAI_API_KEY: "none",
        },
        maxBuffer: 2 ** 26,
      },
    );
    const out = readdirSync(join(folder, "out"), { recursive: true, encoding: "utf8" });
    const samples = readFileSync(
      join(
        folder,
        "out",
        out.find((name) => /samples_galen_organs.*\.jsonl$/.test(name))!,
      ),
      "utf8",
    );
    const report = JSON.parse(
      readFileSync(
        join(
          folder,
          "out",
          out.find((name) => /results_.*\.json$/.test(name))!,
        ),
        "utf8",
      ),
    ) as {
      results: { galen_organs: { "acc,none": number } };
    };
    await using likelihoods = await loadLikelihoods(source!, { threads: 1 });
    const expected = await likelihoods.logLikelihoods(
      questions.map(({ question }) => question),
      questions.map(() => organs.map((organ) => ` ${organ}`)),
    );
    let right = 0;
    const lines = samples.trim().split("\n");
    expect(lines).toHaveLength(questions.length);
    for (const line of lines) {
      const { doc_id: id, filtered_resps: given } = JSON.parse(line) as Sample;
      const scores = given.map(([score]) => Number(score));
      scores.forEach((score, i) => expect(score, `question ${id}`).toBeCloseTo(expected[id]![i]!, 3));
      const own = expected[id]!;
      if (own.indexOf(Math.max(...own)) === questions[id]!.answer) right += 1;
    }
    expect(report.results.galen_organs["acc,none"]).toBeCloseTo(right / questions.length, 6);
    console.log(`lm_eval: acc ${report.results.galen_organs["acc,none"]}, the library's ${right / questions.length}`);
  },
);

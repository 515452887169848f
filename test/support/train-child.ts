/** A training run in a process of its own, for tests that kill it: arguments are configuration and options, as JSON. */
import { type Config, train, type TrainOptions } from "../../src/train/index.ts";

const [config, options] = process.argv.slice(2) as [string, string];
await train(JSON.parse(config) as Config, {
  ...(JSON.parse(options) as TrainOptions),
  resume: true,
  onEvent: (event) => void (event.type === "started" && console.log("started")),
});

/** A training run in a process of its own, for tests that kill it: arguments are the configuration, folder and name. */
import { join } from "node:path";
import { type Config, train } from "../../src/train/index.ts";

const [config, folder, name] = process.argv.slice(2) as [string, string, string];
await train(JSON.parse(config) as Config, {
  data: join(folder, "train"),
  valid: join(folder, "valid"),
  output: join(folder, name),
  resume: true,
  onEvent: (event) => void (event.type === "started" && console.log("started")),
});

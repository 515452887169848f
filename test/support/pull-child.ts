/** A model fetched in a process of its own, for tests that kill it or start several: its argument is the name. */
import { resolveModel } from "../../src/hub/index.ts";

let told = -1;
const path = await resolveModel(process.argv[2]!, {
  onProgress: ({ done }) => {
    if (done > told) console.log((told = done));
  },
});
console.log(path);

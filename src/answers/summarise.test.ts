import { expect, test } from "vitest";
import { indexedDocument, memoryIndex } from "../../test/support/memory-index.ts";
import { summarise } from "./summarise.ts";

const filler = "The wards kept lists of visits to the clinic. ".repeat(200);
const article = (id: string, result: string, conclusion: string) =>
  indexedDocument({
    id,
    title: `Walking ${id}`,
    abstract: [
      ["Results", result],
      ["Participants", "Walking for fatigue in cancer was done by 40 adults with cancer who had fatigue."],
      ["Diary", `${filler}Walking for fatigue in cancer was written down each day by those with cancer.`],
      ["Conclusion", conclusion],
    ],
  });

test("of full texts results and conclusions are told, not methods; and one document is not told twice before others", async () => {
  const index = await memoryIndex([
    article("a", "Walking reduced fatigue in cancer by a fifth.", "Walking helps fatigue in cancer."),
    article("b", "Fatigue in cancer fell with walking in women.", "We conclude that walking lowers fatigue in cancer."),
    article("c", "Fatigue in cancer was not changed by walking at night.", "Walking at night did not help cancer."),
  ]);
  const three = await summarise(index, "walking fatigue cancer", { sentences: 3 });
  expect(three.sentences.map(({ citations }) => citations[0]!.id).sort()).toEqual(["a", "b", "c"]);
  const { sentences } = await summarise(index, "walking fatigue cancer", { sentences: 6 });
  expect(sentences).toHaveLength(6);
  expect(sentences.filter(({ text }) => /written down|was done/.test(text))).toEqual([]);
});

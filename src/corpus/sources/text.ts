/** A file of plain text as one document. */
import { textLimit } from "../text.ts";
import { documentEvent, section } from "./events.ts";
import { wholeText } from "./json-values.ts";
import type { SourceKind } from "./kind.ts";

export const text: SourceKind = {
  name: "text",
  about: "plain text (.txt, .md), one document a file",
  recognises: (_, name) => /\.(?:txt|text|md)(?:\.gz|\.zst)?$/i.test(name),
  async *read(input, { source }) {
    // A character takes three bytes at most.
    const whole = (await wholeText(input, 3 * textLimit)).replace(/\r\n?/g, "\n").trim();
    const sections = section("", "text", [whole]);
    yield documentEvent(
      {
        id: input.scope,
        source,
        kind: "text",
        title: "",
        sections,
        date: null,
        language: null,
        licence: null,
        metadata: {},
      },
      input.name,
    );
  },
};

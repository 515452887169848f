import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { readSources } from "./open.ts";

const folder = new URL("../../../test/goldens/", import.meta.url);
const goldens = JSON.parse(readFileSync(new URL("sources.json", folder), "utf8")) as {
  readonly patents: Readonly<Record<string, readonly (readonly string[])[]>>;
};
const digest = (text: string): string =>
  createHash("sha256").update(text.replace(/\s+/g, " ")).digest("hex").slice(0, 8);
const read = (name: string): ReturnType<typeof collect> =>
  collect(readSources([fileURLToPath(new URL(`patents/${name}`, folder))]));

describe("patents", () => {
  test.each(Object.entries(goldens.patents))(
    "of %s have the paragraphs and claims that lxml finds, in their order",
    async (name, expected) => {
      const { documents, failures } = await read(name);
      expect(failures).toEqual([]);
      const ours = documents.map(({ sections }) =>
        sections.filter(({ kind }) => kind !== "table").flatMap(({ text }) => text.split("\n\n").map(digest)),
      );
      expect(ours).toEqual(expected);
    },
  );

  test("in a file of many documents are one each, sequence listings between them none", async () => {
    const { documents } = await read("grants.xml");
    expect(documents.map(({ id, kind, title, date, language }) => ({ id, kind, title, date, language }))).toEqual([
      {
        id: "us-patent:US9000001B2",
        kind: "patents",
        title: "Tablet that dissolves slowly",
        date: "2015-04-07",
        language: "en",
      },
      {
        id: "us-patent:US20130000001A1",
        kind: "patents",
        title: "METHOD OF MEASURING",
        date: "2013-01-03",
        language: "en",
      },
    ]);
    expect(documents[0]!.metadata).toEqual({
      documentType: "grant",
      number: "US9000001B2",
      applicationNumber: "13000001",
      filed: "2012-03-15",
      applicationType: "utility",
      cpc: ["A61K 9/20", "A61P 29/00"],
      ipc: ["A61K 31/167"],
      inventors: ["Ann Roe"],
      assignees: ["Tablets Ltd"],
    });
    expect(documents[1]!.metadata["inventors"]).toEqual(["John Doe"]);
    expect(outline(documents[0]!)).toEqual([
      "[abstract] : A tablet of a core and a coat is disclosed.",
      "[text] TECHNICAL FIELD: The invention is about tablets of 5 cm2 — see FIG. 1.",
      "[text] SUMMARY > Problem: Tablets dissolve:\n\ntoo fast, or\n\nnot at all.",
      "[text] BRIEF DESCRIPTION OF THE DRAWINGS: FIG. 1 shows a tablet.",
      "[text] DETAILED DESCRIPTION: Table 1 gives the doses.\n\nThe rate is k=2 per hour.",
      "[table] DETAILED DESCRIPTION: TABLE 1\nDrug\tmg\nX\t5",
      "[text] Claims: 1. A tablet, comprising:\na core; and\na coat.\n\n2. The tablet of claim 1, wherein the coat is thin.",
    ]);
  });

  test("of 2001 to 2004 are read by their own tags", async () => {
    const [grant] = (await read("grants-2003.xml")).documents;
    expect(grant).toMatchObject({
      id: "us-patent:US6500001B1",
      title: "Salts of an acid",
      date: "2003-01-07",
      metadata: {
        documentType: "grant",
        filed: "2000-02-08",
        ipc: ["A61K 3100"],
        inventors: ["Mary Major"],
        assignees: ["Salts Inc."],
      },
    });
    expect(outline(grant!)).toContain(
      "[text] DETAILED DESCRIPTION > Example 1: At 25° C., H2O is added, as FIG. 1 shows.\n\nIt melts.",
    );
    const [application] = (await read("applications-2003.xml")).documents;
    expect(application).toMatchObject({
      id: "us-patent:US20030000001A1",
      title: "Rake for lawns",
      date: "2003-01-02",
      metadata: {
        documentType: "application",
        filed: "2001-07-03",
        inventors: ["Ed A. Field", "Sue Field"],
        assignees: ["Rakes Inc."],
      },
    });
    expect(outline(application!)[1]).toBe("[text] BACKGROUND OF THE INVENTION: Rakes are known.");
  });

  test("that are cut short are failures, those before them are read", async () => {
    const text = readFileSync(new URL("patents/grants.xml", folder), "utf8");
    const { documents, failures } = await readAs("weekly.xml", text.slice(0, -100));
    expect(documents.map(({ id }) => id)).toEqual(["us-patent:US9000001B2"]);
    expect(failures).toEqual(["weekly.xml: us-patent-application has no end tag: the record is cut short"]);
  });
});

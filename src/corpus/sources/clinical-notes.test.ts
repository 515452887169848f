import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { readSources } from "./open.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const reference = (id: string, attachment: object, more: object = {}): object => ({
  resourceType: "DocumentReference",
  id,
  status: "current",
  type: { coding: [{ code: "18842-5", display: "Discharge summary" }] },
  subject: { reference: "Patient/1" },
  date: "2020-01-02T03:04:05Z",
  context: { encounter: [{ reference: "Encounter/2" }], practiceSetting: { text: "Cardiology" } },
  content: [{ attachment }],
  ...more,
});
const plain = reference("a", { contentType: "text/plain", data: base64("CC: pain\r\nHPI: since 2 days  \n") });

describe("clinical notes", () => {
  test("in MIMIC's tables keep their lines, and say who, when and of what kind", async () => {
    const csv = `"ROW_ID","SUBJECT_ID","HADM_ID","CHARTDATE","CHARTTIME","STORETIME","CATEGORY","DESCRIPTION","CGID","ISERROR","TEXT"
174,22532,167853,"2151-08-04",,,"Discharge summary","Report",,,"Admission Date:  [**2151-7-16**]

Service:
ADDENDUM: ""x"""
175,22532,,"2151-08-05",,,"Radiology","CXR",,"1",""
`;
    const { documents, failures } = await readAs("NOTEEVENTS.csv", csv);
    expect(documents).toHaveLength(1);
    expect(documents[0]).toMatchObject({
      id: "NOTEEVENTS.csv:174",
      kind: "clinical-notes",
      date: "2151-08-04",
      metadata: { patient: "22532", encounter: "167853", category: "Discharge summary", DESCRIPTION: "Report" },
    });
    expect(documents[0]!.sections[0]!.text).toBe('Admission Date:  [**2151-7-16**]\n\nService:\nADDENDUM: "x"');
    expect(failures).toEqual(["NOTEEVENTS.csv:6: NOTEEVENTS.csv:175: expected a note's text, got none"]);
    const four =
      'note_id,subject_id,hadm_id,note_type,note_seq,charttime,storetime,text\n1-DS-2,1,2,DS,21,2180-05-07 00:00:00,,"One"\n';
    expect((await readAs("discharge.csv", four)).documents[0]).toMatchObject({
      id: "discharge.csv:1-DS-2",
      date: "2180-05-07",
      metadata: { patient: "1", encounter: "2", category: "DS", note_seq: "21" },
    });
  });

  test("of MTSamples' kind have their specialty", async () => {
    const csv =
      ',description,medical_specialty,sample_name,transcription,keywords\n0,Short, Allergy / Immunology, Rhinitis,SUBJECTIVE: fine.,"a, b"\n';
    expect((await readAs("mtsamples.csv", csv)).documents[0]).toMatchObject({
      id: "mtsamples.csv:0",
      title: "Rhinitis",
      metadata: { specialty: "Allergy / Immunology", description: "Short", keywords: "a, b" },
    });
  });

  test.each([
    ["one resource", JSON.stringify(plain, null, 2)],
    [
      "a bundle",
      JSON.stringify({
        resourceType: "Bundle",
        entry: [{ resource: { resourceType: "Patient", id: "1" } }, { resource: plain }],
      }),
    ],
    ["lines", `${JSON.stringify(plain)}\n`],
  ])("as FHIR in %s are read from their attachments", async (_, text) => {
    const { documents, failures } = await readAs("notes.json", text);
    expect(failures).toEqual([]);
    expect(documents).toHaveLength(1);
    expect(documents[0]).toMatchObject({
      id: "notes.json:a",
      kind: "clinical-notes",
      date: "2020-01-02",
      metadata: {
        patient: "Patient/1",
        encounter: "Encounter/2",
        category: "Discharge summary",
        specialty: "Cardiology",
      },
    });
    expect(documents[0]!.sections[0]!.text).toBe("CC: pain\nHPI: since 2 days");
  });

  test("of HTML are text, withdrawn ones deletions, those by address, damaged or of other kinds failures", async () => {
    const lines = [
      reference("html", {
        contentType: "text/html",
        data: base64("<div><h2>Plan</h2><p>Rest &amp; <b>fluids</b></p><script>x</script></div>"),
      }),
      reference("gone", {}, { status: "entered-in-error" }),
      reference("address", { contentType: "text/plain", url: "https://example.org/1" }),
      reference("pdf", { contentType: "application/pdf", data: base64("%PDF") }),
      reference("bad", { contentType: "text/plain", data: "*" }),
      reference("latin", {
        contentType: "text/plain; charset=iso-8859-1",
        data: Buffer.from("caf\xe9", "latin1").toString("base64"),
      }),
      {
        resourceType: "DiagnosticReport",
        id: "report",
        presentedForm: [{ contentType: "text/plain", data: base64("Normal.") }],
        code: { text: "CXR" },
      },
    ];
    const { documents, deletions, failures } = await readAs(
      "n.ndjson",
      lines.map((line) => JSON.stringify(line)).join("\n"),
    );
    expect(documents.map((one) => [one.id, outline(one)])).toEqual([
      ["n.ndjson:html", ["[text] : Plan\n\nRest & fluids"]],
      ["n.ndjson:latin", ["[text] : café"]],
      ["n.ndjson:report", ["[text] : Normal."]],
    ]);
    expect(deletions).toEqual(["n.ndjson:gone"]);
    expect(failures).toEqual([
      "n.ndjson:3: n.ndjson:address: expected an attachment of text/plain or text/html with its data, got text/plain by address",
      "n.ndjson:4: n.ndjson:pdf: expected an attachment of text/plain or text/html with its data, got application/pdf",
      'n.ndjson:5: n.ndjson:bad: attachment: expected base64, got "*"',
    ]);
  });

  test.runIf(hasShared("data/clinical-notes"))("of a shared file are all read when the kind is named", async () => {
    const path = shared("data/clinical-notes/mtsamples.jsonl.zst");
    const { documents, failures } = await collect(readSources([path], { kind: "clinical-notes", source: "mtsamples" }));
    expect(failures).toEqual([]);
    expect(new Set(documents.map(({ id }) => id)).size).toBe(2355);
    expect(
      documents.every(
        ({ kind, source, id }) => kind === "clinical-notes" && source === "mtsamples" && id.startsWith("mtsamples:"),
      ),
    ).toBe(true);
  });
});

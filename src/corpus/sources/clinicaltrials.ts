/** Records of ClinicalTrials.gov: XML, and API version 2's JSON as one study, { studies: [...] }, a list, or one a line. */
import type { RecordNames } from "../xml/record-splitter.ts";
import { documentEvent, failureEvent, messageOf, numberedId } from "./events.ts";
import { readJsonValues } from "./json-values.ts";
import type { SourceInput, SourceKind, SourceSettings, SourceEvent } from "./kind.ts";
import { type Trial, trialDocument } from "./trial.ts";
import { trialOfJson } from "./trial-json.ts";
import { trialOfXml } from "./trial-xml.ts";
import { readXmlRecords, rootName } from "./xml-records.ts";

const names: RecordNames = {
  format: "ClinicalTrials.gov",
  records: ["clinical_study"],
  sets: ["search_results", "clinical_studies"],
};

async function* readXmlFile(input: SourceInput, { source }: SourceSettings): AsyncGenerator<SourceEvent> {
  for await (const record of readXmlRecords(input, names)) {
    if (record.kind === "failure") yield record;
    else {
      const id = numberedId(input.scope, record.number);
      yield documentEvent(trialDocument(trialOfXml(record.root), id, source), input.name, record);
    }
  }
}

/** The studies that a value holds. */
function studiesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const { studies } = (value ?? {}) as { studies?: unknown };
  return Array.isArray(studies) ? studies : [value];
}

async function* readJsonFile(input: SourceInput, { source }: SourceSettings): AsyncGenerator<SourceEvent> {
  let number = 0;
  for await (const found of readJsonValues(input, input.head)) {
    if (found.kind === "failure") {
      yield found;
      continue;
    }
    for (const study of studiesOf(found.value)) {
      number += 1;
      const place = { line: found.line };
      let trial: Trial;
      try {
        trial = trialOfJson(study);
      } catch (error) {
        yield failureEvent(input.name, `study ${number}: ${messageOf(error)}`, place);
        continue;
      }
      yield documentEvent(trialDocument(trial, numberedId(input.scope, number), source), input.name, place);
    }
  }
}

export const clinicaltrials: SourceKind = {
  name: "clinicaltrials",
  about: "records of ClinicalTrials.gov: XML, or JSON of API version 2",
  recognises: (head) =>
    names.records.concat(names.sets).includes(rootName(head) ?? "") ||
    /^\uFEFF?\s*[{[][^]*"protocolSection"\s*:/.test(head),
  read: (input, settings) =>
    /^\uFEFF?\s*</.test(input.head) ? readXmlFile(input, settings) : readJsonFile(input, settings),
};

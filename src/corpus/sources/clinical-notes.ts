/**
 * Clinical notes: JSON lines and tables with the columns of MIMIC-III (NOTEEVENTS), MIMIC-IV-Note (discharge, radiology),
 * MTSamples or the like, and FHIR (`fhir.ts`) as one resource, a bundle, or one a line. A note's line breaks are kept: they
 * carry meaning. Who a note is of goes into metadata as it stands; de-identification is curation's work.
 */
import { createOwnIds, documentEvent, failureEvent, languageCode, messageOf, metadata, section } from "./events.ts";
import { isFhir, noteOfResource, noteResources } from "./fhir.ts";
import type { SourceEvent, SourceInput, SourceKind, SourceSettings } from "./kind.ts";
import type { Note } from "./note.ts";
import { checkColumns, createFieldReader, type Fields, readRowValues, rowDate, type UsualNames } from "./row-values.ts";

const usual: UsualNames = {
  id: ["row_id", "note_id", "noteid", "id", "document_id", ""],
  text: ["text", "note_text", "transcription", "note", "content", "report", "body"],
  patient: ["subject_id", "patient_id", "patientid", "patient", "person_id"],
  encounter: ["hadm_id", "encounter_id", "encounterid", "encounter", "visit_id", "visit_occurrence_id"],
  category: ["category", "note_type", "type", "note_category", "document_type"],
  specialty: ["medical_specialty", "specialty", "speciality", "department"],
  title: ["sample_name", "title", "note_title"],
  date: ["chartdate", "charttime", "note_date", "date", "created", "storetime"],
  language: ["language", "lang"],
};

function noteOfRow(fields: Fields): Note {
  const taken = ["id", "text", "patient", "encounter", "category", "specialty", "title", "date", "language"] as const;
  const values = Object.fromEntries(taken.map((name) => [name, fields.text(name)])) as Record<
    (typeof taken)[number],
    string
  >;
  return { ...values, rest: fields.rest() };
}

interface Reading {
  readonly name: string;
  readonly source: string;
  ownId(id: string): string;
}

function noteEvent(note: Note, ownId: string, line: number, { name, source }: Reading): SourceEvent {
  const { title, text, patient, encounter, category, specialty, date, language, rest } = note;
  const iso = rowDate(date);
  const lines = text
    .replace(/\r\n?/g, "\n")
    .replace(/[ \t]+$/gm, "")
    .trim();
  if (lines === "") return failureEvent(name, `${ownId}: expected a note's text, got none`, { line });
  return documentEvent(
    {
      id: ownId,
      source,
      kind: "clinical-notes",
      title,
      sections: section("", "text", [lines]),
      date: iso,
      language: languageCode(language),
      licence: null,
      metadata: {
        ...rest,
        ...metadata({ patient, encounter, category, specialty, ...(iso === null ? { date } : {}) }),
      },
    },
    name,
    { line },
  );
}

async function* fhirEvents(value: unknown, line: number, reading: Reading): AsyncGenerator<SourceEvent> {
  for (const [index, resource] of noteResources(value).entries()) {
    const own = typeof resource["id"] === "string" ? resource["id"] : "";
    // Of resources identifiers are the server's, so that a later file may withdraw what an earlier one had.
    const id = own === "" ? reading.ownId(`${line}.${index + 1}`) : `${reading.source}:${own}`;
    try {
      const note = await noteOfResource(resource);
      yield note === "withdrawn" ? { kind: "deletion", id } : noteEvent(note, id, line, reading);
    } catch (error) {
      yield failureEvent(reading.name, `${id}: ${messageOf(error)}`, { line });
    }
  }
}

async function* readNotes(input: SourceInput, settings: SourceSettings): AsyncGenerator<SourceEvent> {
  const fieldsOf = createFieldReader(usual, settings.columns);
  const reading = { name: input.name, source: settings.source, ownId: createOwnIds(input.scope) };
  let isChecked = false;
  for await (const row of readRowValues(input)) {
    if (row.kind === "failure") {
      yield row;
      continue;
    }
    if (isFhir(row.value)) {
      yield* fhirEvents(row.value, row.line, reading);
      continue;
    }
    if (!isChecked) checkColumns(settings.columns, row.value);
    isChecked = true;
    const fields = fieldsOf(row.value);
    if (fields.column("text") === undefined) {
      yield failureEvent(input.name, `expected a column of text, got none of ${usual["text"]!.join(", ")}`, {
        line: row.line,
      });
    } else {
      const note = noteOfRow(fields);
      yield noteEvent(note, reading.ownId(note.id || String(row.line)), row.line, reading);
    }
  }
}

/** Names of columns that notes have and other texts do not. */
const telling = /^(?:hadm_id|subject_id|encounter_id|patient_id|note_type|note_id|medical_specialty|transcription)$/i;

/** Names of the fields of a first row. */
function namesIn(head: string): string[] {
  const line = head.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0]!;
  if (line.startsWith("{")) return [...line.matchAll(/[{,]\s*"([^"\\]{1,40})"\s*:/g)].map(([, name]) => name!);
  return line.split(/[,\t;|]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
}

export const clinicalNotes: SourceKind = {
  name: "clinical-notes",
  about: "clinical notes: FHIR documents, or JSON lines and tables with MIMIC's or like columns",
  recognises: (head) => {
    if (/"resourceType"\s*:\s*"(?:DocumentReference|DiagnosticReport|Bundle)"/.test(head)) return true;
    const names = namesIn(head);
    const texts = new Set(usual["text"]);
    return names.some((name) => telling.test(name)) && names.some((name) => texts.has(name.toLowerCase()));
  },
  read: readNotes,
};

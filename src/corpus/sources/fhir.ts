/**
 * FHIR's documents with their text inside (R4, R5): DocumentReference and DiagnosticReport, each a note; others in a bundle are
 * passed over. Of several attachments the first that is plain text is taken, else the first of HTML. Addresses are not fetched.
 */
import { Buffer, isUtf8 } from "node:buffer";
import { DataError } from "../../errors.ts";
import { shown } from "../../schema.ts";
import { textLimit } from "../text.ts";
import { htmlSections } from "./html-text.ts";
import type { Note } from "./note.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectAt = (value: Json, name: string): Json => (isObject(value[name]) ? (value[name] as Json) : {});
const listAt = (value: Json, name: string): Json[] => {
  const found = value[name];
  return Array.isArray(found) ? found.filter(isObject) : isObject(found) ? [found] : [];
};
const textAt = (value: Json, name: string): string =>
  typeof value[name] === "string" ? (value[name] as string).trim() : "";

/** What a CodeableConcept is called. */
function conceptText(concept: Json): string {
  const codings = listAt(concept, "coding").map((coding) => textAt(coding, "display") || textAt(coding, "code"));
  return textAt(concept, "text") || codings.find((text) => text !== "") || "";
}

export const isFhir = (value: unknown): boolean => isObject(value) && typeof value["resourceType"] === "string";

/** Resources that are notes: the value itself, or entries of a bundle. */
export function noteResources(value: unknown): Json[] {
  if (!isObject(value)) return [];
  if (value["resourceType"] === "Bundle")
    return listAt(value, "entry").flatMap((entry) => noteResources(entry["resource"]));
  return ["DocumentReference", "DiagnosticReport"].includes(textAt(value, "resourceType")) ? [value] : [];
}

/** @throws DataError where it is no base64, or not in the encoding that it should be. */
function decoded(attachment: Json): string {
  const data = textAt(attachment, "data").replace(/\s/g, "");
  if (data.length > 4 * textLimit) throw new DataError(`attachment: expected at most ${3 * textLimit} bytes, got more`);
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(data))
    throw new DataError(`attachment: expected base64, got ${shown(data.slice(0, 40))}`);
  const bytes = Buffer.from(data, "base64");
  const charset = /charset\s*=\s*"?([\w-]+)/i.exec(textAt(attachment, "contentType"))?.[1];
  if (charset === undefined && isUtf8(bytes)) return bytes.toString("utf8");
  try {
    return new TextDecoder(charset ?? "utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`attachment: expected ${charset ?? "UTF-8"}, got other bytes`, { cause });
  }
}

/** @throws DataError where no attachment has text in it. */
async function textOf(attachments: readonly Json[]): Promise<string> {
  const ofType = (type: RegExp): Json | undefined =>
    attachments.find((one) => type.test(textAt(one, "contentType")) && textAt(one, "data") !== "");
  const plain = ofType(/^text\/(?:plain|markdown|rtf-as-text)\b/i);
  if (plain !== undefined) return decoded(plain);
  const page = ofType(/^(?:text\/html|application\/xhtml\+xml)\b/i);
  if (page !== undefined) {
    const sections = await htmlSections(decoded(page));
    return sections.map(({ title, text }) => (title === "" ? text : `${title}\n\n${text}`)).join("\n\n");
  }
  const types = attachments.map(
    (one) => `${textAt(one, "contentType") || "no type"}${textAt(one, "data") === "" ? " by address" : ""}`,
  );
  throw new DataError(
    `expected an attachment of text/plain or text/html with its data, got ${types.join(", ") || "none"}`,
  );
}

const referenceAt = (value: Json, name: string): string => {
  const [first] = listAt(value, name);
  return first === undefined ? "" : textAt(first, "reference") || textAt(first, "display");
};

/** A resource as a note; "withdrawn" where it was entered in error. @throws DataError where it has no text. */
export async function noteOfResource(resource: Json): Promise<Note | "withdrawn"> {
  const attachments =
    resource["resourceType"] === "DiagnosticReport"
      ? listAt(resource, "presentedForm")
      : listAt(resource, "content").map((content) => objectAt(content, "attachment"));
  if (textAt(resource, "status") === "entered-in-error") return "withdrawn";
  const context = isObject(resource["context"]) ? (resource["context"] as Json) : resource;
  const kinds = [objectAt(resource, "type"), objectAt(resource, "code"), ...listAt(resource, "category")].map(
    conceptText,
  );
  const titles = [textAt(resource, "description"), ...attachments.map((one) => textAt(one, "title"))];
  return {
    id: textAt(resource, "id"),
    title: titles.find((title) => title !== "") ?? "",
    text: await textOf(attachments),
    patient: referenceAt(resource, "subject"),
    encounter: referenceAt(context, "encounter"),
    category: kinds.find((kind) => kind !== "") ?? "",
    specialty: conceptText(objectAt(context, "practiceSetting")),
    date: textAt(resource, "date") || textAt(resource, "effectiveDateTime") || textAt(resource, "issued"),
    language:
      textAt(resource, "language") || attachments.map((one) => textAt(one, "language")).find((one) => one !== "") || "",
    rest: {},
  };
}

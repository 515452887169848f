/**
 * A study of ClinicalTrials.gov's API version 2 as a trial. Fields of another type than the API's are taken as absent: a
 * record is worth reading without one of them.
 */
import { DataError } from "../../errors.ts";
import { shown } from "../../schema.ts";
import {
  type Group,
  labelled,
  named,
  type ResultPart,
  type ResultRow,
  type Trial,
  trialDate,
  wrappedParagraphs,
} from "./trial.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectAt = (value: Json | undefined, name: string): Json =>
  isObject(value?.[name]) ? (value[name] as Json) : {};
const listAt = (value: Json, name: string): Json[] => (Array.isArray(value[name]) ? value[name].filter(isObject) : []);
const textAt = (value: Json, name: string): string => {
  const found = value[name];
  return typeof found === "string" ? found.trim() : typeof found === "number" ? String(found) : "";
};
const textsAt = (value: Json, name: string): string[] =>
  Array.isArray(value[name]) ? value[name].filter((one): one is string => typeof one === "string") : [];
const lineAt = (value: Json, name: string): string => textAt(value, name).replace(/\s+/g, " ");
const dateAt = (module: Json, name: string): string => trialDate(textAt(objectAt(module, name), "date")) ?? "";

const groupsOf = (module: Json, name: string): Group[] =>
  listAt(module, name).map((group) => ({
    id: textAt(group, "id"),
    title: lineAt(group, "title"),
    description: lineAt(group, "description"),
  }));

function measured(value: Json): string {
  const [lower, upper] = [textAt(value, "lowerLimit"), textAt(value, "upperLimit")];
  const range = textAt(value, "spread") || (lower === "" || upper === "" ? "" : `${lower} to ${upper}`);
  return range === "" ? textAt(value, "value") : `${textAt(value, "value")} (${range})`;
}

function rowsOf(measure: Json): ResultRow[] {
  return listAt(measure, "classes").flatMap((one) =>
    listAt(one, "categories").map((category) => ({
      title: labelled(lineAt(one, "title"), lineAt(category, "title")),
      values: new Map(listAt(category, "measurements").map((value) => [textAt(value, "groupId"), measured(value)])),
    })),
  );
}

function unitsOf(measure: Json): string {
  const dispersion = textAt(measure, "dispersionType");
  const kind = dispersion === "" ? textAt(measure, "paramType") : `${textAt(measure, "paramType")} (${dispersion})`;
  return [kind, textAt(measure, "unitOfMeasure")].filter((part) => part !== "").join(", ");
}

function analysisOf(analysis: Json): string {
  const [lower, upper] = [textAt(analysis, "ciLowerLimit"), textAt(analysis, "ciUpperLimit")];
  const value = (label: string, name: string): string => named(label, lineAt(analysis, name));
  return [
    lineAt(analysis, "groupDescription"),
    value("Method", "statisticalMethod"),
    value("P-value", "pValue"),
    labelled(textAt(analysis, "paramType"), textAt(analysis, "paramValue")),
    lower === "" || upper === "" ? "" : `${textAt(analysis, "ciPctValue")}% CI ${lower} to ${upper}`,
    lineAt(analysis, "estimateComment"),
  ]
    .filter((part) => part !== "")
    .join("; ");
}

const wordsOf = (code: string): string => code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");

function eventsOf(module: Json, name: string, title: string): ResultPart[] {
  const rows = listAt(module, name).map((event) => ({
    title: labelled(lineAt(event, "organSystem"), lineAt(event, "term")),
    values: new Map(
      listAt(event, "stats").map((one) => [
        textAt(one, "groupId"),
        `${textAt(one, "numAffected") || "?"}/${textAt(one, "numAtRisk") || "?"}`,
      ]),
    ),
  }));
  return rows.length === 0
    ? []
    : [{ title, paragraphs: [], groups: groupsOf(module, "eventGroups"), rows, analyses: [] }];
}

function flowRows(flow: Json): ResultRow[] {
  return listAt(flow, "periods").flatMap((period) =>
    [
      ...listAt(period, "milestones").map((one) => ({
        title: textAt(one, "type"),
        counts: listAt(one, "achievements"),
        count: "numSubjects",
      })),
      ...listAt(period, "dropWithdraws").map((one) => ({
        title: textAt(one, "type"),
        counts: listAt(one, "reasons"),
        count: "numSubjects",
      })),
    ].map(({ title, counts, count }) => ({
      title: labelled(lineAt(period, "title"), title),
      values: new Map(counts.map((one) => [textAt(one, "groupId"), textAt(one, count)])),
    })),
  );
}

function resultsOf(results: Json): ResultPart[] {
  const [flow, baseline, events, more] = [
    "participantFlowModule",
    "baselineCharacteristicsModule",
    "adverseEventsModule",
    "moreInfoModule",
  ].map((name) => objectAt(results, name)) as [Json, Json, Json, Json];
  const part = (
    title: string,
    paragraphs: readonly string[],
    groups: readonly Group[] = [],
    rows: readonly ResultRow[] = [],
  ): ResultPart => ({
    title,
    paragraphs,
    groups,
    rows,
    analyses: [],
  });
  const measures = listAt(baseline, "measures");
  const baselineRows = measures.flatMap((measure) =>
    rowsOf(measure).map((row) => ({
      ...row,
      title: labelled([lineAt(measure, "title"), unitsOf(measure)].filter((one) => one !== "").join(", "), row.title),
    })),
  );
  return [
    part(
      "Participant Flow",
      [lineAt(flow, "recruitmentDetails"), lineAt(flow, "preAssignmentDetails")],
      groupsOf(flow, "groups"),
      flowRows(flow),
    ),
    part(
      "Baseline Characteristics",
      [lineAt(baseline, "populationDescription"), ...measures.map((one) => lineAt(one, "description"))],
      groupsOf(baseline, "groups"),
      baselineRows,
    ),
    ...listAt(objectAt(results, "outcomeMeasuresModule"), "outcomeMeasures").map((outcome): ResultPart => ({
      title: `${wordsOf(textAt(outcome, "type"))} Outcome: ${lineAt(outcome, "title")}`,
      paragraphs: [
        ...wrappedParagraphs(textAt(outcome, "description")),
        named("Time frame", lineAt(outcome, "timeFrame")),
        lineAt(outcome, "populationDescription"),
        unitsOf(outcome),
      ],
      groups: groupsOf(outcome, "groups"),
      rows: rowsOf(outcome),
      analyses: listAt(outcome, "analyses").map(analysisOf),
    })),
    part(
      "Adverse Events",
      [lineAt(events, "timeFrame"), lineAt(events, "description")],
      groupsOf(events, "eventGroups"),
    ),
    ...eventsOf(events, "seriousEvents", "Serious Adverse Events"),
    ...eventsOf(events, "otherEvents", "Other Adverse Events"),
    part("Limitations and Caveats", [lineAt(objectAt(more, "limitationsAndCaveats"), "description")]),
  ];
}

function fieldsOf(protocol: Json, study: Json): Trial["fields"] {
  const module = (name: string): Json => objectAt(protocol, `${name}Module`);
  const [status, design, eligibility, conditions] = ["status", "design", "eligibility", "conditions"].map(module) as [
    Json,
    Json,
    Json,
    Json,
  ];
  const interventions = listAt(module("armsInterventions"), "interventions");
  const derived = objectAt(study, "derivedSection");
  const healthy = eligibility["healthyVolunteers"];
  const designInfo = objectAt(design, "designInfo");
  const meshes = ["conditionBrowseModule", "interventionBrowseModule"].flatMap((name) =>
    listAt(objectAt(derived, name), "meshes"),
  );
  return {
    status: wordsOf(textAt(status, "overallStatus")),
    whyStopped: lineAt(status, "whyStopped"),
    phase: textsAt(design, "phases")
      .map((phase) =>
        phase
          .replace(/^PHASE/, "Phase ")
          .replace(/^EARLY_PHASE/, "Early Phase ")
          .replace("NA", "N/A"),
      )
      .join("/"),
    studyType: wordsOf(textAt(design, "studyType")),
    allocation: wordsOf(textAt(designInfo, "allocation")),
    masking: wordsOf(textAt(objectAt(designInfo, "maskingInfo"), "masking")),
    purpose: wordsOf(textAt(designInfo, "primaryPurpose")),
    enrolment: textAt(objectAt(design, "enrollmentInfo"), "count"),
    conditions: textsAt(conditions, "conditions"),
    keywords: textsAt(conditions, "keywords"),
    interventionNames: interventions.flatMap((one) => [lineAt(one, "name"), ...textsAt(one, "otherNames")]),
    mesh: meshes.map((one) => textAt(one, "term")),
    sponsor: lineAt(objectAt(module("sponsorCollaborators"), "leadSponsor"), "name"),
    countries: listAt(module("contactsLocations"), "locations").map((one) => textAt(one, "country")),
    sex: wordsOf(textAt(eligibility, "sex")),
    minimumAge: textAt(eligibility, "minimumAge"),
    maximumAge: textAt(eligibility, "maximumAge"),
    healthyVolunteers: typeof healthy === "boolean" ? (healthy ? "Yes" : "No") : "",
    startDate: dateAt(status, "startDateStruct"),
    completionDate: dateAt(status, "completionDateStruct"),
    lastUpdate: dateAt(status, "lastUpdatePostDateStruct"),
    hasResults: study["hasResults"] === true || isObject(study["resultsSection"]) ? "true" : "false",
  };
}

/** @throws DataError where the value has no protocol. */
export function trialOfJson(study: unknown): Trial {
  if (!isObject(study) || !isObject(study["protocolSection"])) {
    throw new DataError(`expected a study with its "protocolSection", got ${shown(study)}`);
  }
  const protocol = study["protocolSection"];
  const module = (name: string): Json => objectAt(protocol, `${name}Module`);
  const [identification, status, texts, arms, outcomes, eligibility] = [
    "identification",
    "status",
    "description",
    "armsInterventions",
    "outcomes",
    "eligibility",
  ].map(module) as [Json, Json, Json, Json, Json, Json];
  const outcome = (type: string): Trial["outcomes"] =>
    listAt(outcomes, `${type.toLowerCase()}Outcomes`).map((one) => ({
      type,
      measure: lineAt(one, "measure"),
      timeFrame: lineAt(one, "timeFrame"),
      description: lineAt(one, "description"),
    }));
  return {
    nct: textAt(identification, "nctId"),
    briefTitle: lineAt(identification, "briefTitle"),
    officialTitle: lineAt(identification, "officialTitle"),
    acronym: textAt(identification, "acronym"),
    summary: textAt(texts, "briefSummary"),
    description: textAt(texts, "detailedDescription"),
    outcomes: ["Primary", "Secondary", "Other"].flatMap(outcome),
    arms: listAt(arms, "armGroups").map((arm) => ({
      label: lineAt(arm, "label"),
      type: wordsOf(textAt(arm, "type")),
      description: lineAt(arm, "description"),
    })),
    interventions: listAt(arms, "interventions").map((one) => ({
      type: wordsOf(textAt(one, "type")),
      name: lineAt(one, "name"),
      description: lineAt(one, "description"),
    })),
    population: textAt(eligibility, "studyPopulation"),
    criteria: textAt(eligibility, "eligibilityCriteria"),
    results: isObject(study["resultsSection"]) ? resultsOf(study["resultsSection"]) : [],
    firstPosted: textAt(objectAt(status, "studyFirstPostDateStruct"), "date") || textAt(status, "studyFirstSubmitDate"),
    fields: fieldsOf(protocol, study),
  };
}

/** ClinicalTrials.gov's XML (public.xsd, published until 2024) as a trial. */
import { at, child, children, rawText, textAt, textOf, texts, type XmlElement } from "../xml/tree.ts";
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

const raw = (element: XmlElement | undefined): string => (element === undefined ? "" : rawText(element));
const dateAt = (study: XmlElement, name: string): string => trialDate(textAt(study, name)) ?? "";

function groupsOf(parent: XmlElement | undefined): Group[] {
  return children(child(parent, "group_list"), "group").map((group) => ({
    id: group.attributes["group_id"] ?? "",
    title: textAt(group, "title"),
    description: textAt(group, "description"),
  }));
}

/** "12.5 (3.1)", "0.9 (0.69 to 1.17)" */
function measured({ attributes }: XmlElement): string {
  const { value = "", spread, lower_limit: lower, upper_limit: upper } = attributes;
  const range = spread ?? (lower === undefined || upper === undefined ? undefined : `${lower} to ${upper}`);
  return range === undefined || range === "" ? value : `${value} (${range})`;
}

function rowsOf(measure: XmlElement | undefined): ResultRow[] {
  return children(child(measure, "class_list"), "class").flatMap((one) =>
    children(child(one, "category_list"), "category").map((category) => ({
      title: labelled(textAt(one, "title"), textAt(category, "title")),
      values: new Map(
        children(child(category, "measurement_list"), "measurement").map((value) => [
          value.attributes["group_id"] ?? "",
          measured(value) || textOf(value),
        ]),
      ),
    })),
  );
}

/** "Median (Full Range), Years" */
function unitsOf(measure: XmlElement | undefined): string {
  const [param, dispersion, units] = ["param", "dispersion", "units"].map((name) => textAt(measure, name));
  const kind = dispersion === "" ? param! : `${param} (${dispersion})`;
  return [kind, units].filter((part) => part !== "").join(", ");
}

function analysisOf(analysis: XmlElement): string {
  const value = (name: string): string => textAt(analysis, name);
  const interval = `${value("ci_percent")}% CI ${value("ci_lower_limit")} to ${value("ci_upper_limit")}`;
  return [
    value("groups_desc"),
    named("Method", value("method")),
    value("method_desc"),
    named("P-value", [value("p_value"), value("p_value_desc")].filter((part) => part !== "").join(" ")),
    labelled(value("param_type"), value("param_value")),
    value("ci_lower_limit") === "" ? "" : interval,
    value("estimate_desc"),
  ]
    .filter((part) => part !== "")
    .join("; ");
}

function eventsOf(reported: XmlElement | undefined, name: string, title: string): ResultPart[] {
  const rows = children(at(reported, name, "category_list"), "category").flatMap((category) =>
    children(child(category, "event_list"), "event").map((event) => ({
      title: labelled(textAt(category, "title"), textAt(event, "sub_title")),
      values: new Map(
        children(event, "counts").map(({ attributes }) => [
          attributes["group_id"] ?? "",
          `${attributes["subjects_affected"] ?? "?"}/${attributes["subjects_at_risk"] ?? "?"}`,
        ]),
      ),
    })),
  );
  return rows.length === 0 ? [] : [{ title, paragraphs: [], groups: groupsOf(reported), rows, analyses: [] }];
}

function flowOf(flow: XmlElement | undefined): ResultPart[] {
  if (flow === undefined) return [];
  const rows = children(child(flow, "period_list"), "period").flatMap((period) =>
    [
      ...children(child(period, "milestone_list"), "milestone"),
      ...children(child(period, "drop_withdraw_reason_list"), "drop_withdraw_reason"),
    ].map((one) => ({
      title: labelled(textAt(period, "title"), textAt(one, "title")),
      values: new Map(
        children(child(one, "participants_list"), "participants").map((count) => [
          count.attributes["group_id"] ?? "",
          count.attributes["count"] ?? textOf(count),
        ]),
      ),
    })),
  );
  const paragraphs = texts(children(flow, "recruitment_details", "pre_assignment_details"));
  return [{ title: "Participant Flow", paragraphs, groups: groupsOf(flow), rows, analyses: [] }];
}

function baselineOf(baseline: XmlElement | undefined): ResultPart[] {
  if (baseline === undefined) return [];
  const measures = children(child(baseline, "measure_list"), "measure");
  const rows = measures.flatMap((measure) =>
    rowsOf(measure).map((row) => ({
      ...row,
      title: labelled([textAt(measure, "title"), unitsOf(measure)].filter((part) => part !== "").join(", "), row.title),
    })),
  );
  const paragraphs = [
    textAt(baseline, "population"),
    ...texts(measures.flatMap((one) => children(one, "description"))),
  ];
  return [{ title: "Baseline Characteristics", paragraphs, groups: groupsOf(baseline), rows, analyses: [] }];
}

function resultsOf(results: XmlElement | undefined): ResultPart[] {
  if (results === undefined) return [];
  const reported = child(results, "reported_events");
  const outcomes = children(child(results, "outcome_list"), "outcome").map((outcome): ResultPart => {
    const measure = child(outcome, "measure");
    return {
      title: `${textAt(outcome, "type")} Outcome: ${textAt(outcome, "title")}`,
      paragraphs: [
        ...wrappedParagraphs(raw(child(outcome, "description"))),
        named("Time frame", textAt(outcome, "time_frame")),
        textAt(outcome, "population"),
        unitsOf(measure),
      ],
      groups: groupsOf(outcome),
      rows: rowsOf(measure),
      analyses: children(child(outcome, "analysis_list"), "analysis").map(analysisOf),
    };
  });
  return [
    ...flowOf(child(results, "participant_flow")),
    ...baselineOf(child(results, "baseline")),
    ...outcomes,
    {
      title: "Adverse Events",
      paragraphs: texts(children(reported, "time_frame", "desc")),
      groups: groupsOf(reported),
      rows: [],
      analyses: [],
    },
    ...eventsOf(reported, "serious_events", "Serious Adverse Events"),
    ...eventsOf(reported, "other_events", "Other Adverse Events"),
    {
      title: "Limitations and Caveats",
      paragraphs: [textAt(results, "limitations_and_caveats")],
      groups: [],
      rows: [],
      analyses: [],
    },
  ];
}

function fieldsOf(study: XmlElement): Trial["fields"] {
  const eligibility = child(study, "eligibility");
  const design = child(study, "study_design_info");
  const sponsor = at(study, "sponsors", "lead_sponsor", "agency");
  return {
    status: textAt(study, "overall_status"),
    whyStopped: textAt(study, "why_stopped"),
    phase: textAt(study, "phase"),
    studyType: textAt(study, "study_type"),
    allocation: textAt(design, "allocation"),
    masking: textAt(design, "masking"),
    purpose: textAt(design, "primary_purpose"),
    enrolment: textAt(study, "enrollment"),
    conditions: texts(children(study, "condition")),
    keywords: texts(children(study, "keyword")),
    interventionNames: texts(
      children(study, "intervention").flatMap((one) => children(one, "intervention_name", "other_name")),
    ),
    mesh: texts(
      children(study, "condition_browse", "intervention_browse").flatMap((one) => children(one, "mesh_term")),
    ),
    sponsor: textOf(sponsor),
    countries: texts(children(child(study, "location_countries"), "country")),
    sex: textAt(eligibility, "gender"),
    minimumAge: textAt(eligibility, "minimum_age"),
    maximumAge: textAt(eligibility, "maximum_age"),
    healthyVolunteers: textAt(eligibility, "healthy_volunteers"),
    startDate: dateAt(study, "start_date"),
    completionDate: dateAt(study, "completion_date"),
    lastUpdate: dateAt(study, "last_update_posted"),
    hasResults: child(study, "clinical_results") === undefined ? "false" : "true",
  };
}

export function trialOfXml(study: XmlElement): Trial {
  const eligibility = child(study, "eligibility");
  const outcome = (type: string, name: string): Trial["outcomes"] =>
    children(study, name).map((one) => ({
      type,
      measure: textAt(one, "measure"),
      timeFrame: textAt(one, "time_frame"),
      description: textAt(one, "description"),
    }));
  return {
    nct: textAt(study, "id_info", "nct_id"),
    briefTitle: textAt(study, "brief_title"),
    officialTitle: textAt(study, "official_title"),
    acronym: textAt(study, "acronym"),
    summary: raw(at(study, "brief_summary", "textblock")),
    description: raw(at(study, "detailed_description", "textblock")),
    outcomes: [
      ...outcome("Primary", "primary_outcome"),
      ...outcome("Secondary", "secondary_outcome"),
      ...outcome("Other", "other_outcome"),
    ],
    arms: children(study, "arm_group").map((arm) => ({
      label: textAt(arm, "arm_group_label"),
      type: textAt(arm, "arm_group_type"),
      description: textAt(arm, "description"),
    })),
    interventions: children(study, "intervention").map((one) => ({
      type: textAt(one, "intervention_type"),
      name: textAt(one, "intervention_name"),
      description: textAt(one, "description"),
    })),
    population: raw(at(eligibility, "study_pop", "textblock")),
    criteria: raw(at(eligibility, "criteria", "textblock")),
    results: resultsOf(child(study, "clinical_results")),
    firstPosted: textAt(study, "study_first_posted") || textAt(study, "study_first_submitted"),
    fields: fieldsOf(study),
  };
}

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { hasShared, shared } from "../../../test/support/shared.ts";
import { collect, outline, readAs } from "../../../test/support/sources.ts";
import { readSources } from "./open.ts";

const goldens = JSON.parse(readFileSync(new URL("../../../test/goldens/sources.json", import.meta.url), "utf8")) as {
  readonly trials: Readonly<Record<string, readonly string[]>>;
};

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

describe.runIf(hasShared("data/clinicaltrials-xml"))("real trials", () => {
  test("have every paragraph that lxml finds, in its order", async () => {
    const { documents, failures } = await collect(readSources([shared("data/clinicaltrials-xml")]));
    expect(failures).toEqual([]);
    expect(documents).toHaveLength(120);
    for (const { id, sections } of documents) {
      const ours = sections
        .filter(({ kind }) => kind !== "table")
        .flatMap(({ text }) => text.split("\n\n").map(digest));
      let at = 0;
      const missing = goldens.trials[`${id.slice("nct:".length)}.xml`]!.filter((paragraph) => {
        const found = ours.indexOf(paragraph, at);
        if (found >= 0) at = found + 1;
        return found < 0;
      });
      expect([id, missing]).toEqual([id, []]);
    }
  });

  test("have what selects them as metadata", async () => {
    const { documents } = await collect(readSources([shared("data/clinicaltrials-xml")]));
    const filled = (name: string): number => documents.filter(({ metadata }) => metadata[name] !== undefined).length;
    expect(["status", "phase", "enrolment", "conditions", "sex", "sponsor", "startDate"].map(filled)).toEqual([
      120, 92, 84, 120, 120, 120, 101,
    ]);
    expect(documents.filter(({ metadata }) => metadata["hasResults"] === "true")).toHaveLength(6);
    expect(documents.every(({ date }) => /^\d{4}-\d{2}-\d{2}$/.test(date ?? ""))).toBe(true);
  });
});

const xml = `<clinical_study><id_info><nct_id>NCT01</nct_id></id_info><brief_title>Brief</brief_title><official_title>Official</official_title>
<brief_summary><textblock>
      First line&#xD;
      goes on.&#xD;
&#xD;
      Second.
</textblock></brief_summary><overall_status>Completed</overall_status><start_date>July 1977</start_date><phase>Phase 2</phase>
<study_type>Interventional</study_type><primary_outcome><measure>Pain</measure><time_frame>2 weeks</time_frame></primary_outcome>
<enrollment>10</enrollment><condition>Ache</condition><arm_group><arm_group_label>A</arm_group_label><arm_group_type>Experimental</arm_group_type>
<description>Gets it.</description></arm_group><intervention><intervention_type>Drug</intervention_type><intervention_name>X</intervention_name></intervention>
<eligibility><criteria><textblock>Adults.</textblock></criteria><gender>All</gender><minimum_age>18 Years</minimum_age></eligibility>
<study_first_posted>November 4, 1999</study_first_posted><clinical_results><participant_flow><group_list><group group_id="P1"><title>A</title>
<description>All of them.</description></group></group_list></participant_flow><outcome_list><outcome><type>Primary</type><title>Pain</title>
<group_list><group group_id="O1"><title>A</title></group></group_list><measure><units>cm</units><param>Mean</param><class_list><class><category_list>
<category><measurement_list><measurement group_id="O1" value="1.5" spread="0.2"/></measurement_list></category></category_list></class></class_list></measure>
</outcome></outcome_list></clinical_results></clinical_study>`;

const study = {
  protocolSection: {
    identificationModule: { nctId: "NCT01", briefTitle: "Brief", officialTitle: "Official" },
    statusModule: {
      overallStatus: "COMPLETED",
      startDateStruct: { date: "1977-07" },
      studyFirstPostDateStruct: { date: "1999-11-04" },
    },
    descriptionModule: { briefSummary: "First line\ngoes on.\n\nSecond." },
    conditionsModule: { conditions: ["Ache"] },
    designModule: { studyType: "INTERVENTIONAL", phases: ["PHASE2"], enrollmentInfo: { count: 10 } },
    armsInterventionsModule: {
      armGroups: [{ label: "A", type: "EXPERIMENTAL", description: "Gets it." }],
      interventions: [{ type: "DRUG", name: "X" }],
    },
    outcomesModule: { primaryOutcomes: [{ measure: "Pain", timeFrame: "2 weeks" }] },
    eligibilityModule: { eligibilityCriteria: "Adults.", sex: "ALL", minimumAge: "18 Years" },
  },
  resultsSection: {
    participantFlowModule: { groups: [{ id: "P1", title: "A", description: "All of them." }] },
    outcomeMeasuresModule: {
      outcomeMeasures: [
        {
          type: "PRIMARY",
          title: "Pain",
          unitOfMeasure: "cm",
          paramType: "Mean",
          groups: [{ id: "O1", title: "A" }],
          classes: [{ categories: [{ measurements: [{ groupId: "O1", value: "1.5", spread: "0.2" }] }] }],
        },
      ],
    },
  },
  hasResults: true,
};

describe("trials", () => {
  test("are the same document as XML and as JSON of API version 2", async () => {
    const [old, recent] = [await readAs("t.xml", xml), await readAs("t.json", JSON.stringify(study, null, 2))];
    expect([...old.failures, ...recent.failures]).toEqual([]);
    expect(recent.documents[0]).toEqual({ ...old.documents[0], source: "t.json" });
    expect(old.documents[0]).toMatchObject({ id: "nct:NCT01", title: "Brief", date: "1999-11-04", language: "en" });
    expect(old.documents[0]!.metadata).toMatchObject({
      status: "Completed",
      phase: "Phase 2",
      enrolment: "10",
      startDate: "1977-07",
    });
    expect(outline(old.documents[0]!)).toEqual([
      "[text] Official Title: Official",
      "[abstract] Brief Summary: First line goes on.\n\nSecond.",
      "[text] Primary Outcome Measures: Pain [2 weeks]",
      "[text] Arms: A (Experimental): Gets it.",
      "[text] Interventions: Drug: X",
      "[text] Eligibility Criteria: Adults.",
      "[text] Results > Participant Flow: A: All of them.",
      "[text] Results > Primary Outcome: Pain: Mean, cm",
      "[table] Results > Primary Outcome: Pain: \tA\n\t1.5 (0.2)",
    ]);
  });

  test("are read from a list, from a page of the API and from lines; one without its protocol is a failure", async () => {
    const other = {
      ...study,
      protocolSection: { ...study.protocolSection, identificationModule: { nctId: "NCT02", briefTitle: "B" } },
    };
    const forms = [
      JSON.stringify({ studies: [study, { bad: 1 }, other] }),
      JSON.stringify([study, { bad: 1 }, other], null, 1),
      [study, { bad: 1 }, other].map((one) => JSON.stringify(one)).join("\n"),
    ];
    for (const form of forms) {
      const { documents, failures } = await readAs("t.json", form);
      expect(documents.map(({ id }) => id)).toEqual(["nct:NCT01", "nct:NCT02"]);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toContain('study 2: expected a study with its "protocolSection", got {"bad":1}');
    }
  });
});

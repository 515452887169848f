/**
 * Names of genes, drugs and diseases in plain text, by their shapes: symbols, endings, the nouns that diseases end in. No
 * dictionary: what these miss or take wrongly, a tagger or mined relations do better, where they are given.
 */
import { UsageError } from "../errors.ts";
import { shown } from "../schema.ts";

export type NameKind = "gene" | "drug" | "disease" | "any";

/** Capitals that are methods, measures, molecules in general, reagents, media, strains or study terms, no genes. */
const noGenes = new Set(
  `ACS ADHD AIDS ANOVA ART ASA ATP AUC BBB BMI BP BPM CABG CAD CDC CHD CHF CI CKD CNS COPD COVID CPR CSF CT CVD DNA DSM ECG
  EEG ELISA EMA ESRD EU FACS FDA FISH GC GFP GI GWAS HAART HBV HCV HDL HIV HPLC HPV HR HRQOL ICD ICU II III IL ITT IV IVF
  LDL LV MCI MRI MRNA MS MSM NHS NIH NMR NSAID NYHA OR OS PBS PCI PCR PET PFS PTSD QOL QTL RCT RNA ROC ROS RR RT SARS SCI
  SD SDS SE SEM SF SNP SNPS SPECT SPSS SSRI STEMI TB TIA UK US USA UV VAS VO2 WBC WHO WT YEARS DESIGN METHODS RESULTS
  CONCLUSION CONCLUSIONS BACKGROUND OBJECTIVE AIM AIMS AND THE FOR NOT WITH AD PD HD ALS TBI AF HF MI CHO HEK HELA CRP LPS PBMC
  ADL AFLP ALP BSA BL21 C57BL CDR CES-D BL21-DE3 CO2 DAB DAPI DE3 DMEM DMSO DTT EDTA EGTA EST FBS FCS FFQ FITC H2O2 HBA1C HEK293 HDL-C HDL2 HDL3 HEPES IPTG IQR LB LDL-C MES MMSE MOCA MOPS NACL
  NON-HDL PAGE PMSF PUFA PUFAS PVDF RFLP RIPA RPMI SDS-PAGE SSC SSR SYBR TAE TBE TBS TBST TE TEM TRIS TWEEN UTR VLDL VLDL-C`.split(
    /\s+/,
  ),
);
const symbol =
  /(?<![\p{L}\p{N}-])(?:[A-Z][A-Z0-9]{1,7}(?:-[A-Z0-9]{1,4})?|[A-Z][A-Za-z]{0,3}\d{1,3}[A-Za-z]?)(?![\p{L}\p{N}-])/gu;
const drug =
  /(?<![\p{L}-])\p{L}{2,}(?:mab|nib|statin|pril|sartan|olol|azole|mycin|micin|cillin|caine|azepam|oxacin|avir|[uo]vir|gliptin|gliflozin|glutide|parin|xaban|gatran|dipine|triptan|setron|tidine|prazole|platin|rubicin|taxel|asone|onide|profen|coxib|formin|fibrate|thiazide|semide|barbital|oxetine|aline|triptyline|apine|peridone|pirox|zepine|curium|fentanil|thyroxine|cycline|quine|mide|dronate|trexate)(?![\p{L}-])|\b(?:aspirin|warfarin|insulin|lithium|digoxin|morphine|clopidogrel|tamoxifen|donepezil|memantine|levodopa|caffeine|ketamine|paracetamol|acetaminophen)\b/giu;
const disease =
  /(?<![\p{L}\p{N}])(?:(?:\p{L}[\p{L}'’-]+) ){0,2}(?:diseases?|disorders?|syndromes?|cancers?|carcinomas?|tumou?rs?|infections?|failure|diabetes|stroke|infarction|dementia|deficiency|injury)(?![\p{L}])|(?<![\p{L}-])\p{L}{3,}(?:itis|osis|oma|omas|emia|aemia|opathy|algia|uria|penia|trophy|sclerosis|plegia|epsy|asthma|hypertension|fibrosis)(?![\p{L}])/giu;
/** What stands before a disease's noun and is no part of its name. */
const leads =
  /^(?:(?:a|an|the|of|in|with|for|and|or|to|on|by|from|as|is|are|was|were|has|had|have|this|that|these|all|other|new|common|severe|mild|progressive|chronic|acute|early|late|human|patients?|risk|their|its|his|her|between|among|against|such|no|any|both|known|first|primary|incident|develops?|developing|causes?|treat|treating|having|including|include|includes|like|than)\s+)+/i;

/** Names of a kind in a text, each spelling once. */
export function namesOf(kind: NameKind, text: string): string[] {
  const genes = (): string[] =>
    (text.match(symbol) ?? []).filter((one) => one.length > 2 && !noGenes.has(one.toUpperCase()));
  const drugs = (): string[] => (text.match(drug) ?? []).map((one) => one.toLowerCase());
  const diseases = (): string[] =>
    (text.match(disease) ?? [])
      .map((one) => one.replace(leads, "").toLowerCase())
      .filter(
        (one) =>
          !/^(?:diseases?|disorders?|syndromes?|cancers?|tumou?rs?|infections?|failure|deficiency|injury)$/.test(one),
      );
  const found = { gene: genes, drug: drugs, disease: diseases, any: () => [...genes(), ...drugs(), ...diseases()] };
  return [...new Set(found[kind]())];
}

export interface Wanted {
  readonly kind: NameKind;
  /** What the names are to be with: "APOE". */
  readonly anchor: string;
}

const kindOf: Readonly<Record<string, NameKind>> = {
  gene: "gene",
  protein: "gene",
  receptor: "gene",
  enzyme: "gene",
  target: "gene",
  biomarker: "gene",
  drug: "drug",
  medication: "drug",
  medicine: "drug",
  treatment: "drug",
  chemical: "drug",
  compound: "drug",
  therapy: "drug",
  therapie: "drug",
  disease: "disease",
  condition: "disease",
  disorder: "disease",
  syndrome: "disease",
  complication: "disease",
  illness: "disease",
  symptom: "disease",
};
const asked =
  /^(?:(?:which|what|list|name|find|the|all|are|known)\s+)*(\p{L}+?)s?\s+(?:(?:that|which|who|are|is|can|may|might|could|to|have|been)\s+)*(?:\p{L}+)(?:\s+(?:with|to|by|for|of|in|from|against|on))?\s+(.+?)\s*(?:include)?\s*[?.:…]*$/iu;

/**
 * Reads "genes that interact with APOE".
 * @throws UsageError for what is not of this form.
 */
export function readWanted(text: string): Wanted {
  const [, noun = "", anchor = ""] = asked.exec(text.replace(/\s+/g, " ").trim()) ?? [];
  const plain = anchor
    .replace(/["()[\]*]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  if (plain === "" || text.length > 300) {
    throw new UsageError(`hypotheses: expected names, what they do and to what, got ${shown(text)}`, {
      hint: 'such as "genes that interact with APOE", "drugs that treat narcolepsy" or "diseases associated with vitamin D"',
    });
  }
  return { kind: kindOf[noun.toLowerCase()] ?? "any", anchor: plain };
}

/**
 * Terms by which a corpus leans to some people and places: sex, pronouns, age, region, ethnicity, specialty, and harmful speech.
 * Counts for a report, by which nothing is dropped: there is no standard for a fair corpus, and a list of bad words that drops
 * documents drops sexual health first (Dodge et al. 2021, arXiv:2104.08758, of C4). Words of anatomy, sex and drugs are no harmful
 * speech here, and slurs count only in forms that have no other meaning.
 */

export const biasGroups = ["sex", "pronoun", "age", "region", "ethnicity", "specialty", "harmful"] as const;
export type BiasGroup = (typeof biasGroups)[number];
export type TermCounts = Readonly<Record<BiasGroup, Readonly<Record<string, number>>>>;

/** Term: the words and pairs of words that are counted as it. */
const terms: Readonly<Record<BiasGroup, Readonly<Record<string, string>>>> = {
  sex: {
    female: "female|females|woman|women|girl|girls|lady|ladies|mother|mothers|wife|daughter",
    male: "male|males|man|men|boy|boys|gentleman|gentlemen|father|fathers|husband|son",
    transgender:
      "transgender|transsexual|trans woman|trans women|trans man|trans men|gender dysphoria|nonbinary|non-binary",
    intersex: "intersex",
    pregnant: "pregnant|pregnancy|pregnancies|maternal|obstetric",
  },
  pronoun: { she: "she|her|hers|herself", he: "he|him|his|himself", they: "they|them|their|theirs|themselves" },
  age: {
    newborn: "newborn|newborns|neonate|neonates|neonatal|preterm|premature infants",
    child: "infant|infants|child|children|toddler|toddlers|pediatric|paediatric|schoolchildren",
    adolescent: "adolescent|adolescents|adolescence|teenager|teenagers|youth",
    adult: "adult|adults|adulthood|middle-aged",
    older:
      "elderly|older adults|older people|older patients|geriatric|aged patients|seniors|octogenarians|nonagenarians|centenarians|nursing home",
  },
  region: {
    "north america": "usa|u.s|united states|american|americans|canada|canadian",
    "latin america":
      "brazil|brazilian|mexico|mexican|argentina|chile|colombia|peru|ecuador|venezuela|bolivia|guatemala|cuba|latin america|central america|caribbean",
    europe:
      "europe|european|united kingdom|uk|england|british|france|french|germany|german|italy|italian|spain|spanish|netherlands|dutch|sweden|swedish|denmark|danish|norway|norwegian|finland|finnish|poland|polish|switzerland|swiss|austria|belgium|portugal|greece|greek|ireland|hungary|romania|ukraine|russia|russian|czech|serbia|croatia|bulgaria",
    "middle east and north africa":
      "egypt|egyptian|iran|iranian|iraq|israel|israeli|jordan|lebanon|saudi arabia|saudi|turkey|turkish|morocco|tunisia|algeria|libya|syria|yemen|qatar|kuwait|emirates|oman|palestine|palestinian",
    "sub-saharan africa":
      "africa|african|nigeria|nigerian|kenya|kenyan|ethiopia|ethiopian|ghana|uganda|tanzania|south africa|south african|rwanda|malawi|zambia|zimbabwe|mozambique|senegal|mali|cameroon|congo|sudan|somalia|sierra leone|gambia|botswana|burkina faso",
    "south asia": "india|indian|pakistan|pakistani|bangladesh|bangladeshi|sri lanka|nepal|nepalese|afghanistan|bhutan",
    "east asia": "china|chinese|japan|japanese|korea|korean|taiwan|taiwanese|hong kong|mongolia",
    "south-east asia":
      "thailand|thai|vietnam|vietnamese|indonesia|indonesian|malaysia|malaysian|philippines|filipino|singapore|myanmar|cambodia|laos",
    oceania: "australia|australian|new zealand|fiji|papua|samoa|pacific islands|aboriginal|maori|māori",
  },
  ethnicity: {
    black:
      "african american|african americans|african-american|african-americans|black patients|black women|black men|black people|afro-caribbean",
    white: "caucasian|caucasians|white patients|white women|white men|white people|whites|non-hispanic white",
    hispanic: "hispanic|hispanics|latino|latinos|latina|latinas|latinx",
    asian: "asian|asians|asian american|asian americans",
    indigenous:
      "native american|native americans|american indian|american indians|alaska native|alaska natives|indigenous|first nations|inuit|aboriginal|maori|māori|native hawaiian",
    jewish: "jewish|ashkenazi|sephardic",
    roma: "romani|roma people",
  },
  specialty: {
    cardiology: "cardiology|cardiac|cardiovascular|coronary|cardiologist",
    oncology: "oncology|cancer|cancers|carcinoma|tumor|tumors|tumour|tumours|chemotherapy|oncologist",
    neurology: "neurology|neurological|neurologic|stroke|epilepsy|dementia|parkinson|alzheimer|neurologist",
    psychiatry: "psychiatry|psychiatric|depression|depressive|schizophrenia|bipolar|anxiety|psychosis|psychiatrist",
    "infectious disease":
      "infection|infections|infectious|hiv|tuberculosis|malaria|hepatitis|sepsis|covid-19|influenza",
    pulmonology: "pulmonary|respiratory|asthma|copd|pneumonia|lung",
    gastroenterology: "gastrointestinal|gastroenterology|colitis|liver|hepatic|bowel|endoscopy|colonoscopy",
    endocrinology: "diabetes|diabetic|insulin|thyroid|endocrine|endocrinology|obesity",
    nephrology: "renal|kidney|dialysis|nephrology|nephropathy",
    "obstetrics and gynaecology":
      "obstetrics|gynecology|gynaecology|pregnancy|cesarean|caesarean|uterine|ovarian|cervical|contraception",
    paediatrics: "pediatrics|paediatrics|pediatric|paediatric|neonatal",
    surgery: "surgery|surgical|surgeon|laparoscopic|resection|anesthesia|anaesthesia",
    orthopaedics: "orthopedic|orthopaedic|fracture|fractures|arthroplasty|osteoarthritis",
    dermatology: "dermatology|skin|dermatitis|psoriasis|melanoma",
    ophthalmology: "ophthalmology|retinal|retina|glaucoma|cataract|cornea",
    rheumatology: "rheumatology|arthritis|lupus|rheumatoid",
    urology: "urology|urinary|prostate|prostatic|bladder",
    haematology: "hematology|haematology|leukemia|leukaemia|lymphoma|anemia|anaemia|thrombosis",
    "sexual health":
      "sexual health|sexually transmitted|gonorrhea|gonorrhoea|syphilis|chlamydia|contraceptive|contraceptives|erectile",
    dentistry: "dental|dentistry|tooth|teeth|periodontal|oral health",
    radiology: "radiology|mri|radiograph|radiographs|ultrasound|tomography",
    nursing: "nursing|nurse|nurses",
    "public health": "public health|epidemiology|vaccination|vaccine|screening",
  },
  harmful: {
    insult: "idiot|idiots|moron|morons|imbecile|imbeciles|scumbag|scumbags|lowlife|subhuman|subhumans",
    profanity:
      "fuck|fucking|fucked|fucker|shit|shitty|bullshit|asshole|assholes|motherfucker|bitch|bitches|bastard|bastards",
    threat: "kill yourself|kill them|deserve to|should die|exterminate them",
    stigma:
      "drug abuser|drug abusers|addict|addicts|alcoholics|junkie|junkies|mentally retarded|retard|retards|cripple|cripples|lunatic|lunatics|schizophrenics|hermaphrodite|hermaphrodites",
    "explicit sites": "porn|porno|milf|camgirl|camgirls|escort service|escort services",
  },
};

interface Entry {
  readonly group: BiasGroup;
  readonly term: string;
}

/** By word, or by two words with a space; the first words of pairs are known, so that pairs are built for them alone. */
const [single, pairs, firstWords] = ((): [Map<string, Entry[]>, Map<string, Entry[]>, Set<string>] => {
  const [single, pairs]: Map<string, Entry[]>[] = [new Map(), new Map()];
  const firstWords = new Set<string>();
  for (const group of biasGroups) {
    for (const [term, listed] of Object.entries(terms[group])) {
      for (const said of listed.split("|")) {
        const map = said.includes(" ") ? pairs! : single!;
        if (said.includes(" ")) firstWords.add(said.slice(0, said.indexOf(" ")));
        map.set(said, [...(map.get(said) ?? []), { group, term }]);
      }
    }
  }
  return [single!, pairs!, firstWords];
})();

const wordPattern = /[\p{L}\p{N}]+(?:[.'’-][\p{L}\p{N}]+)*/gu;

/** How often each term's words stand in `text`, by group; terms that do not are left out. Time grows with the text alone. */
export function countTerms(text: string): TermCounts {
  const counts = Object.fromEntries(biasGroups.map((group) => [group, {} as Record<string, number>])) as Record<
    BiasGroup,
    Record<string, number>
  >;
  const add = (entries: readonly Entry[] | undefined): void => {
    for (const { group, term } of entries ?? []) counts[group][term] = (counts[group][term] ?? 0) + 1;
  };
  let [previous, previousEnd] = ["", -2];
  wordPattern.lastIndex = 0;
  for (let match = wordPattern.exec(text); match !== null; match = wordPattern.exec(text)) {
    const end = match.index + match[0].length;
    // A run that no word is: cut, not copied.
    const word = match[0].length > 40 ? "" : match[0].toLowerCase();
    const entries = single.get(word);
    // "his" is a pronoun, "His" a bundle; "US" a country, "us" a pronoun.
    if (entries !== undefined) add(match[0] === "His" && text.startsWith(" bundle", end) ? undefined : entries);
    else if (match[0] === "US") add(single.get("usa"));
    if (previousEnd === match.index - 1 && firstWords.has(previous)) add(pairs.get(`${previous} ${word}`));
    [previous, previousEnd] = [word, end];
  }
  return counts;
}

/** Counts of several texts as one. */
export function addTerms(all: readonly TermCounts[]): TermCounts {
  const sum = Object.fromEntries(biasGroups.map((group) => [group, {} as Record<string, number>])) as Record<
    BiasGroup,
    Record<string, number>
  >;
  for (const counts of all) {
    for (const group of biasGroups) {
      for (const [term, count] of Object.entries(counts[group])) sum[group][term] = (sum[group][term] ?? 0) + count;
    }
  }
  return sum;
}

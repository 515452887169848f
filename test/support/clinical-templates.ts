/** Templates of `clinical-notes.ts`, written for it, in the styles of admission, discharge, radiology, nursing, letters, calls. */

export const developed: readonly string[] = [
  `PATIENT NAME: {PC}
MRN: {MRN}   DOB: {DATE}   ACCT #: {ACCT}
ADMISSION DATE: {DATE}
DISCHARGE DATE: {DATE}
ATTENDING PHYSICIAN: {DN}, M.D.

HISTORY OF PRESENT ILLNESS: {MR} {PL} is a {YEARS}-year-old {SEX} with Parkinson disease who was transferred from {HOSP} on {NMD} after a fall. {HE} lives in {TOWN}, {STATE} with {HIS} daughter, {RF}. Dr. {EL} of neurology was consulted.
HOSPITAL COURSE: A Foley catheter was placed. Ejection fraction 55%. Strength was 4/5 in both legs. Given Lasix 40 mg daily. {MR} {PL} did well and was discharged in stable condition.
FOLLOWUP: With Dr. {EL} on {LONG}. Call {PHONE} with questions.

Dictated by: {DN}, MD
D: {DATE}   T: {DATE}`,
  `Dear Dr. {EL}:

Thank you for referring {PN}, a pleasant {YEARS} year old {SEX}, whom I saw on {LONG}. As you know, {PF} has Crohn's disease and was last seen in {MY}. {HE} works at {HOSP} and lives at {STREET}, {TOWN}, {STATE} {ZIP}.

On examination, blood pressure 120/80, pulse 72, weight 180 pounds. Murphy's sign negative. Bell's palsy on the left has resolved.

I plan to see {MR} {PL} again in 3 months. Please call me at {PHONE} or fax {FAX}.

Sincerely,
{DN}, MD, FACS
cc: {GN}, MD`,
  `NURSING NOTE {DATE} 14:35
Pt {PN} (MRN {MRN}) resting comfortably. Husband {RF} at bedside. Dr. {DL} paged at 1420 re: K 3.1. Pt's son {SN} called from {TOWN}; phone {PHONE}. Seen by Nurse {GL} RN this am. Will recheck K on {WD}. Foley draining clear urine.`,
  `EMERGENCY DEPARTMENT
Name: {PLFM}     SSN: {SSN}     Medicare #: {PLAN}
Address: {STREET}, {TOWN}, {STATENAME} {ZIP}
Home phone: {PHONE}   Email: {EMAIL}
Emergency contact: {RN} (wife) {PHONE}
PCP: {DN}

{YEARS}-year-old {SEX} brought by EMS after MVC on {HOL}. License plate {PLATE}, VIN {VIN}. Glasgow coma scale 15. Driver's license {LIC}.`,
  `RADIOLOGY REPORT
Patient: {PLF}
Accession: {ID}
Exam date: {DATE}
Ordering provider: {DN}, MD
CT head without contrast. Comparison: {DATE}.
FINDINGS: No acute intracranial hemorrhage. 3.5 x 2.1 cm lesion at C5-C6 level.
Electronically signed by {EN}, MD on {DATE} at 10:15 AM. NPI {NPI}.`,
  `OPERATIVE REPORT
SURGEON: {DN}, MD
ASSISTANT: {EN}, PA-C
ANESTHESIOLOGIST: {GN}, MD
Pacemaker serial number: {SERIAL}. DEA# {DEA}.
A Kelly clamp and a Penrose drain were used; Bovie electrocautery for hemostasis. Allis clamps were placed. The patient tolerated the procedure well. Dr. {DL} was present throughout.`,
  `SOCIAL WORK: {PN} is a {AGE}-year-old {SEX} from {COUNTY}. {HIS} sister {RN} holds power of attorney. {PF} enjoys gardening. Family may be reached at {PHONE}. Records at {URL}, uploaded from {IP}. Policy number {PLAN}.`,
  `Progress note, {LONG}

S: {PF} reports feeling better today. No chest pain. {HIS} mother {RF} is worried about the Dupuytren contracture. Says {he} saw {DN} at {HOSP} back in {MY} for the same complaint.
O: T 98.6, BP 130/85, HR 80, SpO2 97% on RA. Homans sign negative bilaterally. Babinski downgoing.
A/P: 1. Hypertension, continue lisinopril 10 mg daily. 2. Graves disease, TSH pending. Return on {DATE} or sooner. I discussed the plan with {MR} {PL}.

{DN} MD`,
  `DISCHARGE SUMMARY
Name:  {PC}            Unit No:  {MRN}
Admitted:  {DATE}      Discharged:  {DATE}
Service: Medicine      Attending:  {DC}

The patient is a {AGE} y.o. {SEX} known to Dr. {DL} from prior admissions ({NMY} and {NMY}). {HE} presented on {MD} with melena. EGD by Dr. {EN} showed Barrett's esophagus and a Mallory-Weiss tear. Over the {HOL} weekend {he} was transfused 2 units. {HIS} niece, {RN}, lives in {TOWN} and will help at home.

Signed electronically by {GFML}, M.D. {DATE} 0935
Job ID {ID}`,
  `TELEPHONE ENCOUNTER
Caller: {RN} (daughter)      Callback: {PHONE}
Message: {RF} called about {HIS} father, {PN}, DOB {DATE}. He ran out of Coumadin on {WD}. Pharmacy is Walgreens on {STREET}. Member ID {PLAN}. Spoke with {GL}, RN, who will let Dr. {DL} know. Email {EMAIL}.`,
  `To Whom It May Concern:

{PFML} (date of birth {LONG}) has been under my care since {MY}. {MR} {PL} was evaluated in our {TOWN} office on {DATE} and may return to work on {DATE}. {PF} should not lift more than 20 pounds.

If you have questions contact my office: tel {PHONE}, facsimile {FAX}, {EMAIL}.

Respectfully,

{DFML}, D.O.
License No. {LIC}    NPI: {NPI}
{STREET}
{TOWN}, {STATE} {ZIP}`,
  `PSYCHIATRY INTAKE
Identifying data: {PN} is a {YEARS}-year-old married {SEX}, resident of {TOWN}, {STATENAME}, self-referred.
Chief complaint: "I can't sleep since {HOL}."
HPI: {PF} describes low mood since {MY}, when {HIS} brother {RF} died. {PF}'s therapist, {DN}, LCSW, started CBT. Previously treated by Dr. {EL} at {HOSP} with Zoloft and Wellbutrin. Beck Depression Inventory 28.
Collateral: spouse {SF} confirms.
Legal: vehicle impounded, plate number {PLATE}. Case manager {GN} can be reached on {PHONE}.`,
  `CARDIOLOGY CONSULTATION
Requesting physician: {DLF}
Consultant: {EN}, MD
Patient: {PN}      Account Number: {ACCT}      Visit: {DATE}

Thank you for asking us to see this {YEARS} yo {SEX}. Per Dr. {DL}, a Medtronic device (S/N {SERIAL}) was implanted {LONG} at {HOSP}. Swan-Ganz numbers: CI 2.4. Holter showed PVCs. {MR} {PL} denies syncope. Follow up with Drs. {EL} and {GL} within 2 weeks, by {MD} at the latest.`,
  `PATHOLOGY
Specimen #: {ID}      Collected: {DATE}      Received: {DATE}
Patient: {PCN}   SS# {SSN}   Sex: F
Submitting MD: {DN}
Gross: received in formalin, labeled "{PL}, gallbladder", a 7.5 x 3.2 cm specimen.
Diagnosis: chronic cholecystitis. Reed-Sternberg cells absent. Gram stain negative.
Reported by {EN}, MD (verified {DATE}).`,
  `HOME HEALTH VISIT {NMD}
Arrived at {STREET}, {TOWN} at 0900. {MR} {PL} alert, oriented x3. Wife {RF} present. Wound 2 x 3 cm, Unna boot applied. Caregiver {SN} instructed. {PF} asked about the {WD} appointment with {DN}, NP at {HOSP}. Next visit on {NMD}. Lot # {SERIAL} for flu vaccine. Next of kin: {RN}, {PHONE}.`,
  `cc: chest pain
{PI} is a {YEARS} yr old {SEX} with no PMH. Works for the {COUNTY} sheriff. Was at a friend's house in {CITY} when the pain began on {LONG}. Friend {RF} drove {PF} to {HOSP}. EKG normal. Insurance policy # {PLAN}. Portal: {URL}; last login from {IP}. Will d/w Dr {DL} in am.
Resident: {EN}, PGY-2`,
  `OBSTETRICS
{PN}, G2P1, EDD {DATE}, presents for 20 week visit. Partner {RN} here today. Fundal height 20 cm. Braxton Hicks contractions only. Previous delivery {MY} by {DN}, CNM in {CITY}. Planning to travel to {CITY} for {HOL}. Declines Tdap. DEA {DEA} for script. RTC 4 weeks. {EFI}, MD`,
  `GERIATRICS CLINIC LETTER
{LONG}

RE: {PFML}
Medical record number {MRN}
Date of birth: {DATE}

Dear {EN},

It was a pleasure to meet {MR} {PL} and {HIS} son {RF} in clinic last {WD}. {MR} {PL}, who turned {AGE} this year, moved from {CITY} to an assisted living facility in {TOWN} in {MY}. {RF} noticed memory loss around {HOL}. MMSE 22/30. Lewy body dementia is possible; Alzheimer disease more likely. We will arrange an MRI at {HOSP} and start Aricept 5 mg.

With kind regards,

{DN}, MD
Phone {PHONE} / Fax {FAX}`,
  `SURGICAL PATHOLOGY CONSULT
Case: {ID}
Name: {PLF} ({MRN})
Ordering Physician: {DFML}, M.D.
Clinical history: mass. Ewing sarcoma is excluded by FISH. Call results to Dr. {DL} at {PHONE} on {DATE}. Frozen section discussed with Dr. {EN} by {GN} at 3:15 PM.
Slides were reviewed at intradepartmental conference with Dr. {GL}, who concurs.`,
  `ED triage: {YEARS}{SEX} BIBA from {STREET}, {TOWN}. Pt states name is {PN}, DOB {DATE}. Wife {RF} at bedside reports pt fell {MD}. Pt was seen at {HOSP} ({DATE}) by Dr. {DN}. Kernig and Brudzinski neg. NKDA. Meds: Norvasc, Lipitor. Ins: Blue Cross member ID {PLAN}. Contact {RN} {PHONE}.`,
  `DISCHARGE INSTRUCTIONS for {PF}
You were in the hospital from {DATE} to {DATE}. Your doctor was {DN}. Please see {EN}, MD in {TOWN} on {LONG} at 10:30 AM. Call {PHONE} if you have fever. Take prednisone 40 mg daily. Log in at {URL} or write to {EMAIL}. Your nurse today was {GF}.
Patient signature: {PN}     Witness: {GN}, RN     {DATE}`,
  `INTERVAL HISTORY: Since I last saw {MR} {PL} in {MY}, {he} has done well. {HIS} hip, replaced by Dr. {DN} in {MY}, no longer hurts. {HE} walks daily in {COUNTY}. {HIS} granddaughter {RF} graduated. Trendelenburg sign absent.
IMPRESSION: Status post total hip arthroplasty, implant serial no. {SERIAL}.
PLAN: X-ray {NMY}. {PF} will call with any problems. Copies to: {EN}, M.D.; {GN}, D.O.`,
  `PATIENT: {PCN}
ACCOUNT NO: {ACCT}
SOC SEC NO: {SSN}
HISTORY: THE PATIENT WAS ADMITTED ON {DATE} BY DR. {DN} AFTER A MOTOR VEHICLE ACCIDENT. SPOUSE, {RCN}, WAS NOTIFIED. VIN OF VEHICLE {VIN}, LICENSE PLATE {PLATE}. DRIVER'S LICENSE {LIC}. CT OF THE HEAD WAS NEGATIVE. BELL'S PALSY IN THE PAST.
{DN}, MD   NPI {NPI}   DEA {DEA}`,
  `Genetics phone note. Spoke with {PN} this morning about {HIS} BRCA1 result. {PF}'s maternal aunt {RN} had ovarian cancer at 52; cousin {SF} is healthy. Lynch syndrome and Li-Fraumeni excluded. {PF} would like the report mailed to {STREET}, {TOWN}, {STATENAME} {ZIP}. Next call on {WD} {DATE}. IP of the video visit: {IP}.
-- {DN}, MS, CGC`,
  `Procedure note ({DATE}): after consent from {PF} {PL}, the right knee was aspirated under ultrasound by {EN}, PA-C, supervised by {DN}, MD. A Cook needle was used; Gram stain and Ziehl-Neelsen pending. {MR} {PL} tolerated this well and left with {HIS} neighbor, {RF}. Follow-up {NMD}. Questions: {PHONE} or {EMAIL}.`,
  `School health form. Student {PN}, born {LONG}, attends {TOWN} High School. Mother: {RN}, {PHONE}. Father: {SN}. Pediatrician: Dr. {DFML}, {STREET}, {TOWN}, {STATE} {ZIP}. Insurance: Medicaid number {PLAN}. Asthma; carries albuterol. EpiPen for peanut allergy. Osgood-Schlatter disease in {MY}. Last physical {DATE}.`,
  `ICU rounds {DATE} 07:30. Bed 12. {PL}, {YEARS}yo, day 3 post CABG by {DL}. Swan-Ganz out. Levophed off since {NMD}. {EL} (renal) recommends CRRT. Daughter {RF} updated by phone ({PHONE}). Social work {GN} involved. Transfer to {HOSP} when bed available, maybe {WD}. Attending: {DN}.`,
  `Neurology follow up visit

{PN} comes today accompanied by {HIS} partner {RF}. The last visit was on {DATE}. Since then {PF} has had two seizures, one on {LONG} and one on {HOL}. Keppra was raised by my colleague {EN} in {MY}. Todd paralysis lasted an hour. Jacksonian march was described by {RF}. {HE} sees Dr. {GL} at {HOSP} for Hashimoto thyroiditis.

Plan: EEG in {TOWN} on {WD}. {MR} {PL} was told not to drive. I can be reached at {PHONE}.

Signed: {DN}, MD  {DATE}`,
  `ADMIT DATE: {DATE}
PT: {PC}   MR#: {MRN}   ROOM: 412B
PHYSICIAN: {DCN}, MD
CHIEF COMPLAINT: HIP PAIN.
THIS {AGE} YEAR OLD {SEX} RESIDENT OF {TOWN} FELL AT HOME. DR. {EL} OF ORTHOPEDICS WAS CONSULTED AND PLACED A DYNAMIC HIP SCREW ON {DATE}. BUCK TRACTION BEFORE SURGERY. DAUGHTER {RCN} ({PHONE}) IS HEALTH CARE PROXY.
DISCHARGED TO {HOSP}.`,
  `Message from patient portal ({DATE}, IP {IP})
From: {PN} <{EMAIL}>
To: Dr. {DN}
Subject: refill
Hi Dr. {DL}, this is {PF}. I ran out of my metformin while visiting my sister {RF} in {CITY}. Could you send it to the pharmacy on {STREET}? My member number is {PLAN} and my cell is {PHONE}. Thanks! {PF}
Reply from {GN}, LPN: Refill sent {DATE}, {PF}. Please book with {EN} by {MD}.`,
  `CONSENT FORM
I, {PN}, born {LONG}, residing at {STREET}, {TOWN}, {STATE} {ZIP}, authorize {DN}, MD and assistants at {HOSP} to perform a Whipple procedure. Interpreter: {GN} (ID {ID}). Relative informed: {RN}, brother. Social security number {SSN}. Witnessed by {EN} on {DATE}.`,
  `Tumor board, {LONG}. Presenter {DN}. Case: {YEARS}F, {PN}, referred by {EN} ({HOSP}). Path ({ID}) shows ductal carcinoma; Ki-67 30%. History of Hodgkin lymphoma treated in {MY}. {GL} favors neoadjuvant therapy; {DL} will discuss with {PF} at the visit on {NMD}. Paget disease excluded. Study coordinator {SN} to screen. Chart: {URL}`,
  `Physical therapy discharge note. {MR} {PL} was seen 12 times between {DATE} and {DATE} by {DN}, PT, DPT after rotator cuff repair by Dr. {EL}. Neer and Hawkins signs now negative. {PF} returned to work as a driver for {COUNTY} schools on {MD}. Truck registration tag {PLATE}, VIN {VIN} recorded for the work comp claim. Insurer faxed at {FAX}. Account # {ACCT}.`,
  `Newborn record. Baby boy {PL}, born {LONG} at {HOSP} to {RN} and {SN}. Apgar 8 and 9. Moro reflex present. Seen by Dr. {DN}, neonatology; Dr. {EL} will be the pediatrician. Mother's MRN {MRN}. Hearing screen by {GN}, audiologist, on {DATE}. Pulse oximeter serial no {SERIAL}. Home address {STREET}, {TOWN}.`,
  `Prescription
{DFML}, M.D.   DEA No. {DEA}   NPI {NPI}   Lic# {LIC}
{STREET}, {TOWN}, {STATE} {ZIP}   Tel: {PHONE}   Fax: {FAX}
Patient: {PN}   DOB {DATE}   Address: {STREET}
Synthroid 50 mcg daily, #30, refills 3. Date {DATE}`,
  `Hospice nursing visit {DATE}. {PF} {PL}, {AGE} years old, sleeping most of the day. {RF}, {HIS} eldest daughter, drove in from {CITY} on {WD}. Chaplain {GL} stopped by. Comfort kit reviewed with {RF} and with {SN}, the night aide. Cheyne-Stokes breathing noted at 0400. Dr. {DL} notified at {PHONE}; {EF} from pharmacy will deliver morphine to {STREET}. Next of kin form signed by {RN}.`,
  `RHEUMATOLOGY CONSULT REQUEST
Requested by: {DN}, DO   Pager: {PHONE}
Pt: {PLF}   DOB: {DATE}   MRN: {MRN}
Reason: positive RNP and Smith antibodies, Raynaud phenomenon since {MY}. {PL} was diagnosed with Sjogren syndrome by {EN} in {CITY}. Records requested from {HOSP} ({FAX}). Insurance group number {PLAN}. Please copy {GN} and {SN} on the report.`,
  `Addendum by {DN}, {LONG}: I spoke again with {PF}'s father, who confirmed that {PF} was adopted from {CITY} in {MY}. {EN} in genetics agrees. Marfan and Ehlers-Danlos were considered. A letter went to {GN}, school nurse, by email ({EMAIL}). The {PL} family has moved to {STREET}, {TOWN}, {STATE} {ZIP}.`,
  `HISTORY: A {YEARS}-year-old man named {PN} was brought in by police officer {SL} (badge number {ID}) after his car (plate number {PLATE}, VIN {VIN}) hit a tree near {TOWN} on {HOL}. Friends {RF} and {GF} were uninjured. Driver license {LIC}; SSN {SSN}. {PF} denies alcohol. {EN} from orthopedics fixed a Colles fracture on {DATE}. Steinmann pin serial number {SERIAL}.`,
  `Transplant coordinator note
Recipient: {PN}   Donor: {RN} (cousin)   Account no. {ACCT}
{RF} completed the evaluation on {DATE} and {NMD}. Surgeon {DN} met both today; {EN} will cover while {DL} is away in {MON}. {PF}'s login from {IP} at {URL} shows labs viewed. Prograf 3 mg twice a day. Bowman capsule thickened on biopsy. NPI {NPI}, DEA {DEA}. Back in clinic on {WD}, {COUNTY} transport booked.`,
  `{LONG}
Dear Colleague,
I had the privilege of caring for {MR} {PN} of {TOWN}, {STATENAME}, during {HIS} stay at {HOSP}. As discussed with {EN} on the phone, {PL} had a Whipple resection by Professor {DL}. {PF} recovered well and walked with {RF} every day. Kindly see {PF} by {MD}.
Yours sincerely
{GN}
Consultant Surgeon`,
];

/**
 * The fifth of five sets, each written after the rules and measured before anything was mended: recall of names by rules 0.87, 0.90, 0.91, 0.90
 * and 0.85, with the linear model 0.93 (fourth) and 0.90 (fifth); of all else but a few dates and one label of numbers, all. What a set
 * showed was then mended in general, and it went to those above; this one's was, too, but the model is not trained on it.
 */
export const heldOut: readonly string[] = [
  `PULMONARY REHAB INTAKE
Client {PN} (DOB {DATE}; chart {MRN}) was seen with an interpreter, {GN}. {HE} retired from the railroad in 2004. Quit smoking after {HIS} brother {RF} had a stroke on {LONG}. {PF} walks two blocks. Spirometry at {HOSP} on {NMD} showed FEV1 45%. Referred by {DN}; copy of this note sent to {EN} ({FAX}). Emergency: call {SN}, son, {PHONE}.`,
  `Interim summary. {PL}, {PF} is a {AGE} yo {SEX} with Waldenstrom macroglobulinemia followed by {DL} since {MY}. Last IgM on {DATE}. Bence Jones protein absent. On {HOL} {he} fell at the home of {HIS} niece {RF} in {CITY}. Fracture fixed by {EN}, device S/N {SERIAL}. Family meeting on {WD} with {SF}, {GF} and Dr. {DL}; code status changed. Discharge to {HOSP} planned.`,
  `ALLERGY CLINIC -- {DN}, MD (NPI {NPI}; DEA {DEA})
Hello {PF}, your skin test from {DATE} was positive to cat. Please stop Zyrtec before the next visit on {MD}. My nurse {GF} will mail the EpiPen form to {STREET}, {TOWN}, {STATE} {ZIP}. Reach us at {PHONE} or {EMAIL}; results are on {URL}. If you moved to {CITY}, tell the front desk and ask for {SN}.
{DF}`,
  `WORKERS COMPENSATION REPORT
Claimant: {PN}    Claim number: {ID}    SSN: {SSN}    Date of injury: {DATE}
Employer contact: {RN}, {PHONE}
{MR} {PL} hurt {HIS} back while driving a truck (plate number {PLATE}; VIN {VIN}) through {COUNTY}. Seen by {EN}, DC, and later by orthopedist {GL}. Phalen and Tinel signs negative. License no. {LIC}. Bill to account {ACCT}, policy number {PLAN}. I reviewed the records of Dr. {DFML} dated {LONG}.`,
  `Labor and delivery note: {PF} arrived from {TOWN} at 0210 with {HIS} partner {RN}. Midwife {GN} attended; {DL} was on call. Pitocin started. Healthy infant named {SF} born {DATE}. Apgar 9 and 9. {RF} cut the cord. Erb palsy absent. Login by {EL} from {IP}. Discharge {WD}, visit with {DN} in {NMY}.`,
];

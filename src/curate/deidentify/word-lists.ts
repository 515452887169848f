/**
 * Words that decide whether a word with a capital is somebody's name: titles, credentials and relatives before or behind it; the
 * things that are named after people; the people after whom many are named, written by hand from general knowledge.
 */
const set = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

export const titles: ReadonlySet<string> = set(`
  dr mr mrs ms mx miss prof professor doctor drs messrs nurse rev reverend pastor rabbi sister brother deacon capt captain sgt
  sergeant lt lieutenant col colonel major officer deputy detective judge attorney hon honorable dra sra srta chaplain imam
  coach principal social-worker uncle aunt auntie grandma grandpa physician surgeon
`);
/** Said of things too, or of people without names: what follows must itself be a name. */
export const looseTitles: ReadonlySet<string> = set(`
  nurse sister brother major officer deputy detective judge attorney coach principal doctor professor uncle aunt auntie grandma
  grandpa physician surgeon pastor chaplain captain sergeant colonel rev hon honorable
`);

export const relatives: ReadonlySet<string> = set(`
  husband wife son daughter mother father brother sister aunt uncle cousin niece nephew grandson granddaughter grandmother
  grandfather stepmother stepfather stepson stepdaughter friend partner boyfriend girlfriend fiance fiancé fiancee fiancée spouse
  neighbor neighbour caregiver roommate guardian twin mom dad mum sibling siblings children kids sons daughters sister-in-law
  brother-in-law mother-in-law father-in-law son-in-law daughter-in-law colleague coworker landlord boss teacher therapist
  counselor sponsor pharmacist named manager worker aide coordinator presenter technician boy girl infant baby babyboy psychiatrist psychologist dentist cardiologist neurologist oncologist pediatrician gynecologist internist urologist dermatologist chiropractor midwife doula lawyer interpreter trainer midwives friends brothers sisters daughters sons parents twins
`);

/** Never part of a name, even with a capital behind a title or a label. */
export const stopWords: ReadonlySet<string> = set(`
  the a an this that these those he she it his her hers him they them their we our i you your who whom whose which what when where
  and or but nor so if as at by for from in into of off on onto out over per to under up with without is was are were be been has
  had have having does did do not no none unknown same see also then than there here all any each both after before during since
  until while because today tomorrow yesterday md rn np pa phd dictated transcribed signed patient date time name phone fax mrn dob
  age sex male female history exam examination allergies medications assessment plan diagnosis procedure impression findings
  monday tuesday wednesday thursday friday saturday sunday january february april august september october november december
  mr mrs ms dr miss please thank thanks yes daily denies noted unremarkable normal na tbd examinee applicant claimant sample client recipient donor addendum
`);

export const particles: ReadonlySet<string> = set(
  "de la del della di da dos van von der den ter ten bin ibn al el le du st",
);
export const suffixes: ReadonlySet<string> = set("jr sr ii iii iv");

/** Behind a name they make a thing of it: "Foley catheter", "Bell's palsy", "Murphy's sign". */
export const eponymNouns: ReadonlySet<string> = set(`
  disease diseases syndrome syndromes sign signs test tests testing maneuver manoeuvre catheter catheters drain drains tube tubes
  clamp clamps forceps retractor retractors scissors needle needles suture sutures stitch stitches incision position procedure
  operation technique repair method criteria score scores scoring scale scales index classification class stage grade fracture
  fractures palsy phenomenon reflex reflexes law triad tetralogy ulcer ulcers esophagus hernia ligament nerve node nodes canal
  duct ducts gland glands cyst cysts tumor tumors tumour sarcoma lymphoma carcinoma contracture ganglion space fascia fossa pouch
  line lines ring rings bodies body cells cell stain agar formula equation curve model regression blade blades laryngoscope brace
  splint bandage boot boots dressing dressings frame nail nails plate plates screw screws rod rods pin pins wire wires prosthesis
  prostheses implant implants valve valves shunt shunts filter stent stents balloon electrode electrodes speculum tenaculum
  dilator dilators trocar trocars port ports pump monitor gown hugger hook hooks elevator elevators rongeur rongeurs curette curet
  punch osteotome osteotomes saw drill knife scalpel snare probe probes cannula bag mask collar bed table stirrups tray sling
  stockings wrap packing solution paste cream powder gel spray inhaler chart board anemia anaemia thyroiditis arthritis nephritis
  encephalopathy chorea ataxia dystrophy atrophy paralysis neuralgia aphasia area gait crisis disorder deformity lesion spots
  nodules papilla tubercle process point plane angle view views murmur breathing respiration respirations effect factor antigen
  system protocol regimen diet exercise exercises block anesthesia anaesthesia approach flap graft grafts fundoplication
  anastomosis bypass pyeloplasty hysterectomy osteotomy arthroplasty resection excision vein artery apparatus device unit coil
  loop tip light lamp lens sheets inventory questionnaire depression scientific headrest headholder tongs traction cast spoon
  bulldog bone-holding sutured pickups pickup suction tip handle perforator rule rules distribution virus fever mark stria teeth
  granuloma keratoplasty corpuscle capsule tunnel pads pad membrane layer zone degeneration lymphadenopathy lymphocytes microscope
  needle-holder cardia microaneurysm attack seizures epilepsy prolapse osteoarthropathy mouse reaction tags pessary sponge gauze
  tamponade electrocautery cautery cup cups reamer tap swab sampler monofilament stethoscope spirometer hoods hood lavage count
  analysis nomogram expansion hemostat hemostats clip clips stapler staple cutter dissector bar bars pillow bolster ointment
  shield conformer implant-type amputation procedure-type operation-type arthrodesis transfer bunionectomy cerclage maneuvers
  tracheotomy gastrectomy urethroplasty hypospadias orchiopexy colporrhaphy colpocleisis tenodesis criterion epiphysis gland's
  medium plasty rhythm phase wave waves bundle splints protein proteins pusher balloons jeans venom dye hose silk spatula spatulas t-tube t-tubes sponges malformation malformations loupes instrument taper holder dissector dissectors shaver fibers pressure esophagitis's mucosa epithelium metaplasia segment dysplasia ulceration
`);

/** Alone they are an instrument, a finding or a brand more often than a person. */
export const eponyms: ReadonlySet<string> = set(`
  parkinson alzheimer crohn hodgkin huntington graves hashimoto addison cushing bell down turner klinefelter marfan ehlers danlos
  sjogren sjögren raynaud wegener kaposi kawasaki barrett meckel zenker hirschsprung wilson wilms ewing paget peyronie dupuytren
  colles smith-petersen foley penrose jackson-pratt hemovac blake bovie kocher kelly allis babcock adson debakey mayo metzenbaum
  deaver richardson army-navy weitlaner gelpi balfour bookwalter o'connor-o'sullivan lahey mixter schnidt crile heaney haney zeppelin
  veress hasson verres hegar hanks pratt sims graves-speculum auvard lowenstein kevorkian novak pipelle randall kerrison leksell
  cobb penfield woodson love-gruenwald rhoton yasargil mayfield gardner-wells trendelenburg fowler lloyd-davies valsalva
  murphy mcburney rovsing homans babinski hoffman hoffmann romberg phalen tinel finkelstein lachman mcmurray apley spurling hawkins
  neer lasegue trousseau chvostek kernig brudzinski brushfield cullen grey-turner virchow courvoisier charcot
  dieulafoy mallory weiss boerhaave schatzki bochdalek morgagni nissen toupet dor billroth roux whipple hartmann miles halsted
  bassini shouldice mcvay lichtenstein stamm witzel janeway kasai ladd heller swenson duhamel soave boley fallot eisenmenger
  ebstein fontan norwood glenn blalock taussig rastelli senning mustard jatene swan ganz hickman broviac groshong tenckhoff quinton
  cordis judkins amplatz seldinger starr carpentier bjork st-jude dacron gore-tex prolene vicryl monocryl dexon ethibond
  ethilon surgicel gelfoam avitene tegaderm opsite mastisol benzoin betadine steri-strip steri-strips dermabond coban kerlix
  ace kling xeroform adaptic telfa bactroban neosporin silvadene unasyn zosyn rocephin ancef kefzol lovenox coumadin plavix aspirin
  tylenol motrin advil vicodin percocet lortab ambien ativan valium xanax klonopin zoloft prozac paxil lexapro celexa effexor
  wellbutrin trazodone seroquel zyprexa risperdal abilify haldol lithium depakote tegretol dilantin keppra lamictal topamax neurontin
  lyrica lasix bumex zaroxolyn aldactone norvasc toprol lopressor coreg zestril lisinopril vasotec altace diovan cozaar avapro lipitor
  zocor crestor pravachol zetia tricor niaspan synthroid levoxyl glucophage glucotrol amaryl actos avandia lantus novolog humalog
  nexium prilosec protonix prevacid pepcid zantac reglan zofran phenergan compazine colace senokot miralax dulcolax albuterol
  atrovent combivent advair flovent singulair spiriva flonase nasonex zyrtec claritin allegra benadryl prednisone medrol decadron
  solu-medrol humira enbrel remicade methotrexate cipro levaquin avelox bactrim augmentin amoxil keflex zithromax biaxin doxycycline
  flagyl vancomycin diflucan acyclovir valtrex viagra cialis levitra flomax proscar avodart detrol ditropan fosamax boniva evista
  premarin provera depo-provera mirena versed propofol fentanyl demerol morphine dilaudid marcaine lidocaine xylocaine duramorph
  stryker zimmer depuy synthes biomet medtronic codman zimmer-biomet arthrex acufex mitek linvatec smith-nephew storz olympus
  pentax ethicon covidien tyco bard cook boston guidant biotronik sorin abbott pfizer merck lilly roche bayer siemens philips
  glasgow apgar karnofsky braden norton gleason clark breslow dukes child pugh ranson apache bishop ballard bishop's silverman
  tanner mallampati cormack lehane killip forrester framingham wells hamilton beck epworth folstein wechsler minnesota rorschach
  weber rinne snellen jaeger ishihara amsler goldmann schirmer schiotz schwalbe descemet bowman bruch haller sylvian willis galen
  douglas morison retzius gerota camper scarpa colle poupart hesselbach calot treitz oddi vater santorini wirsung stensen
  wharton bartholin skene cowper littre gartner mueller wolff langerhans peyer auerbach meissner purkinje his bachmann tawara
  schwann golgi nissl betz broca wernicke rolando sylvius monro magendie luschka rathke eustachian fallopian graafian nabothian
  kegel lamaze leopold braxton hicks spalding chadwick goodell montgomery naegele pinard kielland piper mclane
  wrigley mityvac bakri cooper's gram giemsa papanicolaou ziehl neelsen coombs coulter westergren
  doppler holter sestamibi thallium cardiolite persantine lexiscan adenosine baxter hudson venturi bipap cpap ambu 
  macintosh shiley bivona portex jackson passy muir yankauer salem sump levin miller-abbott cantor dobhoff dobbhoff ewald
  sengstaken blakemore minnesota ligaclip endo-gia endo harmonic ligasure gia ta eea thomason endocatch steri
  bankart sachs slap lisfranc pott monteggia galeazzi rolando's maisonneuve salter gartland
  schatzker garden pauwels ender kuntscher steinmann kirschner k-wire ilizarov hoffmann's pavlik browne ponseti 
  syme chopart ertl keller mcbride akin chevron lapidus reverdin silver weil chrisman broström brostrom
  girdlestone charnley austin-moore bateman osteonics mcmurray's bunnell kessler krackow ottawa pittsburgh
  esmarch cryocuff polar fluothane forane penlon israel rumel rumi kleppinger vital storz-hopkins hopkins brown-roberts-wells
  vonpetz buck cottle freer takahashi blakesley caldwell luc mcivor crowe ring-adair-elwyn boettcher hurd beaver
  castroviejo kuglen sinskey honan barraquer maloney tenon elschnig lieberman kratz viscoat healon miochol bss provisc
  denver toronto chiari glover kitner fogarty bard-parker ochsner munro berman merocel ellis owen rex ted doyle theo on-q apgars achilles coblation sofamor danek maverick z-pak q-tip q-tips band-aid velcro kleenex vaseline dial hibiclens chloraprep duraprep ioban techni-care pulsavac waterpik
  betaine lactated ringer hartman normosol plasmalyte dakin burow domeboro whitfield castellani
  lortab-elixir tobradex maxitrol ocuflox vigamox pred forte kenalog celestone aristocort
  caucasian hispanic latino latina african american asian european indian chinese japanese mexican english spanish french german
  italian irish christian jewish muslim catholic jehovah baptist protestant medicare medicaid blue-cross humana aetna cigna kaiser
`);

/** Two names that mean a thing together, with nothing behind them to say so. */
export const thingPairs: ReadonlySet<string> = new Set(
  "arnold chiari|austin flint|jackson pratt|stevens johnson|brown sequard|henry schein|russell viper|indigo carmine|johns hopkins|lockheed martin|jack daniel|jack daniels|jenny craig|roman catholic|vena cava|holy bible|general screen|cheyne stokes|wolff parkinson|zollinger ellison|guillain barre|osgood schlatter|prader willi|budd chiari|dandy walker|marie tooth|van buren|smith barney|austin moore|grey turner|bard parker|miller abbott|lloyd davies".split(
    "|",
  ),
);

export const credentials =
  "M\\.?D|D\\.?O|R\\.?N|N\\.?P|P\\.?A(?:-C)?|Ph\\.?\\s?D|Psy\\.?D|Pharm\\.?D|R\\.?Ph|D\\.?D\\.?S|D\\.?M\\.?D|D\\.?P\\.?M|D\\.?C|D\\.?P\\.?T|O\\.?D|L\\.?P\\.?N|L\\.?V\\.?N|B\\.?S\\.?N|M\\.?S\\.?N|A\\.?R\\.?N\\.?P|A\\.?P\\.?R\\.?N|C\\.?R\\.?N\\.?A|C\\.?N\\.?M|C\\.?N\\.?P|F\\.?N\\.?P(?:-C|-BC)?|L\\.?C\\.?S\\.?W|L\\.?M\\.?F\\.?T|L\\.?M\\.?S\\.?W|M\\.?S\\.?W|L\\.?P\\.?C|M\\.?B\\.?B\\.?S|M\\.?B\\.?,? ?Ch\\.?B|F\\.?A\\.?C\\.?[SPC]|E\\.?M\\.?T|P\\.?T|O\\.?T(?:R/L)?|R\\.?D|C\\.?N\\.?A|R\\.?R\\.?T|CCC-SLP|Esq";

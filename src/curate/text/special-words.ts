/**
 * English words that spaCy's tokenizer cuts in their own way (spaCy 3.8, 1,347 of them), as the endings that stems take: what
 * is contracted, times of day, abbreviations, faces. Facts in a compact form; only the cuts, not what the parts stand for.
 */

/** Stems, and endings that each takes, as written or with a capital; "|" parts tokens within an ending. */
const contractions: readonly (readonly [stems: string, endings: string])[] = [
  ["i", "'m m 'm|a m|a"],
  ["i you he she it we they", "'ll ll 'll|'ve ll|ve 'd d 'd|'ve d|ve"],
  ["i you we they", "'ve ve"],
  ["you we they", "'re re"],
  ["he she it", "'s s"],
  ["who what when where why how there that this these those", "'ll ll 'll|'ve ll|ve 'd d 'd|'ve d|ve"],
  ["who what when where why how there that this", "'s s"],
  ["who what when where why how there these those", "'re re 've ve"],
  ["ca could do does did had may might must need ought sha should wo would", "n't nt n't|'ve nt|ve"],
  ["could might must should would", "'ve ve"],
  ["ai are is was were have has dare", "n't nt"],
];
/** Contractions that are words of their own. */
const notContracted = "ill its hell shell shed were well whore";
/** Kept whole, as written or with a capital. */
const whole = "doin goin nothin nuthin ol somethin doin' goin' nothin' nuthin' ol' somethin' lovin lovin' havin havin'";
const parted = `y'|all y|all how|'d|'y How|'d|'y not|'ve not|ve Not|'ve Not|ve can|not Can|not gon|na Gon|na got|ta Got|ta
  let|'s Let|'s c'm|on C'm|on °|c|. °|f|. °|k|. °|C|. °|F|. °|K|.`;
/** Kept whole exactly as written. */
const exact = `
  em ll nuff 'em 'll 'nuff 'S 's ‘S ‘s and/or w/o 're 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout ma'am Ma'am o'clock
  O'clock Mt. Ak. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. Jul. Jun. Kan.
  Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct. Okla. Ore. Pa. S.C. Sep.
  Sept. Tenn. Va. Wash. Wis. 'd a.m. Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G. Gen. Gov. i.e. I.e. I.E. Inc. Jr. Ltd.
  Md. Messrs. Mo. Mont. Mr. Mrs. Ms. p.m. Ph.D. Prof. Rep. Rev. Sen. St. vs. v.s. \\t \\n — ' \\") <space> '' C++ a. b. c. d.
  e. f. g. h. i. j. k. l. m. n. o. p. q. r. s. t. u. v. w. x. y. z. ä. ö. ü. :) :-) :)) :-)) :))) :-))) (: (-: =) (= :] :-]
  [: [-: [= =] :o) (o: :} :-} 8) 8-) (-8 ;) ;-) (; (-; :( :-( :(( :-(( :((( :-((( ): )-: =( >:( :') :'-) :'( :'-( :/ :-/ =/
  =| :| :-| ]= =[ :1 :P :-P :p :-p :O :-O :o :-o :0 :-0 :() >:o :* :-* :3 :-3 =3 :> :-> :X :-X :x :-x :D :-D ;D ;-D =D xD XD
  xDD XDD 8D 8-D ^_^ ^__^ ^___^ >.< >.> <.< ._. ;_; -_- -__- v.v V.V v_v V_V o_o o_O O_o O_O 0_o o_0 0_0 o.O O.o O.O o.o 0.0
  o.0 0.o @_@ <3 <33 <333 </3 (^_^) (-_-) (._.) (>_<) (*_*) (¬_¬) ಠ_ಠ ಠ︵ಠ (ಠ_ಠ) ¯\\(ツ)/¯ (╯°□°）╯︵┻━┻ ><(((*>`;

const capital = (word: string): string => word[0]!.toUpperCase() + word.slice(1);
const both = (word: string): readonly string[] => [word, capital(word)];
const list = (words: string): readonly string[] => words.trim().split(/\s+/);

function specialWords(): Map<string, readonly string[]> {
  const cuts = new Map<string, readonly string[]>([" ", "\t", "\n", "\u00A0"].map((space) => [space, [space]]));
  const add = (tokens: readonly string[]): void => void cuts.set(tokens.join(""), tokens);
  for (const [stems, endings] of contractions) {
    for (const stem of list(stems).flatMap(both)) for (const ending of list(endings)) add([stem, ...ending.split("|")]);
  }
  for (let hour = 1; hour <= 12; hour++) for (const half of ["a.m.", "am", "p.m.", "pm"]) add([`${hour}`, half]);
  for (const tokens of list(parted)) add(tokens.split("|"));
  for (const word of list(notContracted).flatMap(both)) cuts.delete(word);
  for (const word of [...list(whole).flatMap(both), ...list(exact)]) add([word]);
  const typographic = [...cuts.values()].map((tokens) => tokens.map((token) => token.replaceAll("'", "’")));
  for (const tokens of typographic) add(tokens);
  return cuts;
}

/** Word to its tokens. */
export const specials: ReadonlyMap<string, readonly string[]> = specialWords();
export const longestSpecial: number = Math.max(...[...specials.keys()].map((word) => word.length));

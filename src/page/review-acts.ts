/** What a reviewer does with a document: its state with what others say, the steps, the decisions and their keys. */
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import { decisionKey, type Decision, type ReviewTriple } from "../extract/review-state.ts";
import type { ReviewDocument, ReviewShow } from "../serve/literature/replies.ts";
import { type ApiError, postJson, useJson } from "./api.ts";
import { isHeld, isTyping } from "./keys.ts";
import { selectedMention } from "./review-form.ts";
import { type ShownTriple, triplesOf } from "./review-model.ts";

/** How often what others say is looked for. */
const refreshMs = 4000;

export interface ReviewProps {
  /** Of the review, as the server has it. */
  readonly path: string;
  readonly id: string;
  readonly show: ReviewShow;
  readonly person: string;
  readonly relations: readonly string[];
  /** Goes to another document. */
  turn(id: string): void;
  /** Something was decided. */
  onChange(): void;
}

/** A triple that is being written. */
export interface Draft extends ReviewTriple {
  readonly original: Decision["original"];
  /** One that was added before, and is taken away for this one. */
  readonly replaces?: ShownTriple | undefined;
}

type Said = Pick<ReviewDocument, "decisions" | "none">;

interface Live {
  readonly document: ReviewDocument | undefined;
  readonly error: ApiError | undefined;
  readonly failed: ApiError | undefined;
  post(body: object): Promise<void>;
}

/** The document as it is now: looked for again and again, and at once after a decision of one's own. */
function useLive({ path, id, show, person, onChange }: ReviewProps): Live {
  const { value, error, reload } = useJson<ReviewDocument>(`${path}/documents/${encodeURIComponent(id)}?show=${show}`);
  const [said, setSaid] = useState<Said>();
  const [failed, setFailed] = useState<ApiError>();
  useEffect(() => setSaid(undefined), [value]);
  useEffect(() => {
    const timer = setInterval(reload, refreshMs);
    return () => clearInterval(timer);
  }, []);
  const post = async (body: object): Promise<void> => {
    try {
      setFailed(undefined);
      setSaid((await (await postJson(`${path}/decisions`, { person, ...body })).json()) as Said);
      // An answer that was on its way knows nothing of this yet.
      reload();
      onChange();
    } catch (failure) {
      setFailed(failure as ApiError);
    }
  };
  return { document: value === undefined ? undefined : { ...value, ...said }, error, failed, post };
}

interface Writing {
  readonly draft: Draft | undefined;
  readonly message: string;
  setDraft(draft: Draft | undefined): void;
  begin(triple: ShownTriple | undefined): void;
  mark(role: "head" | "tail"): void;
  save(): void;
}

/** One's decision on a triple, as the server takes it; null takes back what one said. */
function entryOf(document: string, triple: Draft | ShownTriple, decision: Decision["decision"] | null): object {
  const { original, head, tail, relation } = triple;
  return { document, original, head, tail, relation, decision };
}

/** A triple that is added or changed. */
function useWriting({ id, relations }: ReviewProps, post: Live["post"]): Writing {
  const [draft, setDraft] = useState<Draft>();
  const [message, setMessage] = useState("");
  const empty = (): Draft => {
    const nothing = { name: "", at: null };
    return { original: null, head: nothing, tail: nothing, relation: relations[0] ?? "" };
  };
  return {
    draft,
    message,
    setDraft,
    begin(triple) {
      setMessage("");
      if (triple === undefined) return setDraft(empty());
      const { original, head, tail, relation } = triple;
      setDraft({ original, head, tail, relation, replaces: original === null ? triple : undefined });
    },
    mark(role) {
      const mention = selectedMention();
      if (mention === null) return setMessage(`Select the ${role} in the text first`);
      setMessage("");
      setDraft((before) => ({ ...(before ?? empty()), [role]: mention }));
    },
    save() {
      if (draft === undefined) return;
      const named = ({ name, at }: ReviewTriple["head"]): ReviewTriple["head"] => ({ name: name.trim(), at });
      const { head, tail, relation, replaces } = draft;
      const whole = { ...draft, head: named(head), tail: named(tail), relation: relation.trim() };
      if ([whole.head.name, whole.tail.name, whole.relation].includes(""))
        return setMessage("A relation has a head, a tail and a name");
      const isOther = replaces !== undefined && decisionKey(whole) !== replaces.key;
      const gone = isOther ? [entryOf(id, replaces, null)] : [];
      void post({ decisions: [...gone, entryOf(id, whole, "accept")] });
      setDraft(undefined);
      setMessage("");
    },
  };
}

/** Keys act where nothing is typed and no dialog is open; while a triple is written, only those of the selection. */
function useKeys(acts: Readonly<Record<string, () => void>>, { draft, setDraft }: Writing): void {
  // With what is shown, not after its paint: a key pressed at once is about the relation that is seen.
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && draft !== undefined) return setDraft(undefined);
      if (isTyping(event) || isHeld(event)) return;
      if (document.querySelector("dialog[open]") !== null || !Object.hasOwn(acts, event.key)) return;
      if (draft !== undefined && !["h", "t"].includes(event.key)) return;
      event.preventDefault();
      acts[event.key]!();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}

export interface Reviewing extends Omit<Live, "post">, Writing {
  readonly triples: readonly ShownTriple[];
  readonly chosen: ShownTriple | undefined;
  choose(i: number): void;
  /** By key. */
  readonly acts: Readonly<Record<string, () => void>>;
}

export function useReview(props: ReviewProps): Reviewing {
  const { id, person, turn } = props;
  const { post, ...live } = useLive(props);
  const writing = useWriting(props, post);
  const [at, setAt] = useState(0);
  const { next = null, previous = null } = live.document ?? {};
  const triples = live.document === undefined ? [] : triplesOf(live.document, person);
  const place = Math.min(at, triples.length - 1);
  const chosen = triples[place];
  const go = (to: string | null): void => {
    if (to !== null) turn(to);
  };
  const step = (by: number): void => {
    if (triples[place + by] !== undefined) setAt(place + by);
    else go(by > 0 ? next : previous);
  };
  const decide = (decision: Decision["decision"] | null): void => {
    if (live.document === undefined || (chosen === undefined && decision === "reject")) return;
    if (chosen === undefined) void post({ none: { document: id, none: decision !== null } });
    else void post({ decisions: [entryOf(id, chosen, decision)] });
    if (decision !== null) step(1);
  };
  const acts = {
    a: () => decide("accept"),
    r: () => decide("reject"),
    u: () => decide(null),
    e: () => chosen !== undefined && writing.begin(chosen),
    m: () => writing.begin(undefined),
    h: () => writing.mark("head"),
    t: () => writing.mark("tail"),
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    n: () => go(next),
    p: () => go(previous),
  };
  useKeys(acts, writing);
  return { ...live, ...writing, triples, chosen, choose: setAt, acts };
}

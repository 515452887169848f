/** What a rater does with an item: picks, marks, reasons, saves, and the keys of all that. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { FeedbackItem } from "../serve/feedback/replies.ts";
import { type ApiError, postJson, useJson } from "./api.ts";
import { type Draft, draftOf, isComplete, mark, pick, says, tie } from "./feedback-model.ts";
import { isHeld, isTyping } from "./keys.ts";

export interface JudgingProps {
  readonly rater: string;
  /** From 1. */
  readonly number: number;
  /** Goes to another item; null: all are judged. */
  turn(number: number | null): void;
  /** What is saved has changed, and the item is shown still. */
  onChange(): void;
  /** Goes back to where the rater came from. */
  back(): void;
}

export interface Judging {
  readonly item: FeedbackItem | undefined;
  readonly error: ApiError | undefined;
  readonly failed: ApiError | undefined;
  readonly draft: Draft;
  readonly reason: string;
  /** It says what is not saved. */
  readonly changed: boolean;
  /** The next key of a number marks an answer as wrong. */
  readonly marking: boolean;
  readonly message: string;
  write(reason: string): void;
  choose(place: number): void;
  mark(place: number): void;
  /** Leaves the reason's box without saving. */
  leave(): void;
  save(): void;
  /** By key. */
  readonly acts: Readonly<Record<string, () => void>>;
}

const nothing: Draft = { ranks: [], wrong: [], tying: false };

/** Seconds that the item has been seen: what lies behind another tab is not counted. */
function useSeen(id: string | undefined): () => number {
  const seen = useRef({ before: 0, since: 0 });
  useEffect(() => {
    seen.current = { before: 0, since: performance.now() };
    const change = (): void => {
      const now = performance.now();
      if (document.hidden) seen.current.before += now - seen.current.since;
      seen.current.since = now;
    };
    document.addEventListener("visibilitychange", change);
    return () => document.removeEventListener("visibilitychange", change);
  }, [id]);
  return () => Math.round(seen.current.before + (performance.now() - seen.current.since)) / 1000;
}

export function useJudging({ rater, number, turn, onChange, back }: JudgingProps): Judging {
  const path = `/feedback/${number}`;
  const { value, error, loading } = useJson<FeedbackItem>(`${path}?rater=${encodeURIComponent(rater)}`);
  const [replied, setReplied] = useState<FeedbackItem>();
  const [steps, setSteps] = useState<readonly Draft[]>([]);
  const [reason, setReason] = useState("");
  const [marking, setMarking] = useState(false);
  const [message, setMessage] = useState("");
  const [failed, setFailed] = useState<ApiError>();
  const [busy, setBusy] = useState(false);
  const item = replied ?? value;
  const seconds = useSeen(item?.id);

  const show = (next: FeedbackItem): void => {
    setSteps([draftOf(next)]);
    setReason(next.own?.reason ?? "");
    setMarking(false);
    setMessage("");
  };
  useLayoutEffect(() => {
    if (value !== undefined) show(value);
  }, [value]);

  const draft = steps.at(-1) ?? nothing;
  const changed = steps.length > 1 || reason.trim() !== (item?.own?.reason ?? "");
  const ready = item !== undefined && !loading && !busy;
  const step = (next: Draft, said: string = ""): void => {
    setSteps([...steps, next]);
    setMarking(false);
    setMessage(said);
  };
  const post = async (to: string, body: object): Promise<FeedbackItem | undefined> => {
    setBusy(true);
    setFailed(undefined);
    try {
      return (await (await postJson(`${path}/${to}`, { rater, ...body })).json()) as FeedbackItem;
    } catch (failure) {
      setFailed(failure as ApiError);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  const stay = async (to: string, body: object, said: string): Promise<void> => {
    const next = await post(to, body);
    if (next === undefined) return;
    setReplied(next);
    show(next);
    onChange();
    setMessage(said);
  };

  const save = async (): Promise<void> => {
    if (!ready) return;
    if (item.own !== null && !changed) return turn(item.next);
    if (!says(draft)) {
      const keys = item.answers.map((_, i) => i + 1).join(", ");
      return setMessage(`Say first which is best: ${keys}, or t where they are equal`);
    }
    const { ranks, wrong } = draft;
    const next = await post("judgement", { judgement: { ranks, wrong, reason: reason.trim(), seconds: seconds() } });
    if (next !== undefined) turn(next.next);
  };
  const undo = async (): Promise<void> => {
    if (changed) {
      if (steps.length > 1) setSteps(steps.slice(0, -1));
      else setReason(item?.own?.reason ?? "");
      setMarking(false);
      setMessage("");
    } else if (item?.own != null) await stay("judgement", { judgement: null }, "Taken back");
    else back();
  };
  const choose = (place: number): void => {
    if (!ready || place >= item.answers.length) return;
    if (marking) return step(mark(draft, place));
    const next = pick(draft, place);
    step(next, isComplete(next) ? "" : "Pick the next best, or save: the others are below, uncompared");
  };
  const reveal = (): void => {
    if (item?.own == null) setMessage("What others said is shown when you have judged");
    else if (item.revealed === null) void stay("reveal", {}, "");
  };
  const go = (to: number | null): void => {
    if (changed) setMessage("Not saved yet: Enter saves it, u undoes it");
    else turn(to);
  };
  const focus = (): void => document.querySelector<HTMLElement>("#reason")?.focus();

  const digits = Array.from({ length: 9 }, (_, i) => [String(i + 1), () => choose(i)] as const);
  const acts: Record<string, () => void> = {
    ...Object.fromEntries(digits),
    t: () => {
      const next = tie(draft);
      step(next, next.tying ? "Equal to the last: pick the next" : "");
    },
    w: () => {
      setMarking(!marking);
      setMessage(marking ? "" : "Which answer is wrong? Press its number");
    },
    r: focus,
    u: () => void undo(),
    o: reveal,
    n: () => go(item?.next ?? null),
    p: () => go(number - 1),
    ArrowLeft: () => go(number - 1),
    ArrowRight: () => go(number + 1),
    Enter: () => void save(),
    Escape: () => {
      setMarking(false);
      setMessage("");
    },
  };
  useKeys(acts, ready);
  return {
    item,
    error,
    failed,
    draft,
    reason,
    changed,
    marking,
    message,
    write: setReason,
    choose,
    mark: (place) => ready && step(mark(draft, place)),
    leave: () => (document.activeElement as HTMLElement | null)?.blur(),
    save: () => void save(),
    acts,
  };
}

/** Keys act where nothing is typed and no dialog is open, and not on what is about to change. */
function useKeys(acts: Readonly<Record<string, () => void>>, ready: boolean): void {
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent): void => {
      // On a French keyboard the row of digits gives them with Shift alone.
      const key = /^Digit([1-9])$/.exec(event.code)?.[1] ?? event.key;
      if (isTyping(event) || isHeld(event) || event.repeat || !Object.hasOwn(acts, key)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      // A button that is come to by Tab is pressed by Enter.
      const onControl = event.target instanceof HTMLElement && event.target.closest("button, a, summary") !== null;
      if (event.key === "Enter" && onControl) return;
      event.preventDefault();
      if (ready) acts[key]!();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  });
}

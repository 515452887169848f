/** Items under judgement as each rater sees them: answers in the rater's own order, others' judgements hidden until their own. */
import type { Item } from "../../feedback/items.ts";
import { type Judgement, type JudgementLog, orderFor, type Ranking } from "../../feedback/judgements.ts";
import { refusal } from "../failures.ts";
import { missing } from "../routes/schemas.ts";
import type { FeedbackItem, FeedbackProgress, ShownRanking } from "./replies.ts";

export interface FeedbackSession {
  progress(rater: string): Promise<FeedbackProgress>;
  /** @throws 404 where there is no such item. */
  item(rater: string, number: number): Promise<FeedbackItem>;
  /** @param ranking by places of the rater's screen. @throws 404; 400 for another number of answers. */
  judge(rater: string, number: number, ranking: Ranking): Promise<FeedbackItem>;
  takeBack(rater: string, number: number): Promise<FeedbackItem>;
  /** @throws 409 where the rater has not judged the item. */
  reveal(rater: string, number: number): Promise<FeedbackItem>;
}

/** @param all the items, of which the first is number 1. @param seed of the order of answers on each screen. */
export function createSession(all: readonly Item[], judgements: JudgementLog, seed: number): FeedbackSession {
  const find = (number: number): Item => {
    const item = all[number - 1];
    if (item === undefined) throw missing(`expected an item from 1 to ${all.length}, got ${number}`);
    return item;
  };
  /** As it was when the rater judged: a restart with another seed moves nothing that was seen. */
  const orderOf = (rater: string, { id, answers }: Item): readonly number[] =>
    judgements.by(rater, id)?.order ?? orderFor(seed, rater, id, answers.length);
  /** The first after `number` that the rater has not judged, round the end. */
  const openAfter = (rater: string, number: number): number | null => {
    for (let i = 0; i < all.length; i++) {
      const at = (number + i) % all.length;
      if (judgements.by(rater, all[at]!.id) === undefined) return at + 1;
    }
    return null;
  };
  const progressOf = (rater: string): FeedbackProgress => ({
    items: all.length,
    judged: all.filter(({ id }) => judgements.by(rater, id) !== undefined).length,
    open: openAfter(rater, 0),
    raters: judgements.raters(),
  });

  function itemFor(rater: string, number: number): FeedbackItem {
    const item = find(number);
    const { id, prompt, answers } = item;
    const order = orderOf(rater, item);
    const inPlaces = ({ ranks, wrong, reason }: Judgement): ShownRanking => ({
      ranks: order.map((i) => ranks[i]!),
      wrong: order.map((i) => wrong[i]!),
      reason,
    });
    const own = judgements.by(rater, id);
    const others = judgements.of(id).filter((one) => one.rater !== rater);
    return {
      number,
      id,
      prompt:
        typeof prompt === "string"
          ? [{ role: "user", text: prompt }]
          : prompt.map(({ role, content }) => ({ role, text: content })),
      answers: order.map((i) => answers[i]!.text),
      own: own === undefined ? null : inPlaces(own),
      revealed:
        own === undefined || !judgements.isRevealed(rater, id)
          ? null
          : {
              by: order.map((i) => answers[i]!.by),
              others: others.map((one) => ({ rater: one.rater, at: one.at, ...inPlaces(one) })),
            },
      next: openAfter(rater, number),
      progress: progressOf(rater),
    };
  }

  return {
    async progress(rater) {
      await judgements.refresh();
      return progressOf(rater);
    },
    async item(rater, number) {
      await judgements.refresh();
      return itemFor(rater, number);
    },
    async judge(rater, number, { ranks, wrong, reason, seconds }) {
      const item = find(number);
      const { length } = item.answers;
      if (ranks.length !== length)
        throw refusal(400, `ranks: expected one for each of ${length} answers, got ${ranks.length}`);
      await judgements.refresh();
      const order = orderOf(rater, item);
      const inFile = <T>(shown: readonly T[]): T[] => item.answers.map((_, i) => shown[order.indexOf(i)]!);
      await judgements.judge({
        rater,
        item: item.id,
        order,
        ranks: inFile(ranks),
        wrong: inFile(wrong),
        reason,
        seconds,
      });
      return itemFor(rater, number);
    },
    async takeBack(rater, number) {
      await judgements.takeBack(rater, find(number).id);
      return itemFor(rater, number);
    },
    async reveal(rater, number) {
      const { id } = find(number);
      await judgements.refresh();
      if (judgements.by(rater, id) === undefined) {
        throw refusal(409, `item ${number}: others' judgements are shown to those who have judged it`);
      }
      if (!judgements.isRevealed(rater, id)) await judgements.reveal(rater, id);
      return itemFor(rater, number);
    },
  };
}

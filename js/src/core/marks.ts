// What will be answered for each card of a sheet: what is proposed, unless the card was marked.

import type { Card } from "../sheet-wire";

/** "wrong" is not what is proposed, and not yet anything else: it must become a class, or be left out. */
export interface Mark {
  readonly answer: "label" | "skip" | "unsure" | "wrong";
  readonly value: string | null;
}

export type Marks = ReadonlyMap<string, Mark>;

export function proposal({ proposed }: Card): Mark {
  return { answer: "label", value: proposed };
}

/** Marks a card as wrong, or takes its mark away. Of two classes the other one is meant. */
export function toggled(marks: Marks, card: Card, classes: readonly string[]): Marks {
  const next = new Map(marks);
  if (next.delete(card.item_id)) return next;
  const others = classes.filter((name) => name !== card.proposed);
  const [only] = others;
  return next.set(
    card.item_id,
    others.length === 1 && only != null ? { answer: "label", value: only } : { answer: "wrong", value: null },
  );
}

/** Gives a card an answer; what is proposed anyway needs no mark. */
export function marked(marks: Marks, card: Card, mark: Mark): Marks {
  const next = new Map(marks);
  if (mark.answer === "label" && mark.value === card.proposed) next.delete(card.item_id);
  else next.set(card.item_id, mark);
  return next;
}

/** Cards that are wrong and have no class yet. */
export function unresolved(cards: readonly Card[], marks: Marks): Card[] {
  return cards.filter(({ item_id }) => marks.get(item_id)?.answer === "wrong");
}

/** What is said of a card: its class, or what is done with it. */
export function spoken(mark: Mark): string {
  if (mark.answer === "label") return mark.value ?? "";
  return { skip: "left out", unsure: "unsure", wrong: "which class?" }[mark.answer];
}

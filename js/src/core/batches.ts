// Batches of answers: numbered, timed, and undone as a whole.

import type { Batch, BatchEvent, Card } from "../sheet-wire";
import { ItemClock } from "./clock";
import { type Mark, type Marks, proposal } from "./marks";
import type { Outbox } from "./outbox";

/** A batch that was given, with what was on the screen, so that it can be looked at again. */
export interface Given {
  readonly batch: Batch;
  readonly cards: readonly Card[];
  readonly marks: Marks;
}

interface Undone {
  readonly given: Given;
  /** The batch of undo events. */
  readonly by: Batch;
}

type Fields = Pick<BatchEvent, "item_id" | "answer" | "value" | "note" | "token" | "target" | "elapsed_ms">;

export class Batches {
  readonly clock: ItemClock;
  readonly #outbox: Outbox<Batch>;
  readonly #today: () => number;
  #given: Given[] = [];
  #undone: Undone[] = [];

  constructor(outbox: Outbox<Batch>, now: () => number, today: () => number) {
    this.#outbox = outbox;
    this.#today = today;
    this.clock = new ItemClock(now, today);
  }

  get newest(): Given | null {
    return this.#given.at(-1) ?? null;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  /** Answers cards. `watched` is what the clock knows them by: the time is shared equally. */
  give(watched: string, cards: readonly Card[], marks: Marks, modelShown: boolean): Batch {
    const { elapsed_ms, shown_at_ms } = this.clock.stop(watched);
    const batch = this.#batch(
      cards.map((card) =>
        this.#answer(card, marks.get(card.item_id) ?? proposal(card), elapsed_ms / cards.length),
      ),
      shown_at_ms,
      modelShown,
    );
    this.#given.push({ batch, cards, marks });
    this.#undone = [];
    return batch;
  }

  /** Takes back the newest batch; null when there is none. */
  undo(): Undone | null {
    const given = this.#given.pop();
    if (given == null) return null;
    const undone = { given, by: this.#takeBack(given.batch) };
    this.#undone.push(undone);
    return undone;
  }

  /** Gives again what was taken back last. */
  redo(): { given: Given; by: Batch } | null {
    const undone = this.#undone.pop();
    if (undone == null) return null;
    this.#given.push(undone.given);
    return { given: undone.given, by: this.#takeBack(undone.by) };
  }

  /** The kernel will never take it. */
  refused(batch: Batch): void {
    this.#given = this.#given.filter((given) => given.batch.event_id !== batch.event_id);
    this.#undone = this.#undone.filter(({ by }) => by.event_id !== batch.event_id);
  }

  #answer(card: Card, mark: Mark, elapsed_ms: number): Fields {
    const { item_id, token, proposed } = card;
    // What stayed wrong without a class is left out; that it is not what was proposed must not be lost.
    const note = mark.answer === "wrong" || mark.answer === "skip" ? `not ${proposed}` : "";
    const answer = mark.answer === "wrong" ? "skip" : mark.answer;
    return { item_id, answer, value: mark.value, note, token, target: null, elapsed_ms };
  }

  #takeBack({ events }: Batch): Batch {
    return this.#batch(
      events.map(({ item_id, event_id }) => ({
        item_id,
        answer: "undo" as const,
        value: null,
        note: "",
        token: "",
        target: event_id,
        elapsed_ms: 0,
      })),
      this.#today(),
      false,
    );
  }

  #batch(fields: readonly Fields[], shown_at_ms: number, model_shown: boolean): Batch {
    const { client } = this.#outbox;
    const events = fields.map((rest) => {
      const seq = this.#outbox.nextSeq();
      return { seq, event_id: `${client}-${seq}`, ...rest };
    });
    const { seq = 0, event_id = "" } = events[0] ?? {};
    const answered_at_ms = this.#today();
    return {
      kind: "batch",
      rid: event_id,
      client,
      seq,
      event_id,
      shown_at_ms,
      answered_at_ms,
      model_shown,
      events,
    };
  }
}

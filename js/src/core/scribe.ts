// Writes events: numbers them, and notes what was in sight and for how long.

import type { Answer, Entry, Undo } from "../wire";
import { ItemClock } from "./clock";
import type { Outbox } from "./outbox";
import { WANT } from "./supply";

export class Scribe {
  readonly clock: ItemClock;
  readonly #outbox: Outbox;
  readonly #now: () => number;
  readonly #today: () => number;
  /** Items whose model's opinion was in sight while they were. */
  readonly #anchored = new Set<string>();
  readonly #madeAt = new Map<string, number>();

  constructor(outbox: Outbox, now: () => number, today: () => number) {
    this.clock = new ItemClock(now, today);
    this.#outbox = outbox;
    this.#now = now;
    this.#today = today;
  }

  /** The model's opinion of the item on the screen can be seen. */
  noteOpinion({ item_id, probabilities }: Entry): void {
    if (probabilities.length > 0) this.#anchored.add(item_id);
  }

  answer(
    { item_id, token }: Entry,
    answer: Answer["answer"],
    value: string | null,
    note: string,
    have: string[],
  ): Answer {
    return {
      kind: "answer",
      ...this.#numbered(),
      item_id,
      answer,
      value,
      note,
      token,
      ...this.clock.stop(item_id),
      answered_at_ms: this.#today(),
      model_shown: this.#anchored.delete(item_id),
      have,
      want: WANT,
    };
  }

  undo(target: string, item_id: string): Undo {
    return { kind: "undo", ...this.#numbered(), target, item_id, answered_at_ms: this.#today() };
  }

  /** Milliseconds since an event was made, by whichever page. */
  age({ event_id, answered_at_ms }: Answer | Undo): number {
    const made = this.#madeAt.get(event_id);
    this.#madeAt.delete(event_id);
    return made == null ? this.#today() - answered_at_ms : this.#now() - made;
  }

  #numbered(): { rid: string; client: string; seq: number; event_id: string } {
    const { client } = this.#outbox;
    const seq = this.#outbox.nextSeq();
    const event_id = `${client}-${seq}`;
    this.#madeAt.set(event_id, this.#now());
    return { rid: event_id, client, seq, event_id };
  }
}

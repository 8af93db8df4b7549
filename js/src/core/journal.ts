// What this annotator has answered, as far as this page knows: the kernel's history, and what is still on its way to it.

import type { Answer, Entry, HistoryRow, Undo } from "../wire";
import { AnswerHistory } from "./history";
import type { Outbox } from "./outbox";
import { type HistoryView, rowOf } from "./screen";

interface Given {
  event_id: string;
  token: string;
  /** When it was confirmed; null while it waits. */
  settled: number | null;
}

/** A push that was made before an answer arrived may come after its ack; later, the kernel asks again on purpose. */
const LATE_PUSH_MS = 10_000;

export class Journal extends AnswerHistory {
  /** Newest answer of this page for an item, with the token it was given to. */
  readonly #given = new Map<string, Given>();
  readonly #outbox: Outbox;
  readonly #now: () => number;

  constructor(outbox: Outbox, now: () => number) {
    super();
    this.#outbox = outbox;
    this.#now = now;
  }

  /** A new answer, of this page or of an earlier one that could not deliver it. */
  give(message: Answer): void {
    const { event_id, item_id, token } = message;
    this.add(rowOf(message));
    this.#given.set(item_id, { event_id, token, settled: null });
  }

  takeBack({ target, item_id, event_id }: Undo): void {
    this.undo(target, event_id);
    if (this.#given.get(item_id)?.event_id === target) this.#given.delete(item_id);
  }

  /** Takes back the newest undo: its event, and the answer that stands again. */
  again(tokenOf: (itemId: string) => string | undefined): { undo_id: string; row: HistoryRow } | null {
    const taken = this.redo();
    if (taken == null) return null;
    const { event_id, item_id } = taken.row;
    const token = tokenOf(item_id);
    if (token != null) this.#given.set(item_id, { event_id, token, settled: this.#now() });
    return taken;
  }

  settled({ item_id, event_id }: Answer | Undo): void {
    const given = this.#given.get(item_id);
    if (given?.event_id === event_id) given.settled = this.#now();
  }

  /** The kernel will never take it: it was not given. */
  refused({ item_id, event_id }: Answer | Undo): void {
    this.forget(event_id);
    if (this.#given.get(item_id)?.event_id === event_id) this.#given.delete(item_id);
  }

  /** Takes the kernel's list. */
  refresh(rows: readonly HistoryRow[]): void {
    this.load(rows, (eventId) => {
      const waiting = this.#outbox.get(eventId);
      return waiting != null && waiting.rejected == null;
    });
  }

  /** Whether an item was answered here and must not be asked (again) by what the kernel sent before it knew. */
  isBlocked({ item_id, token }: Entry): boolean {
    const given = this.#given.get(item_id);
    if (given == null) return false;
    if (this.#outbox.get(given.event_id) != null) return true;
    return given.token === token && given.settled != null && this.#now() - given.settled < LATE_PUSH_MS;
  }

  view(): HistoryView {
    return {
      rows: this.standing(),
      canUndo: this.newest != null,
      canRedo: this.redoable != null,
    };
  }
}

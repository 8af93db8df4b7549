// What this annotator has answered, and undo and redo over it. Undo is an event that names what it takes back.

import type { HistoryRow } from "../wire";

/** What undo must know of an event. */
export interface Undoable {
  event_id: string;
  item_id: string;
  answered_at_ms: number;
  undone: boolean;
}

interface Taken<R> {
  /** The undo event, which a redo takes back in turn. */
  undo_id: string;
  row: R;
}

export class AnswerHistory<R extends Undoable = HistoryRow> {
  #rows: R[] = [];
  #redo: Taken<R>[] = [];

  /** Takes the kernel's list; rows that only this page knows so far stay, newest last. */
  load(rows: readonly R[], isPending: (eventId: string) => boolean): void {
    const known = new Set(rows.map((row) => row.event_id));
    const undoneHere = new Set(this.#redo.map((taken) => taken.row.event_id));
    const mine = this.#rows.filter((row) => !known.has(row.event_id) && isPending(row.event_id));
    this.#rows = [
      ...rows.map((row) => (undoneHere.has(row.event_id) ? { ...row, undone: true } : row)),
      ...mine,
    ].sort((a, b) => a.answered_at_ms - b.answered_at_ms);
  }

  /** A new answer; what was undone before can no longer be redone. */
  add(row: R): void {
    this.#rows.push(row);
    this.#redo = [];
  }

  /** The kernel refused it: it never happened. */
  forget(eventId: string): void {
    this.#rows = this.#rows.filter((row) => row.event_id !== eventId);
  }

  /** One row an item, in the order of first answers: the newest answer that stands. */
  standing(): R[] {
    const items = new Map<string, R>();
    for (const row of this.#rows) if (!row.undone) items.set(row.item_id, row);
    return [...items.values()];
  }

  /** The answer that stands for an item. */
  answerOf(itemId: string): R | null {
    return this.#rows.findLast((row) => row.item_id === itemId && !row.undone) ?? null;
  }

  /** The newest row that passes. */
  find(passes: (row: R) => boolean): R | null {
    return this.#rows.findLast(passes) ?? null;
  }

  /** The newest answer that stands: what undo takes back. */
  get newest(): R | null {
    return this.#rows.findLast((row) => !row.undone) ?? null;
  }

  get redoable(): R | null {
    return this.#redo.at(-1)?.row ?? null;
  }

  undo(eventId: string, undoId: string): R | null {
    const row = this.#mark(eventId, true);
    if (row != null) this.#redo.push({ undo_id: undoId, row });
    return row;
  }

  /** Takes back the newest undo; gives the undo event to name and the row that stands again. */
  redo(): { undo_id: string; row: R } | null {
    const taken = this.#redo.pop();
    if (taken == null) return null;
    return { undo_id: taken.undo_id, row: this.#mark(taken.row.event_id, false) ?? taken.row };
  }

  #mark(eventId: string, undone: boolean): R | null {
    const at = this.#rows.findIndex((row) => row.event_id === eventId);
    const row = this.#rows[at];
    if (row == null) return null;
    const changed = { ...row, undone };
    this.#rows[at] = changed;
    return changed;
  }
}

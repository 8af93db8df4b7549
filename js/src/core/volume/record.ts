// What the annotator has said: masks, verdicts on whole sections, and undo over both. The newest word of this page counts, below it
// what the kernel told.

import type { Part, SectionState, Stroke, StrokeRow, VolumeAnswer } from "../../volume-wire";
import type { Undo } from "../../wire";
import { AnswerHistory } from "../history";
import { MaskBook } from "../mask/book";
import type { Raster } from "../mask/values";
import { signal } from "../signal";
import { OPEN, type Verdict, type VolumeEvent } from "./screen";

export class AnswerRecord {
  /** Counts changes of masks that did not come from the stroke under the hand. */
  readonly masks = signal(0);
  readonly verdicts = signal(0);
  readonly history = signal({ canUndo: false, canRedo: false, n: 0 });
  /** Sections whose masks the kernel should tell again, once nothing of ours is under way. */
  readonly stale = new Set<string>();
  readonly #journal = new AnswerHistory<StrokeRow>();
  readonly #book: MaskBook;
  /** What the kernel said of sections; events made here count more. */
  readonly #told = new Map<string, Verdict>();
  /** What a section was finished with, by event. */
  readonly #rests = new Map<string, number | null>();
  readonly #undoneVerdicts = new Set<string>();

  constructor(rows: number, columns: number) {
    this.#book = new MaskBook(rows, columns);
  }

  /** The mask of a section. A stroke may be drawn into it while it lasts. */
  mask(item: string): Raster {
    return this.#book.of(item);
  }

  isKnown(item: string): boolean {
    return this.#book.knows(item);
  }

  isLabelled(item: string): boolean {
    return this.#book.has(item);
  }

  /** Whether a section is finished, left out or open: the newest word on it. */
  verdict(item: string): Verdict {
    const newest = this.#verdictRow(item);
    if (newest != null && newest.kind !== "stroke") {
      const finished = newest.kind === "label";
      const rest = this.#rests.has(newest.event_id)
        ? (this.#rests.get(newest.event_id) ?? null)
        : (this.#told.get(item)?.rest ?? null);
      const measures = finished && this.#told.get(item)?.measures === true;
      return { finished, rest: finished ? rest : null, answer: newest.kind, measures };
    }
    return this.#undoneVerdicts.has(item) ? OPEN : (this.#told.get(item) ?? OPEN);
  }

  /** The newest event that stands: what undo takes back. */
  get newest(): StrokeRow | null {
    return this.#journal.newest;
  }

  /** Takes back the newest undo. */
  redo(): { undo_id: string; row: StrokeRow } | null {
    const taken = this.#journal.redo();
    if (taken != null) this.#again(taken.row);
    return taken;
  }

  // ---- what this page does, or an earlier one that could not deliver it ----

  /** `laid` are sections into whose mask it has been drawn already. */
  stroke({ event_id, item_id, value, answered_at_ms }: Stroke, laid: ReadonlySet<string> = new Set()): void {
    const items = this.#book.add(event_id, value.parts, laid);
    this.#journal.add({
      event_id,
      item_id,
      kind: "stroke",
      tool: value.tool,
      items,
      answered_at_ms,
      undone: false,
    });
    if (items.some((item) => !laid.has(item))) this.changed();
    this.publish();
  }

  /** `parts` are the pixels of a region that was judged, as far as they are known here. */
  answer(message: VolumeAnswer, parts: readonly Part[] = []): void {
    const { event_id, item_id, answer, finished, region, answered_at_ms } = message;
    const base = { event_id, item_id, answered_at_ms, undone: false };
    if (region != null) {
      const own = parts.map((part) => ({ ...part, value: region.value }));
      const items = own.length > 0 ? this.#book.add(event_id, own) : [item_id];
      // The kernel makes the pixels of a region itself: what it makes of them is asked afterwards.
      for (const item of items) this.stale.add(item);
      this.#journal.add({ ...base, kind: "stroke", tool: "region", items });
      this.changed();
    } else {
      this.#rests.set(event_id, finished?.rest ?? null);
      this.#undoneVerdicts.delete(item_id);
      this.#journal.add({ ...base, kind: answer, tool: null, items: [item_id] });
      this.judged();
    }
    this.publish();
  }

  takeBack({ target, event_id }: Undo): void {
    const row = this.#journal.undo(target, event_id);
    const changed = this.#book.mark(target, true);
    if (row == null) return;
    if (row.kind === "stroke") {
      this.#redrawn(row, changed);
    } else {
      if (this.#verdictRow(row.item_id) == null) this.#undoneVerdicts.add(row.item_id);
      this.judged();
    }
    this.publish();
  }

  /** An event that an earlier page could not deliver counts as given, whatever the kernel knows yet. */
  adopt(message: VolumeEvent): void {
    if (message.kind === "stroke") {
      this.stroke(message);
    } else if (message.kind === "answer") {
      this.answer(message);
    } else {
      this.takeBack(message);
      this.stale.add(message.item_id);
    }
  }

  /** The kernel will never take this event: it never happened. */
  forget(eventId: string): void {
    this.#journal.forget(eventId);
    if (this.#book.forget(eventId).length > 0) this.changed();
    this.judged();
    this.publish();
  }

  /** What was drawn into a mask without becoming a stroke is gone. */
  refold(item: string): void {
    this.#book.refold(item);
    this.changed();
  }

  // ---- what the kernel says ----

  /** The kernel's list of events; rows that only this page knows stay, where `isPending` says so. */
  load(rows: readonly StrokeRow[], isPending: (eventId: string) => boolean): void {
    this.#journal.load(rows, isPending);
    this.publish();
  }

  /**
   * Takes the kernel's word on sections. While something of ours is under way (not `settled`) it may be from before, and while a
   * stroke is `drawing` the mask under the hand stays.
   */
  hear(
    states: readonly SectionState[],
    settled: boolean,
    drawing: boolean,
    failed: (item: string, why: string) => void,
  ): void {
    let changed = false;
    for (const state of states) {
      const { item_id, finished, rest, answer, measures } = state;
      this.#told.set(item_id, { finished, rest, answer, measures });
      try {
        if (settled) changed = this.#book.adopt(state) || changed;
        else if (!drawing) {
          this.#book.begin(state);
          changed = true;
        }
      } catch (error) {
        failed(item_id, (error as Error).message);
      }
      if (settled) this.stale.delete(item_id);
      else this.stale.add(item_id);
    }
    if (changed) this.changed();
    if (states.length > 0) this.judged();
  }

  changed(): void {
    this.masks.set(this.masks.peek() + 1);
  }

  judged(): void {
    this.verdicts.set(this.verdicts.peek() + 1);
  }

  publish(): void {
    this.history.set({
      canUndo: this.#journal.newest != null,
      canRedo: this.#journal.redoable != null,
      n: this.history.peek().n + 1,
    });
  }

  #again(row: StrokeRow): void {
    const changed = this.#book.mark(row.event_id, false);
    if (row.kind === "stroke") {
      this.#redrawn(row, changed);
    } else {
      this.#undoneVerdicts.delete(row.item_id);
      this.judged();
    }
    this.publish();
  }

  /** A stroke of before this page: only the kernel knows what is, or was, below it. */
  #redrawn({ items }: StrokeRow, changed: readonly string[]): void {
    if (changed.length === 0) for (const item of items) this.stale.add(item);
    this.changed();
  }

  #verdictRow(item: string): StrokeRow | null {
    return this.#journal.find((row) => row.item_id === item && row.kind !== "stroke" && !row.undone);
  }
}

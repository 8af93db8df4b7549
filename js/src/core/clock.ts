// How long an item was looked at: from its first paint, without the time it was out of sight or the user was elsewhere.
//
// Nothing else is cut: people read without moving. A pause before a visible picture is found later, from the times of
// the same annotator's other items.

interface Stretch {
  shown_at_ms: number;
  seen_ms: number;
  since: number | null;
}

export class ItemClock {
  readonly #items = new Map<string, Stretch>();
  #showing: string | null = null;
  #away = false;

  readonly #now: () => number;
  readonly #today: () => number;
  /** `now` counts on monotonously, `today` is the time of day; both in milliseconds. */
  constructor(now: () => number, today: () => number) {
    this.#now = now;
    this.#today = today;
  }

  /** The item is on the screen from now on, and no other. */
  show(itemId: string): void {
    if (this.#showing === itemId) return;
    this.leave();
    this.#showing = itemId;
    const item = this.#items.get(itemId) ?? { shown_at_ms: this.#today(), seen_ms: 0, since: null };
    if (!this.#away) item.since = this.#now();
    this.#items.set(itemId, item);
  }

  /** Nothing is on the screen. */
  leave(): void {
    this.#pause();
    this.#showing = null;
  }

  /** The tab was hidden or another window took the keyboard; or the user has come back. */
  setAway(away: boolean): void {
    if (away === this.#away) return;
    this.#away = away;
    if (away) {
      this.#pause();
    } else if (this.#showing != null) {
      const item = this.#items.get(this.#showing);
      if (item != null) item.since = this.#now();
    }
  }

  /** Ends the item's time and gives it out. */
  stop(itemId: string): { elapsed_ms: number; shown_at_ms: number } {
    if (this.#showing === itemId) this.leave();
    const item = this.#items.get(itemId);
    this.#items.delete(itemId);
    return { elapsed_ms: item?.seen_ms ?? 0, shown_at_ms: item?.shown_at_ms ?? this.#today() };
  }

  #pause(): void {
    if (this.#showing == null) return;
    const item = this.#items.get(this.#showing);
    if (item == null || item.since == null) return;
    item.seen_ms += this.#now() - item.since;
    item.since = null;
  }
}

// How long an item was looked at: from its first paint, without the time it or the whole page was out of sight.

interface Stretch {
  shown_at_ms: number;
  seen_ms: number;
  since: number | null;
}

export class ItemClock {
  readonly #items = new Map<string, Stretch>();
  #showing: string | null = null;
  #hidden = false;

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
    if (!this.#hidden) item.since = this.#now();
    this.#items.set(itemId, item);
  }

  /** Nothing is on the screen. */
  leave(): void {
    this.#pause();
    this.#showing = null;
  }

  /** The page was hidden or has come back. */
  setHidden(hidden: boolean): void {
    if (hidden === this.#hidden) return;
    this.#hidden = hidden;
    if (hidden) {
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

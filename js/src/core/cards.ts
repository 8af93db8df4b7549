// The cards of a sheet: which lie there, which is the active one, what is marked, and which can be seen.

import type { Card } from "../sheet-wire";
import type { ImageInfo } from "../wire";
import { Album, type Decode, type Picture } from "./album";
import type { ItemClock } from "./clock";
import { type Mark, type Marks, proposal, unresolved } from "./marks";
import { signal } from "./signal";

export type Mode = "grid" | "review";

export interface Shown<P> {
  readonly card: Card;
  readonly picture: P | null;
}

/** How a whole grid is called by its clock: no item can be called so. */
export const WHOLE = "";

export class Cards<P extends Picture> {
  readonly shown = signal<readonly Shown<P>[]>([]);
  readonly marks = signal<Marks>(new Map());
  /** Cards of a review that were answered. */
  readonly done = signal<Marks>(new Map());
  readonly active = signal("");
  readonly #drawn = new Set<string>();
  readonly #album: Album<P>;

  readonly #mode: Mode;
  readonly #clock: ItemClock;
  constructor(
    mode: Mode,
    clock: ItemClock,
    decode: Decode<P>,
    bad: (item_id: string, reason: string) => void,
  ) {
    this.#mode = mode;
    this.#clock = clock;
    this.#album = new Album<P>(
      decode,
      () => this.show(this.all()),
      (item_id, reason) => {
        this.#album.forget(item_id);
        this.show(this.all().filter((card) => card.item_id !== item_id));
        bad(item_id, reason);
      },
    );
  }

  all(): Card[] {
    return this.shown.peek().map(({ card }) => card);
  }

  ids(): string[] {
    return this.all().map(({ item_id }) => item_id);
  }

  find(itemId: string): Card | null {
    return this.all().find(({ item_id }) => item_id === itemId) ?? null;
  }

  /** Cards that are still to be answered. */
  open(): Card[] {
    const done = this.done.peek();
    return this.all().filter(({ item_id }) => !done.has(item_id));
  }

  /** What a card is, or will be, answered with. */
  markOf(card: Card): Mark {
    return this.done.get().get(card.item_id) ?? this.marks.get().get(card.item_id) ?? proposal(card);
  }

  /** Moves to a card: keys are about it, and in a review its time runs. */
  activate(itemId: string): void {
    if (this.active.peek() === itemId) return;
    this.active.set(itemId);
    this.watch();
  }

  /** A view has drawn the picture of a card. */
  drawn(itemId: string): void {
    this.#drawn.add(itemId);
    this.watch();
  }

  /** Nobody can judge what is not on the screen. */
  isSeen({ item_id }: Card): boolean {
    return this.#drawn.has(item_id);
  }

  /** Whether the picture is at hand. */
  has({ item_id }: Card): boolean {
    return this.#album.picture(item_id) != null;
  }

  /** The clock runs for the whole grid once anything of it is in sight, for the active card in a review. */
  watch(): void {
    const grid = this.#mode === "grid";
    const watched = grid ? WHOLE : this.active.peek();
    const seen = grid ? this.#drawn.size > 0 : this.#drawn.has(watched);
    if (seen && !this.done.peek().has(watched)) this.#clock.show(watched);
    else this.#clock.leave();
  }

  /** To the next card that was marked wrong and has no class yet. */
  toUnresolved(): void {
    const [next] = unresolved(this.all(), this.marks.peek());
    if (next != null) this.activate(next.item_id);
  }

  /** To the next card that is still open, from the active one on. */
  toOpen(): void {
    const ids = this.ids();
    const at = ids.indexOf(this.active.peek());
    const order = [...ids.slice(at + 1), ...ids.slice(0, at)];
    const next = order.find((id) => !this.done.peek().has(id));
    if (next != null) this.activate(next);
    this.watch();
  }

  show(cards: readonly Card[]): void {
    this.shown.set(cards.map((card) => ({ card, picture: this.#album.picture(card.item_id) })));
    if (this.find(this.active.peek()) == null) this.activate(cards[0]?.item_id ?? "");
  }

  /** Shows fresh cards. What is on the screen keeps its place if `staying`: what was answered, and what is still there. */
  take(fresh: readonly Card[], buffers: readonly DataView[], staying: boolean): void {
    for (const card of fresh) this.#album.add(card, buffers[(card.image as ImageInfo).buffer]);
    const rest = new Map(fresh.map((card) => [card.item_id, card]));
    const kept = staying
      ? this.all().flatMap(
          (card) => rest.get(card.item_id) ?? (this.done.peek().has(card.item_id) ? card : []),
        )
      : [];
    for (const { item_id } of kept) rest.delete(item_id);
    this.show([...kept, ...rest.values()]);
  }

  /** Forgets old pictures, but not those of what lies there, nor of `others`. */
  prune(others: readonly Card[]): void {
    this.#album.prune(new Set([...this.all(), ...others].map(({ item_id }) => item_id)));
  }

  clear(): void {
    this.#clock.stop(WHOLE);
    this.#drawn.clear();
    this.marks.set(new Map());
    this.done.set(new Map());
    this.shown.set([]);
    this.active.set("");
  }

  close(): void {
    this.#clock.leave();
    this.shown.set([]);
    this.#album.clear();
  }
}

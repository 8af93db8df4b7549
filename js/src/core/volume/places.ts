// What stands in the place of each section: the section itself, or a guest that is asked there (a trial for the annotator).

/** The section in whose place something is shown. */
export function plain(itemId: string): string {
  return itemId.replace(/~\w{8}$/, "");
}

export function isGuest(itemId: string): boolean {
  return plain(itemId) !== itemId;
}

export function indexOf(itemId: string): number {
  return Number.parseInt(itemId.slice(itemId.lastIndexOf("/") + 1), 10);
}

export class Places {
  /** Where that was ever anything else than the section: index → item id. */
  readonly #guests = new Map<number, string>();
  readonly #volume: string;
  readonly #moved: (index: number) => void;

  /** `moved` is told where something else stands from now on. */
  constructor(volume: string, moved: (index: number) => void) {
    this.#volume = volume;
    this.#moved = moved;
  }

  /** What is shown, and labelled, as a section. */
  idOf(index: number): string {
    return this.#guests.get(index) ?? `${this.#volume}/${index}`;
  }

  /** From now on this is shown in its place. */
  seat(itemId: string): void {
    const index = indexOf(itemId);
    if (this.idOf(index) === itemId) return;
    this.#guests.set(index, itemId);
    this.#moved(index);
  }

  /** All guests but one make room for the sections themselves, where `leaves` says so. */
  clear(stays: string, leaves: (index: number) => boolean): void {
    for (const [index, guest] of this.#guests) if (guest !== stays && leaves(index)) this.seat(plain(guest));
  }
}

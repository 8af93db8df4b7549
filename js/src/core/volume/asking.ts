// What is asked next: a section or a region, what the session would ask and what the annotator chose instead.

import type { Proposal, RegionInfo } from "../../volume-wire";
import { computed, signal } from "../signal";
import type { Want } from "./screen";

/** What asking needs of the labeller. */
export interface Asker {
  /** Asks the kernel; `failed` is called where it has no answer. */
  ask(want: Want, strategy: string, done: (proposal: Proposal | null) => void, failed: () => unknown): void;
  /** Shows what is asked, in its place. */
  show(proposal: Proposal): void;
  /** Whether a section that was proposed is still of use. */
  isOpen(proposal: Proposal): boolean;
  /** Whether a stroke is being drawn. */
  busy(): boolean;
  nothing(message: string): void;
}

export class Asking {
  readonly proposal = signal<Proposal | null>(null);
  /** The region that is to be judged. */
  readonly region = signal<RegionInfo | null>(null);
  /** The newest question about a region: why it is asked, and what goes back with the answer. */
  question: Proposal | null = null;
  /** What the session would ask next, and what the annotator chose to be asked. */
  readonly wants = signal<Want>("section");
  readonly chosen = signal<Want | null>(null);
  /** A region is looked for: the kernel may still be reading the volume. */
  readonly seeking = signal(false);
  /** Whether a region is asked about, looked for, or offered because the session would ask about one. */
  readonly phase = computed<"question" | "seeking" | "offer" | "">(() => {
    if (this.region.get() != null) return "question";
    if (this.seeking.get()) return "seeking";
    return this.wants.get() === "region" && this.chosen.get() == null ? "offer" : "";
  });
  readonly utilities = signal<readonly (number | null)[]>([]);
  /** The answer after whose reply the next question comes. */
  #thenAdvance = "";
  #search = 0;
  /** The annotator's choice is the session's: it lasts as long. */
  #follows = false;
  /** Questions about regions by the events that answered them. */
  readonly #answered = new Map<string, Proposal>();
  readonly #asker: Asker;
  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** Class keys answer a question about a region: none opens before the annotator has asked for one. */
  get wantsSection(): boolean {
    return this.chosen.peek() !== "region";
  }

  tokenOf(item: string): string {
    const proposal = this.proposal.peek();
    return proposal?.item_id === item ? proposal.token : "";
  }

  /** The annotator wants to be asked this from now on. */
  choose(want: Want): void {
    this.chosen.set(want);
    this.#follows = want === this.wants.peek();
    this.next(want);
  }

  /** After an answer to a section: the next one may be known here, all else only when the kernel has heard the answer. */
  goOn(eventId: string): void {
    if (this.#ready != null && this.wantsSection) this.next("section");
    else this.waitFor(eventId);
  }

  /** The next question comes with the reply to this answer. */
  waitFor(eventId: string): void {
    this.#thenAdvance = eventId;
  }

  heard(eventId: string): void {
    if (eventId !== this.#thenAdvance) return;
    this.#thenAdvance = "";
    if (this.#follows && this.chosen.peek() !== this.wants.peek()) this.chosen.set(null);
    if (this.wantsSection) this.next("section");
    else this.seek(() => this.next("section"));
  }

  /** Goes to the section, or the region, that is most worth the time. */
  next(want: Want, strategy = ""): void {
    if (want === "region") {
      this.seek(() => this.#asker.nothing("No doubtful region is left."));
      return;
    }
    const held = this.#ready;
    this.drop();
    if (strategy === "" && held != null) {
      this.#asker.show(held);
      return;
    }
    this.#asker.ask(
      want,
      strategy,
      (proposal) => {
        if (proposal != null) this.#asker.show(proposal);
        else this.#asker.nothing("No section is left to ask.");
      },
      () => undefined,
    );
  }

  /** Looks for a region to be judged. Whoever has turned to something else meanwhile is left alone. */
  seek(none: () => void, wanted: () => boolean = () => true): void {
    this.#search += 1;
    const search = this.#search;
    this.seeking.set(true);
    const current = (): boolean => {
      if (search !== this.#search) return false;
      this.seeking.set(false);
      return !this.#asker.busy() && wanted();
    };
    this.#asker.ask(
      "region",
      "",
      (proposal) => {
        if (!current()) return;
        if (proposal == null) none();
        else this.#asker.show(proposal);
      },
      current,
    );
  }

  /** This is on the screen to be answered. */
  take(proposal: Proposal): void {
    if (proposal.region == null) this.proposal.set(proposal);
    else this.question = proposal;
    this.region.set(proposal.region);
  }

  /** The region on the screen has been judged. The next one is found only when the kernel knows what became of it. */
  judged(eventId: string): void {
    if (this.question != null) this.#answered.set(eventId, this.question);
    this.drop();
    this.waitFor(eventId);
  }

  /** The question that an event answered. */
  answeredBy(eventId: string): Proposal | undefined {
    return this.#answered.get(eventId);
  }

  /** No region is asked about, or looked for, any more. */
  drop(): void {
    this.#search += 1;
    this.#thenAdvance = "";
    this.seeking.set(false);
    this.region.set(null);
  }

  /** Regions are left alone: sections are asked from now on. */
  leaveRegion(): void {
    if (this.phase.peek() === "") return;
    this.chosen.set("section");
    this.drop();
  }

  /** The section that was proposed, as long as it is of use. */
  get #ready(): Proposal | null {
    const held = this.proposal.peek();
    return held != null && this.#asker.isOpen(held) ? held : null;
  }
}

// The page's side of a sheet: what a keypress makes of its cards, and what is asked for. Ports only.
//
// A grid is answered as a whole: all cards in one batch. A review is answered card by card, a batch of one each, and what
// was answered stays in its place until all of the sheet is done.

import type { Batch, GetSheet, Group, Sheet, SheetReply } from "../sheet-wire";
import type { Queue, Status } from "../wire";
import type { Decode, Picture } from "./album";
import { Batches } from "./batches";
import { Cards, type Mode, WHOLE } from "./cards";
import type { HostOptions } from "./host_options";
import { Link, type Talk } from "./link";
import { type Mark, marked, proposal, spoken, toggled, unresolved } from "./marks";
import { Outbox, type Waiting } from "./outbox";
import { Problems } from "./problems";
import type { Request } from "./rpc";
import type { Phase } from "./screen";
import { batch, computed, type ReadSignal, signal } from "./signal";
import * as text from "./text";

interface SheetTalk extends Talk {
  event: Batch;
  request: Request | GetSheet;
  reply: SheetReply;
  push: Queue;
}

export interface SheetOptions<P extends Picture> extends HostOptions {
  mode: Mode;
  decode: Decode<P>;
}

const LOOK_AGAIN_MS = { empty: 3_000, review: 5_000, grid: 60_000 };

export class SheetDesk<P extends Picture> {
  readonly mode: Mode;
  readonly cards: Cards<P>;
  readonly name = signal("");
  readonly groups = signal<readonly Group[]>([]);
  readonly left = signal(0);
  readonly message = signal("");
  readonly status = signal<Status | null>(null);
  readonly classes = signal<readonly string[]>([]);
  readonly announcement = signal("");
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  readonly phase: ReadSignal<Phase>;
  readonly notices: Problems;
  readonly link: Link<SheetTalk>;
  readonly saved = new Set<(event: { event_id: string; ms: number }) => void>();

  readonly #options: SheetOptions<P>;
  readonly #outbox: Outbox<Batch>;
  readonly #batches: Batches;
  #rev = -1;
  #asked = Number.NEGATIVE_INFINITY;
  /** Counts what was asked for: a sheet that was asked for before something else happened comes too late. */
  #turn = 0;
  #started = false;

  constructor(options: SheetOptions<P>) {
    this.#options = options;
    this.mode = options.mode;
    const { now, today, storage, storeId, client, annotator } = options;
    this.classes.set(options.classes);
    this.notices = new Problems(now);
    this.#outbox = new Outbox<Batch>(storage, storeId, client, annotator, ["batch"]);
    this.#batches = new Batches(this.#outbox, now, today);
    this.link = new Link<SheetTalk>(
      options.port,
      this.#outbox,
      {
        settled: (item) => this.#settled(item),
        refused: ({ message }, { message: reason }) => {
          this.#batches.refused(message);
          this.notices.add(
            {
              severity: "error",
              message: `${text.count(message.events.length, "answer")} refused: ${reason}`,
            },
            message.event_id,
          );
          this.#ask(null, []);
        },
        postponed: (_item, error) =>
          this.notices.add(
            { severity: "warning", message: `Not saved yet: ${error.message}. Trying again.` },
            "postponed",
          ),
        status: (status, problem) => {
          this.status.set(status);
          this.classes.set(status.classes);
          if (problem != null) this.notices.add(problem);
        },
        pushes: ["queue"],
        push: () => {
          if (this.mode === "review" || this.cards.shown.peek().length === 0) this.#look();
        },
        recovered: () => this.#look(),
      },
      now,
    );
    this.cards = new Cards<P>(options.mode, this.#batches.clock, options.decode, (item_id, reason) =>
      this.link.request(
        () => ({ kind: "bad_image", item_id, reason }),
        () => undefined,
      ),
    );
    this.phase = computed<Phase>(() => {
      const connection = this.link.connection.get();
      if (connection === "gone" || connection === "silent") return "offline";
      const cards = this.cards.shown.get();
      if (cards.length > 0) return cards.every(({ picture }) => picture != null) ? "ready" : "waiting";
      return this.message.get() === "" ? "waiting" : "done";
    });
  }

  // ---- life ----

  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const { rejected, message } of this.#outbox.adopt(this.#options.alive())) {
      if (rejected != null)
        this.notices.add({ severity: "error", message: `Refused: ${rejected}` }, message.event_id);
    }
    this.link.flush();
    this.#ask(null, []);
  }

  tick(): void {
    if (!this.#started) return;
    this.link.tick();
    this.notices.tick();
    const empty = this.cards.shown.peek().length === 0;
    const pause = LOOK_AGAIN_MS[empty ? "empty" : this.mode];
    if (this.#options.now() - this.#asked >= pause && this.#options.port.kernel() !== "busy") this.#look();
  }

  receive(content: unknown, buffers: readonly DataView[]): void {
    batch(() => this.link.receive(content, buffers));
  }

  setAway(away: boolean): void {
    this.#batches.clock.setAway(away);
  }

  close(): void {
    this.cards.close();
  }

  // ---- what the user does ----

  /** Marks a card of a grid as wrong, or as right again. */
  toggle(itemId: string): void {
    const card = this.cards.find(itemId);
    if (card == null || this.mode !== "grid") return;
    this.cards.marks.set(toggled(this.cards.marks.peek(), card, this.classes.peek()));
    this.announcement.set(`${itemId}: ${spoken(this.cards.markOf(card))}`);
  }

  /** Answers the active card, or (grid) says what it will be answered with. */
  answer(mark: Mark): void {
    const card = this.cards.find(this.cards.active.peek());
    if (card == null) return;
    if (this.mode === "grid") {
      this.cards.marks.set(marked(this.cards.marks.peek(), card, mark));
      this.announcement.set(`${card.item_id}: ${spoken(mark)}`);
      this.cards.toUnresolved();
      return;
    }
    // What was answered is first undone.
    if (!this.cards.isSeen(card) || this.cards.done.peek().has(card.item_id)) return;
    const marks = new Map([[card.item_id, mark]]);
    this.#give(this.#batches.give(card.item_id, [card], marks, card.probabilities.length > 0));
    this.cards.done.set(new Map(this.cards.done.peek()).set(card.item_id, mark));
    this.announcement.set(`${card.item_id}: ${spoken(mark)}`);
    this.cards.toOpen();
  }

  /** Grid: answers all cards. Review: keeps the active card's label; when all are done, the next sheet. */
  confirm(): void {
    const cards = this.cards.all();
    if (this.mode === "review") {
      const card = this.cards.find(this.cards.active.peek());
      if (this.cards.open().length === 0) this.#ask(null, []);
      else if (card != null) this.answer(proposal(card));
      return;
    }
    if (cards.length === 0 || !cards.every((card) => this.cards.isSeen(card))) {
      this.announcement.set("The pictures are still on their way");
      return;
    }
    const [first, ...rest] = unresolved(cards, this.cards.marks.peek());
    if (first != null) {
      this.cards.activate(first.item_id);
      this.announcement.set(
        `${text.count(rest.length + 1, "card")} marked wrong: press the key of the right class, or S to leave it out`,
      );
      return;
    }
    const marks = this.cards.marks.peek();
    batch(() => {
      this.#give(this.#batches.give(WHOLE, cards, marks, true));
      const wrong = [...marks.keys()].filter((id) => cards.some(({ item_id }) => item_id === id)).length;
      this.announcement.set(
        `${text.count(cards.length - wrong, "item")} confirmed as ${this.name.peek()}${wrong > 0 ? `, ${wrong} answered otherwise` : ""}`,
      );
      this.#clear();
    });
    this.#ask(this.name.peek(), []);
  }

  /** Goes to another predicted class or page, or (null) to whichever the model is surest of or the first. */
  open(name: string | null): void {
    this.#clear();
    this.#ask(name, []);
  }

  /** One class, or page of a review, on or back among the groups. */
  step(by: -1 | 1): void {
    const groups = this.groups.peek();
    const at = groups.findIndex(({ name }) => name === this.name.peek());
    const next = groups[(at + by + groups.length) % groups.length];
    if (next != null && next.name !== this.name.peek()) this.open(next.name);
  }

  /** Takes back all that was given last; a grid shows it again as it was. */
  undo(): void {
    const undone = this.#batches.undo();
    if (undone == null) {
      this.announcement.set("Nothing to undo");
      return;
    }
    const { cards, marks } = undone.given;
    this.announcement.set(`Undone: ${text.count(cards.length, "answer")}`);
    this.#give(undone.by);
    if (this.mode === "review") {
      const rest = new Map(this.cards.done.peek());
      for (const { item_id } of cards) rest.delete(item_id);
      this.cards.done.set(rest);
      this.cards.activate(cards[0]?.item_id ?? "");
      this.#look();
      return;
    }
    this.#clear();
    if (cards.every((card) => this.cards.has(card))) {
      this.name.set(cards[0]?.proposed ?? "");
      this.cards.marks.set(marks);
      this.cards.show(cards);
      this.#look(); // the kernel must hold them for this page again
    } else {
      this.#ask(null, []);
    }
  }

  redo(): void {
    const again = this.#batches.redo();
    if (again == null) {
      this.announcement.set("Nothing to redo");
      return;
    }
    this.announcement.set(`Redone: ${text.count(again.given.cards.length, "answer")}`);
    this.#give(again.by);
    if (this.mode === "grid") this.open(this.name.peek());
    else this.#look();
  }

  dismiss(key: string): void {
    this.notices.remove(key);
    if (this.#outbox.get(key)?.rejected != null) this.#outbox.settle(key);
  }

  // ---- inside ----

  #give(message: Batch): void {
    this.link.keep(message);
    this.#turn += 1;
    this.canUndo.set(this.#batches.newest != null);
    this.canRedo.set(this.#batches.canRedo);
    this.link.flush();
  }

  #settled({ message }: Waiting<Batch>): void {
    this.notices.remove("postponed");
    const ms = this.#options.today() - message.answered_at_ms;
    for (const tell of this.saved) tell({ event_id: message.event_id, ms });
    this.#options.delivered(message.event_id);
  }

  #clear(): void {
    this.cards.clear();
    this.message.set("");
  }

  /** Asks whether the sheet is still what it was. */
  #look(): void {
    if (this.link.isOpen("sheet")) return;
    const ids = this.cards.ids();
    this.#ask(ids.length === 0 ? null : this.name.peek(), ids);
  }

  #ask(name: string | null, have: string[]): void {
    this.#turn += 1;
    const turn = this.#turn;
    this.#asked = this.#options.now();
    const body = (): Omit<GetSheet, "rid" | "client"> => ({
      kind: "sheet",
      replaces: this.#options.replaces(),
      name,
      known: Math.max(0, this.#rev),
      have,
    });
    this.link.request(body, (reply, buffers) => {
      const { ok, sheet, error } = (reply ?? {}) as Partial<SheetReply>;
      if (ok !== true) {
        this.notices.add({ severity: "error", message: error?.message ?? text.NO_ANSWER }, "sheet");
      } else {
        this.notices.remove("sheet");
        if (sheet != null && turn === this.#turn) batch(() => this.#take(sheet, buffers, have.length > 0));
      }
    });
  }

  #take(sheet: Sheet, buffers: readonly DataView[], looking: boolean): void {
    this.#rev = sheet.rev;
    this.groups.set(sheet.groups);
    this.left.set(sheet.left);
    // What is on the screen keeps its place, in its newest version.
    const staying = this.mode === "review" && looking;
    if (!staying) this.#clear();
    this.name.set(sheet.name);
    this.message.set(sheet.message);
    this.cards.take(sheet.cards, buffers, staying);
    this.cards.prune(this.#batches.newest?.cards ?? []);
  }
}

// The page's side of the loop: what is on the screen, and what a keypress makes of it. No page, no host: ports only.

import type { Answer, Reply, Status, Undo } from "../wire";
import type { Picture } from "./album";
import { Journal } from "./journal";
import { Link } from "./link";
import { Outbox, type Waiting } from "./outbox";
import { Problems } from "./problems";
import {
  type HistoryView,
  type LabellerOptions,
  type Phase,
  type Saved,
  type Shown,
  sameNames,
  stub,
} from "./screen";
import { Scribe } from "./scribe";
import { batch, computed, type ReadSignal, signal } from "./signal";
import { Supply, WANT } from "./supply";
import * as text from "./text";

const HISTORY_STEP = 200;

export class Labeller<P extends Picture> {
  readonly status = signal<Status | null>(null);
  readonly shown = signal<Shown<P> | null>(null);
  /** Id of the item whose picture has been drawn: only what was seen can be answered. */
  readonly onScreen = signal("");
  readonly classes = signal<readonly string[]>([]);
  readonly opinion = signal(true);
  readonly history = signal<HistoryView>({ rows: [], canUndo: false, canRedo: false });
  readonly announcement = signal("");
  readonly notices: Problems;
  readonly link: Link;
  readonly phase: ReadSignal<Phase>;
  /** Called for each answer that has reached the disk. */
  readonly saved = new Set<(saved: Saved) => void>();

  readonly #supply: Supply<P>;
  readonly #outbox: Outbox;
  readonly #scribe: Scribe;
  readonly #journal: Journal;
  #review: string | null = null;
  #started = false;
  #historyLimit = HISTORY_STEP;

  readonly #options: LabellerOptions<P>;
  constructor(options: LabellerOptions<P>) {
    this.#options = options;
    const { now, today, storage, storeId, client, annotator } = options;
    this.classes.set(options.classes);
    this.opinion.set(options.showModel);
    this.notices = new Problems(now);
    this.#outbox = new Outbox(storage, storeId, client, annotator);
    this.#journal = new Journal(this.#outbox, now);
    this.#scribe = new Scribe(this.#outbox, now, today);
    this.link = new Link(
      options.port,
      this.#outbox,
      {
        settled: (item) => this.#settled(item),
        refused: (item, error) => this.#refused(item, error.message),
        postponed: (_item, error) =>
          this.notices.add(
            { severity: "warning", message: `Not saved yet: ${error.message}. Trying again.` },
            "postponed",
          ),
        status: (status, problem) => {
          this.#setStatus(status);
          if (problem != null) this.notices.add(problem);
        },
        pushes: ["queue"],
        push: (push, buffers) => {
          if (push.client != null && push.client !== client) return;
          this.#supply.merge(push, buffers);
          this.#refresh(null);
          this.#supply.refill();
        },
        recovered: () => this.#hello(),
      },
      now,
    );
    this.#supply = new Supply<P>(
      options.decode,
      this.link,
      {
        changed: () => this.#refresh(null),
        // The kernel is told, and says in the strip that the item was set aside.
        bad: (itemId) => {
          if (this.#review === itemId) this.#review = null;
        },
        blocked: (entry) => this.#journal.isBlocked(entry),
        reviewed: () => this.#review,
      },
      now,
    );
    this.phase = computed<Phase>(() => {
      const connection = this.link.connection.get();
      if (connection === "gone" || connection === "silent") return "offline";
      if (this.onScreen.get() !== "") return "ready";
      if (this.shown.get() != null) return "waiting";
      return this.status.get()?.state === "done" ? "done" : "waiting";
    });
  }

  // ---- life ----

  /** Says hello and takes over what earlier pages left unsent. Called from every render; only the first counts. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const item of this.#outbox.adopt(this.#options.alive())) this.#adopt(item);
    this.#publish();
    this.#hello();
  }

  /** To be called about once a second. */
  tick(): void {
    if (!this.#started) return;
    this.link.tick();
    this.notices.tick();
    if (this.link.connection.peek() === "ok") this.#supply.refill();
  }

  receive(content: unknown, buffers: readonly DataView[]): void {
    batch(() => this.link.receive(content, buffers));
  }

  /** The user cannot be looking (true), or can again. */
  setAway(away: boolean): void {
    this.#scribe.clock.setAway(away);
  }

  close(): void {
    this.#scribe.clock.leave();
    this.shown.set(null);
    this.#supply.close();
  }

  // ---- what the user does ----

  label(name: string): boolean {
    return this.#answer("label", name, "");
  }

  skip(note = ""): boolean {
    return this.#answer("skip", null, note);
  }

  unsure(): boolean {
    return this.#answer("unsure", null, "");
  }

  /** Takes back the answer that is looked at, or else the newest one; its item comes back to be answered. */
  undo(): void {
    const since = this.#options.now();
    const row = this.#review == null ? this.#journal.newest : this.#journal.answerOf(this.#review);
    if (row == null) {
      this.announcement.set("Nothing to undo");
      return;
    }
    batch(() => {
      this.#journal.takeBack(this.#undoEvent(row.event_id, row.item_id));
      // An older answer to the same item may stand again: then there is nothing to ask, only to look at.
      if (this.#journal.answerOf(row.item_id) == null) {
        this.#review = null;
        this.#supply.held.putBack(this.#supply.entry(row.item_id) ?? stub(row.item_id));
      } else {
        this.#review = row.item_id;
      }
      this.#fetchIfMissing(row.item_id);
      this.announcement.set(`Undone: ${text.answer(row)} for ${row.item_id}`);
      this.#refresh(since);
      this.#publish();
    });
    this.link.flush();
  }

  redo(): void {
    const since = this.#options.now();
    const taken = this.#journal.again((itemId) => this.#supply.entry(itemId)?.token);
    if (taken == null) {
      this.announcement.set("Nothing to redo");
      return;
    }
    batch(() => {
      const { item_id } = taken.row;
      this.#undoEvent(taken.undo_id, item_id);
      this.#supply.held.remove(item_id);
      this.#review = null;
      this.announcement.set(`Redone: ${text.answer(taken.row)} for ${item_id}`);
      this.#refresh(since);
      this.#publish();
    });
    this.link.flush();
  }

  /** One answered item back (-1) or on (+1); after the newest comes the item that is to be answered. */
  step(by: -1 | 1): void {
    const rows = this.#journal.standing();
    const at = this.#review == null ? rows.length : rows.findIndex((row) => row.item_id === this.#review);
    const to = at + by;
    if (to < 0 && rows.length >= this.#historyLimit) this.olderHistory();
    if (to < 0 || to > rows.length || (this.#review == null && by === 1)) return;
    this.open(rows[to]?.item_id ?? null);
  }

  /** Looks at an answered item again, or (null) goes back to the one that is to be answered. */
  open(itemId: string | null): void {
    if (itemId === this.#review) return;
    const since = this.#options.now();
    this.#review = itemId;
    if (itemId != null) this.#fetchIfMissing(itemId);
    this.#refresh(since);
  }

  toggleOpinion(): void {
    this.opinion.set(!this.opinion.peek());
    this.#noteOpinion();
    this.announcement.set(`The model's opinion is ${this.opinion.peek() ? "shown" : "hidden"}`);
  }

  /** Adds a class; `done` gets the reason when it was refused. */
  addClass(name: string, done: (refusal: string | null) => void): void {
    this.link.request(
      () => ({ kind: "add_class", name }),
      (reply) => {
        if (reply?.ok === true) this.announcement.set(`Class ${name} added`);
        done(reply?.ok === true ? null : (reply?.error?.message ?? text.NO_ANSWER));
      },
    );
  }

  /** Asks for more of the history. */
  olderHistory(): void {
    this.#historyLimit += HISTORY_STEP;
    this.link.request(
      () => ({ kind: "history", limit: this.#historyLimit }),
      (reply) => this.#loadHistory(reply),
    );
  }

  dismiss(key: string): void {
    this.notices.remove(key);
    if (this.#outbox.get(key)?.rejected != null) this.#outbox.settle(key);
  }

  /** A view has drawn the item: its time runs from now on. */
  drawn(itemId: string): void {
    if (this.shown.peek()?.entry.item_id !== itemId) return;
    this.#scribe.clock.show(itemId);
    this.onScreen.set(itemId);
    this.#noteOpinion();
  }

  // ---- inside ----

  #answer(answer: Answer["answer"], value: string | null, note: string): boolean {
    const shown = this.shown.peek();
    // Nobody can judge what is not on the screen.
    if (shown == null || this.onScreen.peek() !== shown.entry.item_id) return false;
    const { item_id } = shown.entry;
    const since = this.#options.now();
    const { held } = this.#supply;
    held.remove(item_id);
    const message = this.#scribe.answer(shown.entry, answer, value, note, held.have());
    batch(() => {
      this.link.keep(message);
      this.#journal.give(message);
      this.#review = null;
      this.announcement.set(
        answer === "label"
          ? `Labelled ${item_id} as ${value}`
          : `${item_id}: ${text.answer(message as never)}`,
      );
      this.#refresh(since);
      this.#publish();
    });
    // The next picture first: sending takes the page's time, and the answer is in its storage already.
    this.#options.later(() => {
      this.link.flush();
      this.#supply.refill();
    });
    return true;
  }

  #undoEvent(target: string, item_id: string): Undo {
    const message = this.#scribe.undo(target, item_id);
    this.link.keep(message);
    return message;
  }

  #hello(): void {
    // Events first: the history that comes back with the greeting then knows them.
    this.link.flush();
    if (!this.link.isOpen("hello")) {
      this.link.request(
        () => ({
          kind: "hello",
          replaces: this.#options.replaces(),
          have: this.#supply.held.have(),
          want: WANT,
        }),
        (reply, buffers) => {
          if (reply?.ok !== true) {
            this.notices.add(
              { severity: "error", message: reply?.error?.message ?? text.NO_ANSWER },
              "hello",
            );
            return;
          }
          this.notices.remove("hello");
          this.#loadHistory(reply);
          this.#supply.add(reply.entries ?? [], buffers);
          this.#refresh(null);
        },
      );
    }
  }

  /** An answer that an earlier page could not deliver counts as given, whatever the kernel knows yet. */
  #adopt({ message, rejected }: Waiting): void {
    if (rejected != null) {
      this.#refusal(message.event_id, rejected);
    } else if (message.kind === "answer") {
      this.#journal.give(message);
    } else {
      this.#journal.takeBack(message);
    }
  }

  #settled({ message }: Waiting): void {
    this.notices.remove("postponed");
    this.#journal.settled(message);
    const { event_id } = message;
    const ms = this.#scribe.age(message);
    for (const tell of this.saved) tell({ event_id, ms });
    this.#options.delivered(event_id);
  }

  #refused({ message }: Waiting, reason: string): void {
    this.#journal.refused(message);
    this.#refusal(message.event_id, reason);
    this.#publish();
  }

  #refusal(eventId: string, reason: string): void {
    const { message } = this.#outbox.get(eventId) ?? {};
    const what =
      message?.kind === "answer"
        ? `“${text.answer({ kind: message.answer, value: message.value })}”`
        : "Undo";
    this.notices.add(
      { severity: "error", message: `${what} for ${message?.item_id ?? "?"} was refused: ${reason}` },
      eventId,
    );
  }

  #setStatus(status: Status): void {
    const old = this.status.peek();
    if (old != null && status.rev < old.rev) return;
    this.status.set(status);
    if (!sameNames(status.classes, this.classes.peek())) this.classes.set(status.classes);
  }

  #loadHistory(reply: Reply | null): void {
    if (reply?.ok !== true || reply.history == null) return;
    this.#journal.refresh(reply.history);
    this.#publish();
  }

  #fetchIfMissing(itemId: string): void {
    if (this.#supply.picture(itemId) != null) return;
    this.#supply.fetch(itemId, (message) => {
      this.notices.add({
        severity: "warning",
        message: `${itemId} cannot be shown: ${message}`,
      });
      if (this.#review === itemId) this.#review = null;
      if (this.#supply.picture(itemId) == null) this.#supply.held.remove(itemId);
      this.#refresh(null);
    });
  }

  /** Brings `shown` up to date; nothing happens when nothing is different. */
  #refresh(since: number | null): void {
    const reviewed = this.#review;
    const entry =
      reviewed == null ? this.#supply.held.current : (this.#supply.entry(reviewed) ?? stub(reviewed));
    const old = this.shown.peek();
    if (entry == null) {
      this.#leave();
      this.shown.set(null);
      return;
    }
    const picture = this.#supply.picture(entry.item_id);
    const review = reviewed == null ? null : this.#journal.answerOf(reviewed);
    const same = old != null && old.entry.item_id === entry.item_id;
    if (same && old.entry === entry && old.picture === picture && old.review?.event_id === review?.event_id)
      return;
    if (!same || picture == null) this.#leave();
    // The picture of an item that was waited for is still owed to the action that asked for it.
    this.shown.set({
      entry,
      picture,
      review,
      since: since ?? (same && old.picture == null ? old.since : null),
    });
  }

  #leave(): void {
    this.#scribe.clock.leave();
    this.onScreen.set("");
  }

  #noteOpinion(): void {
    const entry = this.shown.peek()?.entry;
    if (entry != null && this.opinion.peek()) this.#scribe.noteOpinion(entry);
  }

  #publish(): void {
    this.history.set(this.#journal.view());
  }
}

// The page's side of labelling a volume: which section is on the screen, its mask, and what a stroke or a key makes of it.
//
// Nothing here waits for the kernel: strokes are laid into the mask at once, kept in the browser, and sent after they were seen.

import type {
  Part,
  ProblemInfo,
  Proposal,
  RegionInfo,
  Shape,
  StatesPush,
  Status,
  Stroke,
  StrokeRow,
  StrokeValue,
  Undo,
  VolumeAnswer,
  VolumeReply,
} from "../../volume-wire";
import { ItemClock } from "../clock";
import { AnswerHistory } from "../history";
import { Link } from "../link";
import { MaskBook } from "../mask/book";
import { type Box, IGNORED, type Raster } from "../mask/values";
import { Outbox, type Waiting } from "../outbox";
import { Problems } from "../problems";
import { sameNames } from "../screen";
import { batch, computed, type ReadSignal, signal } from "../signal";
import * as text from "../text";
import { Expectations, type Expected } from "./expected";
import type { Want } from "./screen";
import {
  OPEN,
  type Verdict,
  VOLUME_EVENTS,
  type VolumeEvent,
  type VolumeOptions,
  type VolumeTalk,
} from "./screen";
import { Sections } from "./sections";

type Tool = StrokeValue["tool"];

export type VolumePhase = "ready" | "waiting" | "done" | "offline";

export class VolumeLabeller {
  readonly status = signal<Status | null>(null);
  readonly classes = signal<readonly string[]>([]);
  /** Index of the section on the screen. */
  readonly index = signal(0);
  /** Index of the section that has been drawn; -1: none. Only what was seen can be labelled. */
  readonly drawnIndex = signal(-1);
  /** Counts changes of masks that did not come from the stroke under the hand. */
  readonly masks = signal(0);
  /** What the stroke under the hand has just covered, and in which view: the others follow it. */
  readonly touched = signal<{ readonly box: Box; readonly by: object } | null>(null);
  readonly predictions = signal(0);
  readonly verdicts = signal(0);
  readonly proposal = signal<Proposal | null>(null);
  /** The region that is to be judged. */
  readonly region = signal<RegionInfo | null>(null);
  /** Why it is asked. */
  regionReason = "";
  /** What the session would ask next, and what the annotator chose instead. */
  readonly wants = signal<Want>("section");
  readonly chosen = signal<Want | null>(null);
  /** A region is looked for: the kernel may still be reading the volume. */
  readonly seeking = signal(false);
  readonly utilities = signal<readonly (number | null)[]>([]);
  readonly opinion = signal(true);
  readonly history = signal({ canUndo: false, canRedo: false, n: 0 });
  readonly announcement = signal("");
  readonly notices: Problems;
  readonly link: Link<VolumeTalk>;
  readonly sections: Sections;
  readonly phase: ReadSignal<VolumePhase>;
  /** Called for each event that has reached the disk. */
  readonly saved = new Set<(saved: { event_id: string; ms: number }) => void>();

  readonly #outbox: Outbox<VolumeEvent>;
  readonly #journal = new AnswerHistory<StrokeRow>();
  readonly #book: MaskBook;
  readonly #expected = new Expectations();
  readonly #clock: ItemClock;
  /** What the kernel said of sections; events made here count more. */
  readonly #told = new Map<string, Verdict>();
  /** What a section was finished with, by event. */
  readonly #rests = new Map<string, number | null>();
  /** Sections whose masks the kernel should tell again, once nothing of ours is under way. */
  readonly #stale = new Set<string>();
  readonly #anchored = new Set<string>();
  /** What is shown, and labelled, in the place of a section where that was ever anything else: index → item id. */
  readonly #guests = new Map<number, string>();
  readonly #madeAt = new Map<string, number>();
  /** A stroke is being drawn: the mask under the hand is not replaced meanwhile. */
  drawing = false;
  /** The annotator has begun: nothing else than an answer changes the section on the screen. */
  begun = false;
  /** The answer after whose reply the next question comes. */
  #thenAdvance = "";
  #started = false;
  #looked = -1;
  #regionToken = "";
  /** Number of our newest event that has reached the disk. */
  #delivered = -1;

  readonly #options: VolumeOptions;
  constructor(options: VolumeOptions) {
    this.#options = options;
    const { info, now, today, storage, storeId, client, annotator } = options;
    this.classes.set(options.classes);
    this.opinion.set(options.showModel);
    this.notices = new Problems(now);
    this.#clock = new ItemClock(now, today);
    this.#book = new MaskBook(info.rows, info.columns);
    this.#outbox = new Outbox<VolumeEvent>(storage, storeId, client, annotator, VOLUME_EVENTS);
    this.link = new Link<VolumeTalk>(
      options.port,
      this.#outbox,
      {
        settled: (item, reply) => {
          this.#settled(item);
          if (reply?.states != null) {
            this.#hear(reply.states);
            this.#explain(item.message, reply.states);
          }
          if (reply?.wants != null) this.wants.set(reply.wants);
          if (item.message.event_id === this.#thenAdvance) this.#advance();
        },
        refused: (item, error) => this.#refused(item, error.message),
        postponed: (_item, error) =>
          this.#say("warning", `Not saved yet: ${error.message}. Trying again.`, "postponed"),
        status: (status, problem) => {
          this.#setStatus(status);
          if (problem != null) this.notices.add(problem);
        },
        pushes: ["prediction", "proposal", "states"],
        push: (push, buffers) => {
          if (push.client != null && push.client !== client) return;
          if (push.kind === "prediction") {
            this.#expect(push.prediction, buffers);
          } else if (push.kind === "states") {
            this.#hearElsewhere(push);
          } else {
            this.utilities.set(push.utilities);
            this.wants.set(push.wants);
            if (push.proposal?.region == null) {
              this.proposal.set(push.proposal);
              this.#invite(push.proposal);
            }
          }
        },
        recovered: () => this.#hello(),
      },
      now,
    );
    this.sections = new Sections(
      info,
      (indices, done) =>
        this.link.request(
          () => ({ kind: "sections", item_ids: indices.map((index) => this.idOf(index)) }),
          (reply, buffers) => {
            if (reply != null && !reply.ok) {
              const message = whyNot(reply);
              this.#say("error", `A section cannot be shown: ${message}`, "sections");
            }
            // Meanwhile something else may be shown there.
            const wanted = reply?.sections?.filter((s) => s.item_id === this.idOf(s.index)) ?? [];
            done(reply?.ok === true ? wanted : null, buffers);
          },
        ),
      (message) => this.#say("error", message, "sections"),
    );
    this.phase = computed<VolumePhase>(() => {
      const connection = this.link.connection.get();
      if (connection === "gone" || connection === "silent") return "offline";
      if (this.drawnIndex.get() !== this.index.get()) return "waiting";
      return this.status.get()?.state === "done" ? "done" : "ready";
    });
  }

  // ---- life ----

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
    if (this.link.connection.peek() === "ok") this.sections.fill();
    this.#refresh();
  }

  receive(content: unknown, buffers: readonly DataView[]): void {
    batch(() => this.link.receive(content, buffers));
  }

  setAway(away: boolean): void {
    this.#clock.setAway(away);
  }

  close(): void {
    this.#clock.leave();
  }

  // ---- what is there ----

  /** What is shown, and labelled, as a section. */
  idOf(index: number): string {
    return this.#guests.get(index) ?? `${this.#options.info.name}/${index}`;
  }

  /** What people call a section. */
  nameOf(index: number): string {
    return plain(this.idOf(index));
  }

  indexOf(itemId: string): number {
    return Number.parseInt(itemId.slice(itemId.lastIndexOf("/") + 1), 10);
  }

  get item(): string {
    return this.idOf(this.index.peek());
  }

  /** The mask of a section. A stroke may be drawn into it while it lasts. */
  mask(index: number): Raster {
    return this.#book.of(this.idOf(index));
  }

  isKnown(index: number): boolean {
    return this.#book.knows(this.idOf(index));
  }

  isLabelled(index: number): boolean {
    return this.#book.has(this.idOf(index));
  }

  expected(index: number): Expected | null {
    return this.#expected.get(this.idOf(index));
  }

  /** Whether a section is finished, left out or open: the newest word on it. */
  verdict(index: number): Verdict {
    const item = this.idOf(index);
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
  readonly #undoneVerdicts = new Set<string>();

  // ---- what the user does ----

  /** Shows another section. */
  look(index: number): void {
    this.begun = true;
    this.#look(index);
  }

  #look(index: number): void {
    const { sections } = this.#options.info;
    const to = Math.min(Math.max(Math.round(index), 0), sections - 1);
    if (to !== this.index.peek()) {
      batch(() => {
        this.#clock.leave();
        this.drawnIndex.set(-1);
        this.index.set(to);
      });
    }
    this.sections.look(to);
    // Scrolling through many sections tells the kernel only where it ended.
    this.#options.later(() => this.#tellLook());
  }

  /** A view has drawn the section: it can be labelled from now on. */
  drawn(index: number): void {
    if (index !== this.index.peek()) return;
    this.#clock.show(this.idOf(index));
    this.drawnIndex.set(index);
    if (this.opinion.peek() && this.expected(index) != null) this.#anchored.add(this.idOf(index));
  }

  /**
   * Records a stroke. `laid` are sections into whose mask it has been drawn. False where the section has not been seen yet,
   * or nothing was drawn.
   */
  stroke(
    tool: Tool,
    parts: readonly Part[],
    shape: Shape | null,
    laid: ReadonlySet<string> = new Set(),
  ): boolean {
    if (parts.length === 0 || this.drawnIndex.peek() !== this.index.peek()) return false;
    this.begun = true;
    const item_id = this.item;
    const { elapsed_ms, shown_at_ms } = this.#clock.stop(item_id);
    this.#clock.show(item_id);
    const message: Stroke = {
      kind: "stroke",
      ...this.#numbered(),
      item_id,
      value: { tool, parts: [...parts], shape, recipe: this.#options.recipe() },
      token: this.#tokenFor(item_id),
      elapsed_ms,
      shown_at_ms,
      answered_at_ms: this.#options.today(),
      model_shown: this.#anchored.has(item_id),
    };
    batch(() => {
      this.link.keep(message);
      const changed = this.#book.add(message.event_id, parts, laid);
      this.#journal.add(rowOfStroke(message, changed));
      if (changed.some((item) => !laid.has(item))) this.#changed();
      this.#publish();
    });
    this.#flush();
    return true;
  }

  /** The section is done. `rest`: what its unlabelled pixels are (null: left open). Then the next one comes. */
  finish(rest: number | null): void {
    const item = plain(this.item);
    const said = this.#answer("label", { rest }, null, "");
    if (!said) return;
    const name = this.classes.peek()[rest ?? 0] ?? "";
    this.announcement.set(rest == null ? `Finished ${item}` : `Finished ${item}: the rest is ${name}`);
    this.#goOn(said);
  }

  /** Gives up the stroke that is being drawn. */
  giveUp(): void {
    this.drawing = false;
    this.#book.refold(this.item);
    this.#changed();
  }

  skip(note = ""): void {
    const said = this.#answer("skip", null, null, note);
    if (!said) return;
    this.announcement.set(`${plain(this.item)}: skipped`);
    this.#goOn(said);
  }

  /** Of a region: nobody can tell, its pixels are ignored. Of a section: it is left open. */
  unsure(): void {
    if (this.region.peek() != null) {
      this.judge(IGNORED);
      return;
    }
    const said = this.#answer("unsure", null, null, "");
    if (!said) return;
    this.announcement.set(`${plain(this.item)}: unsure`);
    this.#goOn(said);
  }

  /** Says what the region on the screen is, a class number or "ignored"; what the session wants next comes. */
  judge(value: number): void {
    const region = this.region.peek();
    if (region == null) return;
    const unsure = value === IGNORED;
    const said = this.#answer(unsure ? "unsure" : "label", null, { region, value }, "");
    if (!said) return;
    this.announcement.set(`Region: ${unsure ? "unsure" : (this.classes.peek()[value] ?? value)}`);
    this.region.set(null);
    // A region is found only when the kernel knows what became of the one before.
    this.#thenAdvance = said;
  }

  /** The annotator wants to be asked this from now on. */
  choose(want: Want): void {
    this.chosen.set(want);
    this.next(want);
  }

  /** After an answer: the next section may be known here, all else only when the kernel has heard the answer. */
  #goOn(eventId: string): void {
    if (this.#ready != null && (this.chosen.peek() ?? this.wants.peek()) === "section") this.next("section");
    else this.#thenAdvance = eventId;
  }

  /** The section that was proposed, as long as it is of use. */
  get #ready(): Proposal | null {
    const held = this.proposal.peek();
    const open = held != null && held.index !== this.index.peek() && !this.verdict(held.index).finished;
    return open ? held : null;
  }

  #advance(): void {
    this.#thenAdvance = "";
    if ((this.chosen.peek() ?? this.wants.peek()) === "section") this.next("section");
    else this.#seek(() => this.next("section"));
  }

  /** Goes to the section, or the region, that is most worth the time. */
  next(want: Want, strategy = ""): void {
    if (want === "region") {
      this.#seek(() => this.#say("info", "No doubtful region is left.", "next"));
      return;
    }
    const held = this.#ready;
    this.#search += 1;
    this.seeking.set(false);
    this.region.set(null);
    if (strategy === "" && held != null) {
      batch(() => {
        this.#invite(held, true);
        this.#look(held.index);
      });
      return;
    }
    this.#ask(want, strategy, (proposal) => {
      if (proposal != null) this.#propose(proposal);
      else this.#say("info", "No section is left to ask.", "next");
    });
  }

  /** Looks for a region to be judged. Whoever has turned to something else meanwhile is left alone. */
  #seek(none: () => void, wanted: () => boolean = () => true): void {
    this.#search += 1;
    const search = this.#search;
    this.seeking.set(true);
    const current = (): boolean => {
      if (search !== this.#search) return false;
      this.seeking.set(false);
      return !this.drawing && wanted();
    };
    this.#ask(
      "region",
      "",
      (proposal) => {
        if (!current()) return;
        if (proposal == null) none();
        else this.#propose(proposal);
      },
      current,
    );
  }
  #search = 0;

  #ask(
    want: Want,
    strategy: string,
    done: (proposal: Proposal | null) => void,
    failed: () => unknown = () => undefined,
  ): void {
    this.link.request(
      () => ({ kind: "next", want, strategy }),
      (reply) => {
        if (reply?.ok === true) {
          done(reply.proposal ?? null);
          return;
        }
        failed();
        this.#say("warning", whyNot(reply), "next");
      },
    );
  }

  /** Shows the section that the kernel asks for, and what it asks there. */
  #propose(proposal: Proposal): void {
    batch(() => {
      if (proposal.region == null) this.proposal.set(proposal);
      else this.#regionToken = proposal.token;
      this.regionReason = proposal.region == null ? "" : proposal.reason;
      this.#invite(proposal, true);
      this.region.set(proposal.region);
      this.#look(proposal.index);
    });
  }

  /** Shows in the place of a section what is asked there, and elsewhere the sections themselves. */
  #invite(proposal: Proposal | null | undefined, going = false): void {
    // What is on the screen does not change under the hand.
    if (proposal == null || (!going && proposal.index === this.drawnIndex.peek())) return;
    const { region, item_id } = proposal;
    for (const [at, guest] of this.#guests)
      if (guest !== item_id && (region != null || at !== this.index.peek())) this.#seat(plain(guest));
    if (region == null) this.#seat(item_id);
  }

  /** From now on this is shown in its place. */
  #seat(itemId: string): void {
    const index = this.indexOf(itemId);
    if (this.idOf(index) === itemId) return;
    this.#guests.set(index, itemId);
    if (index === this.index.peek()) {
      this.#clock.leave();
      this.drawnIndex.set(-1);
    }
    this.sections.replace(index);
    this.#changed();
    this.#judged();
  }

  /** Shows what a row of the journal is about. */
  #visit({ item_id, items }: StrokeRow): void {
    if (isGuest(item_id)) this.#seat(item_id);
    if (!items.includes(this.item)) this.look(this.indexOf(item_id));
  }

  /** The region is left alone: sections are asked from now on. */
  leaveRegion(): void {
    if (this.region.peek() == null) return;
    this.chosen.set("section");
    this.region.set(null);
  }

  undo(): void {
    const row = this.#journal.newest;
    if (row == null) {
      this.announcement.set("Nothing to undo");
      return;
    }
    batch(() => {
      const message = this.#undoEvent(row.event_id, row.item_id);
      this.#takeBack(message);
      this.region.set(null);
      this.announcement.set(`Undone: ${kindOf(row)} on ${plain(row.item_id)}`);
      this.#visit(row);
      this.#publish();
    });
    this.#flush();
  }

  redo(): void {
    const taken = this.#journal.redo();
    if (taken == null) {
      this.announcement.set("Nothing to redo");
      return;
    }
    batch(() => {
      const { row, undo_id } = taken;
      this.#undoEvent(undo_id, row.item_id);
      this.#again(row);
      this.announcement.set(`Redone: ${kindOf(row)} on ${plain(row.item_id)}`);
      this.#visit(row);
      if (row.kind !== "stroke") this.#seat(plain(row.item_id));
      this.#publish();
    });
    this.#flush();
  }

  toggleOpinion(): void {
    this.opinion.set(!this.opinion.peek());
    this.announcement.set(`What the model expects is ${this.opinion.peek() ? "shown" : "hidden"}`);
  }

  addClass(name: string, done: (refusal: string | null) => void): void {
    this.link.request(
      () => ({ kind: "add_class", name }),
      (reply) => {
        if (reply?.ok === true) this.announcement.set(`Class ${name} added`);
        done(reply?.ok === true ? null : whyNot(reply));
      },
    );
  }

  dismiss(key: string): void {
    this.notices.remove(key);
    if (this.#outbox.get(key)?.rejected != null) this.#outbox.settle(key);
  }

  // ---- inside ----

  #answer(
    answer: VolumeAnswer["answer"],
    finished: VolumeAnswer["finished"],
    judged: { region: RegionInfo; value: number } | null,
    note: string,
  ): string {
    if (this.drawnIndex.peek() !== this.index.peek()) return "";
    this.begun = true;
    const item_id = this.item;
    const message: VolumeAnswer = {
      kind: "answer",
      ...this.#numbered(),
      item_id: judged == null ? item_id : this.idOf(judged.region.box[0] ?? this.index.peek()),
      answer,
      finished,
      region: judged == null ? null : { region_id: judged.region.region_id, value: judged.value },
      note,
      token: judged == null ? this.#tokenFor(item_id) : this.#regionToken,
      ...this.#clock.stop(item_id),
      answered_at_ms: this.#options.today(),
      model_shown: this.#anchored.delete(item_id),
    };
    batch(() => {
      this.link.keep(message);
      this.#give(message, judged?.region.parts ?? []);
      if (isGuest(item_id) && judged == null) {
        this.#seat(plain(item_id));
        if (this.proposal.peek()?.item_id === item_id) this.proposal.set(null);
      }
      this.#publish();
    });
    this.#flush();
    return message.event_id;
  }

  /** A new answer, of this page or of an earlier one that could not deliver it. */
  #give(message: VolumeAnswer, parts: readonly Part[]): void {
    const { event_id, item_id, answer, finished, region, answered_at_ms } = message;
    const base = { event_id, item_id, answered_at_ms, undone: false };
    if (region != null) {
      const own = parts.map((part) => ({ ...part, value: region.value }));
      const items = own.length > 0 ? this.#book.add(event_id, own) : [item_id];
      // The kernel makes the pixels of a region itself: what it makes of them is asked afterwards.
      for (const item of items) this.#stale.add(item);
      this.#journal.add({ ...base, kind: "stroke", tool: "region", items });
      this.#changed();
      return;
    }
    this.#rests.set(event_id, finished?.rest ?? null);
    this.#undoneVerdicts.delete(item_id);
    this.#journal.add({ ...base, kind: answer, tool: null, items: [item_id] });
    this.#judged();
  }

  #takeBack({ target, event_id }: Undo): void {
    const row = this.#journal.undo(target, event_id);
    const changed = this.#book.mark(target, true);
    if (row == null) return;
    if (row.kind === "stroke") {
      // A stroke of before this page: only the kernel knows what was below it.
      if (changed.length === 0) for (const item of row.items) this.#stale.add(item);
      this.#changed();
      return;
    }
    if (this.#verdictRow(row.item_id) == null) this.#undoneVerdicts.add(row.item_id);
    this.#judged();
  }

  #again(row: StrokeRow): void {
    const changed = this.#book.mark(row.event_id, false);
    if (row.kind === "stroke") {
      if (changed.length === 0) for (const item of row.items) this.#stale.add(item);
      this.#changed();
      return;
    }
    this.#undoneVerdicts.delete(row.item_id);
    this.#judged();
  }

  #verdictRow(item: string): StrokeRow | null {
    return this.#journal.find((row) => row.item_id === item && row.kind !== "stroke" && !row.undone);
  }

  #undoEvent(target: string, item_id: string): Undo {
    const message: Undo = {
      kind: "undo",
      ...this.#numbered(),
      target,
      item_id,
      answered_at_ms: this.#options.today(),
    };
    this.link.keep(message);
    return message;
  }

  #numbered(): { rid: string; client: string; seq: number; event_id: string } {
    const { client } = this.#outbox;
    const seq = this.#outbox.nextSeq();
    const event_id = `${client}-${seq}`;
    this.#madeAt.set(event_id, this.#options.now());
    return { rid: event_id, client, seq, event_id };
  }

  #tokenFor(item: string): string {
    const proposal = this.proposal.peek();
    return proposal?.item_id === item ? proposal.token : "";
  }

  #hello(): void {
    this.link.flush();
    if (this.link.isOpen("hello")) return;
    this.#looked = this.index.peek();
    this.link.request(
      () => ({ kind: "hello", replaces: this.#options.replaces(), looking_at: this.index.peek() }),
      (reply, buffers) => {
        if (reply?.ok !== true) {
          this.#say("error", whyNot(reply), "hello");
          return;
        }
        this.notices.remove("hello");
        this.#journal.load(reply.history ?? [], (eventId) => {
          const waiting = this.#outbox.get(eventId);
          return waiting != null && waiting.rejected == null;
        });
        this.#hear(reply.states ?? []);
        this.#expect(reply.prediction, buffers);
        const { proposal } = reply;
        if (proposal != null && proposal.region == null) this.proposal.set(proposal);
        // A page that has shown nothing yet begins where the kernel asks.
        const first = this.drawnIndex.peek() < 0;
        this.#invite(proposal);
        this.#look(first && proposal != null ? proposal.index : this.index.peek());
        this.wants.set(reply.wants ?? "section");
        const free = (): boolean => !this.begun && this.wants.peek() === "region";
        if (free()) this.#seek(() => undefined, free);
        this.#publish();
      },
    );
  }

  #tellLook(): void {
    const index = this.index.peek();
    if (index === this.#looked) return;
    this.#looked = index;
    this.link.request(
      () => ({ kind: "look", index: this.index.peek() }),
      (reply, buffers) => {
        this.#expect(reply?.prediction, buffers);
      },
    );
  }

  /** An event that an earlier page could not deliver counts as given, whatever the kernel knows yet. */
  #adopt({ message, rejected }: Waiting<VolumeEvent>): void {
    if (rejected != null) {
      this.#refusal(message, rejected);
    } else if (message.kind === "stroke") {
      const changed = this.#book.add(message.event_id, message.value.parts);
      this.#journal.add(rowOfStroke(message, changed));
    } else if (message.kind === "answer") {
      this.#give(message, []);
    } else {
      this.#takeBack(message);
      for (const item of [message.item_id]) this.#stale.add(item);
    }
  }

  /** Takes the kernel's word on sections. */
  #hear(states: readonly (Verdict & { item_id: string; parts: Part[] })[]): void {
    let changed = false;
    const settled = this.#outbox.unsaved === 0 && !this.drawing;
    for (const state of states) {
      const { item_id, finished, rest, answer, measures } = state;
      this.#told.set(item_id, { finished, rest, answer, measures });
      try {
        if (settled) changed = this.#book.adopt(state) || changed;
        else if (!this.drawing) this.#book.begin(state);
      } catch (error) {
        this.#say("error", `${plain(item_id)}: ${(error as Error).message}`, "states");
      }
      if (settled) this.#stale.delete(item_id);
      else this.#stale.add(item_id);
      changed = changed || !settled;
    }
    if (changed) this.#changed();
    if (states.length > 0) this.#judged();
  }

  /** What was said in another view, or in a cell. States from before our own newest stroke are asked for again. */
  #hearElsewhere({ seq, states, history }: StatesPush): void {
    this.#journal.load(history, () => true);
    if (seq >= this.#delivered) this.#hear(states);
    else for (const { item_id } of states) this.#stale.add(item_id);
    this.#judged();
    this.#publish();
    this.#refresh();
  }

  /** Says once why nothing came of a section: afterwards, for whoever knows it before paints otherwise. */
  #explain({ kind }: VolumeEvent, states: readonly Verdict[]): void {
    if (this.#explained || kind !== "answer" || !states.some(({ measures }) => measures)) return;
    this.#explained = true;
    this.#say(
      "info",
      "The section just finished was kept aside: the model is measured by it and does not learn from it. More come in between, unmarked.",
      "aside",
    );
  }
  #explained = false;

  /** Asks the kernel for masks that may differ from ours, when nothing of ours is under way. */
  #refresh(): void {
    if (this.#stale.size === 0 || this.drawing || this.#outbox.unsaved > 0 || this.link.isOpen("states"))
      return;
    const item_ids = [...this.#stale];
    this.link.request(
      () => ({ kind: "states", item_ids }),
      (reply) => {
        if (reply?.ok !== true) return;
        this.#hear(reply.states ?? []);
        if (this.#outbox.unsaved === 0) for (const item of item_ids) this.#stale.delete(item);
      },
    );
  }

  #settled({ message }: Waiting<VolumeEvent>): void {
    this.notices.remove("postponed");
    if (message.client === this.#outbox.client) this.#delivered = Math.max(this.#delivered, message.seq);
    const { event_id, answered_at_ms } = message;
    const made = this.#madeAt.get(event_id);
    this.#madeAt.delete(event_id);
    const ms = made == null ? this.#options.today() - answered_at_ms : this.#options.now() - made;
    for (const tell of this.saved) tell({ event_id, ms });
    this.#options.delivered(event_id);
    this.#options.later(() => this.#refresh());
  }

  #refused({ message }: Waiting<VolumeEvent>, reason: string): void {
    this.#journal.forget(message.event_id);
    if (this.#book.forget(message.event_id).length > 0) this.#changed();
    this.#judged();
    this.#refusal(message, reason);
    this.#publish();
  }

  #refusal(message: VolumeEvent, reason: string): void {
    const what =
      message.kind === "stroke"
        ? `A stroke (${message.value.tool})`
        : message.kind === "answer"
          ? "An answer"
          : "Undo";
    this.#say("error", `${what} on ${plain(message.item_id)} was refused: ${reason}`, message.event_id);
  }

  #setStatus(status: Status): void {
    const old = this.status.peek();
    if (old != null && status.rev < old.rev) return;
    this.status.set(status);
    if (!sameNames(status.classes, this.classes.peek())) this.classes.set(status.classes);
  }

  #expect(prediction: VolumeReply["prediction"], buffers: readonly DataView[]): void {
    if (prediction != null && this.#expected.take(prediction, buffers))
      this.predictions.set(this.predictions.peek() + 1);
  }

  /** Sends what is kept, once what was just done is on the screen. */
  #flush(): void {
    this.#options.later(() => this.link.flush());
  }

  #judged(): void {
    this.verdicts.set(this.verdicts.peek() + 1);
  }

  #say(severity: ProblemInfo["severity"], message: string, key: string): void {
    this.notices.add({ severity, message }, key);
  }

  #changed(): void {
    this.masks.set(this.masks.peek() + 1);
  }

  #publish(): void {
    this.history.set({
      canUndo: this.#journal.newest != null,
      canRedo: this.#journal.redoable != null,
      n: this.history.peek().n + 1,
    });
  }
}

/** The section in whose place something is shown. */
function plain(itemId: string): string {
  return itemId.replace(/~\w{8}$/, "");
}

function whyNot(reply: VolumeReply | null): string {
  return reply?.error?.message ?? text.NO_ANSWER;
}

function isGuest(itemId: string): boolean {
  return plain(itemId) !== itemId;
}

function rowOfStroke({ event_id, item_id, value, answered_at_ms }: Stroke, items: string[]): StrokeRow {
  return { event_id, item_id, kind: "stroke", tool: value.tool, items, answered_at_ms, undone: false };
}

function kindOf({ kind, tool }: StrokeRow): string {
  if (kind === "stroke") return (tool ?? "stroke").replace("_", " ");
  return kind === "label" ? "finished" : kind === "skip" ? "skipped" : "unsure";
}

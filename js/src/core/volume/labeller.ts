// The page's side of labelling a volume: which section is on the screen, its mask, and what a stroke or a key makes of it.
//
// Nothing here waits for the kernel: strokes are laid into the mask at once, kept in the browser, and sent after they were seen.

import type {
  Next,
  Part,
  Proposal,
  Shape,
  StatesPush,
  Stroke,
  StrokeRow,
  StrokeValue,
  VolumeAnswer,
  VolumeReply,
} from "../../volume-wire";
import type { Undo } from "../../wire";
import { ItemClock } from "../clock";
import { type Box, IGNORED, type Raster } from "../mask/values";
import { batch, computed, type ReadSignal, signal } from "../signal";
import { Asking } from "./asking";
import { Delivery, whyNot } from "./delivery";
import { Expectations, type Expected } from "./expected";
import { indexOf, isGuest, Places, plain } from "./places";
import { AnswerRecord } from "./record";
import type { Verdict, VolumeOptions, VolumeTalk } from "./screen";
import { Sections } from "./sections";

type Tool = StrokeValue["tool"];

export type VolumePhase = "ready" | "waiting" | "done" | "offline";

export class VolumeLabeller {
  readonly status: Delivery["status"];
  readonly classes: Delivery["classes"];
  /** Index of the section on the screen. */
  readonly index = signal(0);
  /** Index of the section that has been drawn; -1: none. Only what was seen can be labelled. */
  readonly drawnIndex = signal(-1);
  /** What the stroke under the hand has just covered, and in which view: the others follow it. */
  readonly touched = signal<{ readonly box: Box; readonly by: object } | null>(null);
  readonly predictions = signal(0);
  readonly opinion = signal(true);
  readonly announcement = signal("");
  readonly notices: Delivery["notices"];
  readonly link: Delivery["link"];
  readonly saved: Delivery["saved"];
  readonly sections: Sections;
  readonly record: AnswerRecord;
  readonly asking: Asking;
  readonly history: AnswerRecord["history"];
  readonly phase: ReadSignal<VolumePhase>;
  /** Counts how often somebody asked elsewhere that a section be shown here. */
  readonly visits = signal(0);
  readonly #delivery: Delivery;
  readonly #expected = new Expectations();
  readonly #clock: ItemClock;
  readonly #anchored = new Set<string>();
  readonly #places: Places;
  /** A stroke is being drawn: the mask under the hand is not replaced meanwhile. */
  drawing = false;
  #started = false;
  #looked = -1;

  readonly #options: VolumeOptions;
  constructor(options: VolumeOptions) {
    this.#options = options;
    const { info, now, today } = options;
    this.opinion.set(options.showModel);
    this.#clock = new ItemClock(now, today);
    this.record = new AnswerRecord(info.rows, info.columns);
    this.history = this.record.history;
    this.#places = new Places(info.name, (index) => this.#replace(index));
    this.asking = new Asking({
      ask: (want, strategy, done, failed) => this.#ask(want, strategy, done, failed),
      show: (proposal) => this.#propose(proposal),
      isOpen: ({ index }) => index !== this.index.peek() && !this.verdict(index).finished,
      busy: () => this.drawing,
      nothing: (message) => this.#delivery.say("info", message, "next"),
    });
    this.#delivery = new Delivery(options, this.record, {
      replied: ({ event_id }, reply) => {
        if (reply?.wants != null) this.asking.wants.set(reply.wants);
        this.asking.heard(event_id);
      },
      pushed: (push, buffers) => this.#pushed(push, buffers),
      recovered: () => this.#hello(),
      unlearned: (round) => {
        this.#expected.drop(round);
        this.predictions.set(this.predictions.peek() + 1);
      },
      busy: () => this.drawing,
    });
    this.status = this.#delivery.status;
    this.classes = this.#delivery.classes;
    this.notices = this.#delivery.notices;
    this.link = this.#delivery.link;
    this.saved = this.#delivery.saved;
    this.sections = new Sections(
      info,
      (indices, done) =>
        this.link.request(
          () => ({ kind: "sections", item_ids: indices.map((index) => this.idOf(index)) }),
          (reply, buffers) => {
            if (reply != null && !reply.ok) {
              const message = whyNot(reply);
              this.#delivery.say("error", `A section cannot be shown: ${message}`, "sections");
            }
            // Meanwhile something else may be shown there.
            const wanted = reply?.sections?.filter((s) => s.item_id === this.idOf(s.index)) ?? [];
            done(reply?.ok === true ? wanted : null, buffers);
          },
        ),
      (message) => this.#delivery.say("error", message, "sections"),
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
    this.#delivery.start();
    this.#hello();
  }

  /** To be called about once a second. */
  tick(): void {
    if (!this.#started) return;
    this.#delivery.tick();
    if (this.link.connection.peek() === "ok") this.sections.fill();
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
    return this.#places.idOf(index);
  }

  /** What people call a section. */
  nameOf(index: number): string {
    return plain(this.idOf(index));
  }

  get item(): string {
    return this.idOf(this.index.peek());
  }

  /** The mask of a section. A stroke may be drawn into it while it lasts. */
  mask(index: number): Raster {
    return this.record.mask(this.idOf(index));
  }

  isKnown(index: number): boolean {
    return this.record.isKnown(this.idOf(index));
  }

  isLabelled(index: number): boolean {
    return this.record.isLabelled(this.idOf(index));
  }

  expected(index: number): Expected | null {
    return this.#expected.get(this.idOf(index));
  }

  /** Whether a section is finished, left out or open: the newest word on it. */
  verdict(index: number): Verdict {
    return this.record.verdict(this.idOf(index));
  }

  // ---- what the user does ----

  /** Shows another section. */
  look(index: number): void {
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

  #visitedAt(index: number): void {
    if (this.drawing) return;
    this.look(index);
    this.announcement.set(`Shown from the review: ${this.nameOf(index)}`);
    this.visits.set(this.visits.peek() + 1);
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
    const item_id = this.item;
    const { elapsed_ms, shown_at_ms } = this.#clock.stop(item_id);
    this.#clock.show(item_id);
    const message: Stroke = {
      kind: "stroke",
      ...this.#delivery.numbered(),
      item_id,
      value: { tool, parts: [...parts], shape, recipe: this.#options.recipe() },
      token: this.asking.tokenOf(item_id),
      elapsed_ms,
      shown_at_ms,
      answered_at_ms: this.#options.today(),
      model_shown: this.#anchored.has(item_id),
    };
    batch(() => {
      // Who paints answers no question any more: class keys are the brush's.
      this.asking.drop();
      this.link.keep(message);
      this.record.stroke(message, laid);
    });
    this.#delivery.flush();
    return true;
  }

  /** The section is done. `rest`: what its unlabelled pixels are (null: left open). Then the next one comes. */
  finish(rest: number | null): void {
    const item = plain(this.item);
    const said = this.#answer("label", { rest }, null, "");
    if (!said) return;
    const name = this.classes.peek()[rest ?? 0] ?? "";
    this.announcement.set(rest == null ? `Finished ${item}` : `Finished ${item}: the rest is ${name}`);
    this.asking.goOn(said);
  }

  /** Gives up the stroke that is being drawn. */
  giveUp(): void {
    this.drawing = false;
    this.record.refold(this.item);
  }

  skip(note = ""): void {
    const said = this.#answer("skip", null, null, note);
    if (!said) return;
    this.announcement.set(`${plain(this.item)}: skipped`);
    this.asking.goOn(said);
  }

  /** Of a region: nobody can tell, its pixels are ignored. Of a section: it is left open. */
  unsure(): void {
    if (this.asking.region.peek() != null) {
      this.judge(IGNORED);
      return;
    }
    const said = this.#answer("unsure", null, null, "");
    if (!said) return;
    this.announcement.set(`${plain(this.item)}: unsure`);
    this.asking.goOn(said);
  }

  /** Says what the region on the screen is, a class number or "ignored"; what the session wants next comes. */
  judge(value: number): void {
    if (this.asking.region.peek() == null) return;
    const unsure = value === IGNORED;
    const said = this.#answer(unsure ? "unsure" : "label", null, value, "");
    if (!said) return;
    this.announcement.set(`Region: ${unsure ? "unsure" : (this.classes.peek()[value] ?? value)}`);
    this.asking.judged(said);
  }

  #ask(
    want: Next["want"],
    strategy: string,
    done: (proposal: Proposal | null) => void,
    failed: () => unknown,
  ): void {
    this.link.request(
      () => ({ kind: "next", want, strategy }),
      (reply) => {
        if (reply?.ok === true) {
          done(reply.proposal ?? null);
          return;
        }
        failed();
        this.#delivery.say("warning", whyNot(reply), "next");
      },
    );
  }

  /** Shows the section that the kernel asks for, and what it asks there. */
  #propose(proposal: Proposal): void {
    batch(() => {
      this.#invite(proposal, true);
      this.asking.take(proposal);
      this.look(proposal.index);
    });
  }

  /** Shows in the place of a section what is asked there, and elsewhere the sections themselves. */
  #invite(proposal: Proposal | null | undefined, going = false): void {
    // What is on the screen does not change under the hand.
    if (proposal == null || (!going && proposal.index === this.drawnIndex.peek())) return;
    const { region, item_id } = proposal;
    this.#places.clear(item_id, (at) => region != null || at !== this.index.peek());
    if (region == null) this.#places.seat(item_id);
  }

  /** Something else is shown as a section from now on. */
  #replace(index: number): void {
    if (index === this.index.peek()) {
      this.#clock.leave();
      this.drawnIndex.set(-1);
    }
    this.sections.replace(index);
    this.record.changed();
    this.record.judged();
  }

  /** Shows what a row of the journal is about. */
  #visit({ item_id, items, tool }: StrokeRow): void {
    if (isGuest(item_id)) this.#places.seat(item_id);
    if (!items.includes(this.item) || tool === "region") this.look(indexOf(item_id));
  }

  undo(): void {
    const row = this.record.newest;
    if (row == null) {
      this.announcement.set("Nothing to undo");
      return;
    }
    batch(() => {
      const message = this.#undoEvent(row.event_id, row.item_id);
      this.record.takeBack(message);
      this.asking.drop();
      this.announcement.set(`Undone: ${kindOf(row)} on ${plain(row.item_id)}`);
      const asked = this.asking.answeredBy(row.event_id);
      if (asked == null) this.#visit(row);
      else this.#propose(asked);
    });
    this.#delivery.flush();
  }

  redo(): void {
    batch(() => {
      const taken = this.record.redo();
      if (taken == null) {
        this.announcement.set("Nothing to redo");
        return;
      }
      const { row, undo_id } = taken;
      this.asking.drop();
      this.#undoEvent(undo_id, row.item_id);
      this.announcement.set(`Redone: ${kindOf(row)} on ${plain(row.item_id)}`);
      this.#visit(row);
      if (row.kind !== "stroke") this.#places.seat(plain(row.item_id));
    });
    this.#delivery.flush();
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

  /** What is exported tells depths like the page. */
  tellVelocity(velocity_m_per_ns: number): void {
    this.link.request(
      () => ({ kind: "velocity", velocity_m_per_ns }),
      () => undefined,
    );
  }

  dismiss(key: string): void {
    this.#delivery.dismiss(key);
  }

  // ---- inside ----

  #answer(
    answer: VolumeAnswer["answer"],
    finished: VolumeAnswer["finished"],
    judged: number | null,
    note: string,
  ): string {
    if (this.drawnIndex.peek() !== this.index.peek()) return "";
    const asked = judged == null ? null : this.asking.question;
    const item_id = this.item;
    const message: VolumeAnswer = {
      kind: "answer",
      ...this.#delivery.numbered(),
      item_id: asked?.item_id ?? item_id,
      answer,
      finished,
      region: judged == null ? null : { region_id: asked?.region?.region_id ?? "", value: judged },
      note,
      token: asked?.token ?? this.asking.tokenOf(item_id),
      ...this.#clock.stop(item_id),
      answered_at_ms: this.#options.today(),
      model_shown: this.#anchored.delete(item_id),
    };
    batch(() => {
      this.link.keep(message);
      this.record.answer(message, asked?.region?.parts ?? []);
      if (isGuest(item_id) && judged == null) {
        this.#places.seat(plain(item_id));
        if (this.asking.proposal.peek()?.item_id === item_id) this.asking.proposal.set(null);
      }
    });
    this.#delivery.flush();
    return message.event_id;
  }

  #undoEvent(target: string, item_id: string): Undo {
    const message: Undo = {
      kind: "undo",
      ...this.#delivery.numbered(),
      target,
      item_id,
      answered_at_ms: this.#options.today(),
    };
    this.link.keep(message);
    return message;
  }

  #pushed(push: Exclude<VolumeTalk["push"], StatesPush>, buffers: readonly DataView[]): void {
    if (push.kind === "visit") {
      this.#visitedAt(push.index);
    } else if (push.kind === "prediction") {
      this.#expect(push.prediction, buffers);
    } else {
      this.asking.utilities.set(push.utilities);
      this.asking.wants.set(push.wants);
      if (push.proposal?.region == null) {
        this.asking.proposal.set(push.proposal);
        this.#invite(push.proposal);
      }
    }
  }

  #hello(): void {
    this.link.flush();
    if (this.link.isOpen("hello")) return;
    this.#looked = this.index.peek();
    this.link.request(
      () => ({
        kind: "hello",
        replaces: this.#options.replaces(),
        looking_at: this.index.peek(),
        velocity_m_per_ns: this.#options.velocity(),
      }),
      (reply, buffers) => {
        if (reply?.ok !== true) {
          this.#delivery.say("error", whyNot(reply), "hello");
          return;
        }
        this.notices.remove("hello");
        this.record.load(reply.history ?? [], (eventId) => this.#delivery.isPending(eventId));
        this.#delivery.hear(reply.states ?? []);
        this.#expect(reply.prediction, buffers);
        const { proposal } = reply;
        if (proposal != null && proposal.region == null) this.asking.proposal.set(proposal);
        // A page that has shown nothing yet begins where the kernel asks.
        const first = this.drawnIndex.peek() < 0;
        this.#invite(proposal);
        this.look(first && proposal != null ? proposal.index : this.index.peek());
        this.asking.wants.set(reply.wants ?? "section");
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

  #expect(prediction: VolumeReply["prediction"], buffers: readonly DataView[]): void {
    if (prediction != null && this.#expected.take(prediction, buffers))
      this.predictions.set(this.predictions.peek() + 1);
  }
}

function kindOf({ kind, tool }: StrokeRow): string {
  if (kind === "stroke") return (tool ?? "stroke").replace("_", " ");
  return kind === "label" ? "finished" : kind === "skip" ? "skipped" : "unsure";
}

// How what the annotator has said reaches the kernel, and the kernel's word on it comes back. Events are numbered, kept in the
// browser until they are on the disk, and never lost; where the kernel's word may be older than ours it is asked for again.

import type { SectionState, StatesPush, VolumeReply } from "../../volume-wire";
import type { ProblemInfo, Status } from "../../wire";
import { Link } from "../link";
import { Outbox, type Waiting } from "../outbox";
import { Problems } from "../problems";
import { sameNames } from "../screen";
import { signal } from "../signal";
import * as text from "../text";
import { plain } from "./places";
import type { AnswerRecord } from "./record";
import { VOLUME_EVENTS, type VolumeEvent, type VolumeOptions, type VolumeTalk } from "./screen";

/** What delivery tells the labeller. */
export interface Receiver {
  /** An event is on the disk. Without a reply another page has said so. */
  replied(message: VolumeEvent, reply: VolumeReply | null): void;
  pushed(push: Exclude<VolumeTalk["push"], StatesPush>, buffers: readonly DataView[]): void;
  /** The kernel is there again after it was not. */
  recovered(): void;
  /** All that the model of this round had learned from was undone. */
  unlearned(round: number): void;
  /** Whether a stroke is being drawn: the mask under the hand is not replaced meanwhile. */
  busy(): boolean;
}

export class Delivery {
  readonly status = signal<Status | null>(null);
  readonly classes = signal<readonly string[]>([]);
  readonly notices: Problems;
  readonly link: Link<VolumeTalk>;
  /** Called for each event that has reached the disk. */
  readonly saved = new Set<(saved: { event_id: string; ms: number }) => void>();

  readonly #outbox: Outbox<VolumeEvent>;
  readonly #madeAt = new Map<string, number>();
  /** Number of our newest event that has reached the disk. */
  #delivered = -1;
  #explained = false;

  readonly #options: VolumeOptions;
  readonly #record: AnswerRecord;
  readonly #receiver: Receiver;
  constructor(options: VolumeOptions, record: AnswerRecord, receiver: Receiver) {
    this.#options = options;
    this.#record = record;
    this.#receiver = receiver;
    const { now, storage, storeId, client, annotator } = options;
    this.classes.set(options.classes);
    this.notices = new Problems(now);
    this.#outbox = new Outbox<VolumeEvent>(storage, storeId, client, annotator, VOLUME_EVENTS);
    this.link = new Link<VolumeTalk>(
      options.port,
      this.#outbox,
      {
        settled: (item, reply) => {
          this.#settled(item);
          if (reply?.states != null) {
            this.hear(reply.states);
            this.#explain(item.message, reply.states);
          }
          receiver.replied(item.message, reply);
        },
        refused: ({ message }, error) => {
          record.forget(message.event_id);
          this.#refusal(message, error.message);
        },
        postponed: (_item, error) =>
          this.say("warning", `Not saved yet: ${error.message}. Trying again.`, "postponed"),
        status: (status, problem) => {
          this.#setStatus(status);
          if (problem != null) this.notices.add(problem);
        },
        pushes: ["prediction", "proposal", "states", "visit"],
        push: (push, buffers) => {
          if (push.kind !== "visit" && push.client != null && push.client !== client) return;
          if (push.kind === "states") this.#hearElsewhere(push);
          else receiver.pushed(push, buffers);
        },
        recovered: () => receiver.recovered(),
      },
      now,
    );
  }

  /** Takes on what earlier pages could not deliver. */
  start(): void {
    for (const { message, rejected } of this.#outbox.adopt(this.#options.alive())) {
      if (rejected == null) this.#record.adopt(message);
      else this.#refusal(message, rejected);
    }
  }

  tick(): void {
    this.link.tick();
    this.notices.tick();
    this.#refresh();
  }

  /** What a new event is called. */
  numbered(): { rid: string; client: string; seq: number; event_id: string } {
    const { client } = this.#outbox;
    const seq = this.#outbox.nextSeq();
    const event_id = `${client}-${seq}`;
    this.#madeAt.set(event_id, this.#options.now());
    return { rid: event_id, client, seq, event_id };
  }

  /** Whether an event is on its way. */
  isPending(eventId: string): boolean {
    const waiting = this.#outbox.get(eventId);
    return waiting != null && waiting.rejected == null;
  }

  /** Sends what is kept, once what was just done is on the screen. */
  flush(): void {
    this.#options.later(() => this.link.flush());
  }

  dismiss(key: string): void {
    this.notices.remove(key);
    if (this.#outbox.get(key)?.rejected != null) this.#outbox.settle(key);
  }

  say(severity: ProblemInfo["severity"], message: string, key: string): void {
    this.notices.add({ severity, message }, key);
  }

  /** Takes the kernel's word on sections. */
  hear(states: readonly SectionState[]): void {
    const drawing = this.#receiver.busy();
    this.#record.hear(states, this.#outbox.unsaved === 0 && !drawing, drawing, (item, why) =>
      this.say("error", `${plain(item)}: ${why}`, "states"),
    );
  }

  /** What was said in another view, or in a cell. States from before our own newest stroke are asked for again. */
  #hearElsewhere({ seq, states, history }: StatesPush): void {
    this.#record.load(history, () => true);
    if (seq >= this.#delivered) this.hear(states);
    else for (const { item_id } of states) this.#record.stale.add(item_id);
    this.#record.judged();
    this.#refresh();
  }

  /** Says once why nothing came of a section: afterwards, for whoever knows it before paints otherwise. */
  #explain({ kind }: VolumeEvent, states: readonly SectionState[]): void {
    if (this.#explained || kind !== "answer" || !states.some(({ measures }) => measures)) return;
    this.#explained = true;
    this.say(
      "info",
      "The section just finished was kept aside: the model is measured by it and does not learn from it. More come in between, unmarked.",
      "aside",
    );
  }

  /** Asks the kernel for masks that may differ from ours, when nothing of ours is under way. */
  #refresh(): void {
    const { stale } = this.#record;
    if (stale.size === 0 || this.#receiver.busy() || this.#outbox.unsaved > 0 || this.link.isOpen("states"))
      return;
    const item_ids = [...stale];
    this.link.request(
      () => ({ kind: "states", item_ids }),
      (reply) => {
        if (reply?.ok !== true) return;
        this.hear(reply.states ?? []);
        if (this.#outbox.unsaved === 0) for (const item of item_ids) stale.delete(item);
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

  #refusal(message: VolumeEvent, reason: string): void {
    const what =
      message.kind === "stroke"
        ? `A stroke (${message.value.tool})`
        : message.kind === "answer"
          ? "An answer"
          : "Undo";
    this.say("error", `${what} on ${plain(message.item_id)} was refused: ${reason}`, message.event_id);
  }

  #setStatus(status: Status): void {
    const old = this.status.peek();
    if (old != null && status.rev < old.rev) return;
    this.status.set(status);
    if (old != null && status.round < old.round) this.#receiver.unlearned(old.round);
    if (!sameNames(status.classes, this.classes.peek())) this.classes.set(status.classes);
  }
}

export function whyNot(reply: VolumeReply | null): string {
  return reply?.error?.message ?? text.NO_ANSWER;
}

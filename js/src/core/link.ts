// The line to the kernel: sends what is due, hands out what comes, and judges whether anyone is there.

import type { ErrorInfo, FromKernel, FromPage, ProblemInfo, Queue, Reply, Status } from "../wire";
import { type Connection, judge, type KernelStatus } from "./connection";
import type { AnyEvent, EventMessage, Outbox, Waiting } from "./outbox";
import { type Request, type RequestBody, Rpc } from "./rpc";
import { type Signal, signal } from "./signal";

/** What the host offers. `send` may throw when the line is cut. */
export interface Port<M = FromPage> {
  send(message: M): void;
  kernel(): KernelStatus;
}

export interface LinkEvents<E extends AnyEvent = EventMessage> {
  settled(item: Waiting<E>): void;
  refused(item: Waiting<E>, error: ErrorInfo): void;
  postponed(item: Waiting<E>, error: ErrorInfo): void;
  status(status: Status, problem: ProblemInfo | undefined): void;
  queue(push: Queue, buffers: readonly DataView[]): void;
  /** The kernel is there again after it was not. */
  recovered(): void;
}

export class Link<E extends AnyEvent = EventMessage> {
  readonly connection: Signal<Connection> = signal<Connection>("ok");
  readonly unsaved = signal(0);
  readonly durable = signal(true);
  readonly #rpc: Rpc;
  #heard: number | null = null;
  #lost: number | null = null;
  #waitingSince: number | null = null;

  readonly #port: Port<Request | E>;
  readonly #outbox: Outbox<E>;
  readonly #events: LinkEvents<E>;
  readonly #now: () => number;
  constructor(port: Port<Request | E>, outbox: Outbox<E>, events: LinkEvents<E>, now: () => number) {
    this.#port = port;
    this.#outbox = outbox;
    this.#events = events;
    this.#now = now;
    this.#rpc = new Rpc(outbox.client, (message) => this.#send(message), now);
  }

  /** Puts an event where it cannot be lost. It goes out with the next `flush`. */
  keep(message: E): void {
    this.#outbox.add(message);
    this.#count();
  }

  request(body: () => RequestBody, done: (reply: Reply | null, buffers: readonly DataView[]) => void): void {
    this.#rpc.request(body, done);
    this.#judge();
  }

  isOpen(kind: RequestBody["kind"]): boolean {
    return this.#rpc.isOpen(kind);
  }

  /** Sends every event that is due. */
  flush(): void {
    for (const message of this.#outbox.due(this.#now())) this.#send(message);
    this.#count();
    this.#judge();
  }

  /** Takes a message from the kernel. */
  receive(content: unknown, buffers: readonly DataView[]): void {
    if (!isFromKernel(content)) return;
    this.#heard = this.#now();
    this.#lost = null;
    if (content.kind === "reply") this.#reply(content, buffers);
    else if (content.kind === "queue") this.#events.queue(content, buffers);
    else this.#events.status(content.status, content.problem);
    this.#count();
    this.#judge();
  }

  /** The host says that the line to this widget is cut. */
  lose(): void {
    this.#lost = this.#now();
    this.#judge();
  }

  /** An event is on the disk, by this page's doing or another's. */
  settle(eventId: string): void {
    const item = this.#outbox.settle(eventId);
    if (item != null) this.#events.settled(item);
    this.#count();
  }

  /** To be called about once a second. */
  tick(): void {
    if (this.#port.kernel() !== "dead") {
      this.#rpc.tick();
      this.flush();
    }
    this.#count();
    this.#judge();
  }

  #reply(reply: Reply, buffers: readonly DataView[]): void {
    const eventId = reply.ack?.event_id ?? reply.rid;
    if (this.#outbox.get(eventId) == null) {
      this.#rpc.receive(reply, buffers);
    } else if (reply.ok) {
      this.settle(eventId);
    } else {
      const error = reply.error ?? { type: "Error", message: "the kernel gave no reason", retry: false };
      const item = error.retry ? this.#outbox.postpone(eventId) : this.#outbox.reject(eventId, error.message);
      if (item != null && error.retry) this.#events.postponed(item, error);
      else if (item != null) this.#events.refused(item, error);
    }
    if (reply.status != null) this.#events.status(reply.status, undefined);
  }

  #send(message: Request | E): void {
    try {
      this.#port.send(message);
    } catch {
      this.#lost = this.#now();
    }
  }

  #count(): void {
    this.unsaved.set(this.#outbox.unsaved);
    this.durable.set(this.#outbox.durable);
  }

  #judge(): void {
    const now = this.#now();
    const waiting = this.#outbox.awaiting || this.#rpc.waiting;
    this.#waitingSince = waiting ? (this.#waitingSince ?? now) : null;
    const before = this.connection.peek();
    const after = judge({
      now,
      last_heard: this.#heard,
      waiting_since: this.#waitingSince,
      kernel: this.#port.kernel(),
      lost_at: this.#lost,
    });
    this.connection.set(after);
    if ((before === "gone" || before === "silent") && after === "ok") {
      this.#outbox.hurry();
      this.#events.recovered();
    }
  }
}

function isFromKernel(content: unknown): content is FromKernel {
  if (typeof content !== "object" || content == null) return false;
  const { kind } = content as { kind?: unknown };
  return kind === "reply" || kind === "queue" || kind === "status";
}

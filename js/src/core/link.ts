// The line to the kernel: sends what is due, hands out what comes, and judges whether anyone is there.

import type { Acknowledged, ErrorInfo, ProblemInfo, Queue, Reply, Status, StatusPush } from "../wire";
import { type Connection, judge, type KernelStatus } from "./connection";
import type { EventBase, EventMessage, Outbox, Waiting } from "./outbox";
import { type Request, type RequestBase, type RequestBody, Rpc } from "./rpc";
import { type Signal, signal } from "./signal";

/** Which messages a widget has: events (kept until they are confirmed), requests, replies to both, and pushes. */
export interface Talk {
  event: EventBase;
  request: RequestBase;
  reply: { kind: "reply"; rid: string; ok: boolean; ack?: Acknowledged; status?: Status; error?: ErrorInfo };
  push: { kind: string };
}

export interface QueryTalk extends Talk {
  event: EventMessage;
  request: Request;
  reply: Reply;
  push: Queue;
}

/** What the host offers. `send` may throw when the line is cut. */
export interface Port {
  send(message: object): void;
  kernel(): KernelStatus;
}

export interface LinkEvents<T extends Talk> {
  /** An event is on the disk. Without a reply another page has said so. */
  settled(item: Waiting<T["event"]>, reply: T["reply"] | null): void;
  refused(item: Waiting<T["event"]>, error: ErrorInfo): void;
  postponed(item: Waiting<T["event"]>, error: ErrorInfo): void;
  status(status: Status, problem: ProblemInfo | undefined): void;
  /** Every other message, of the kinds in `pushes`. */
  push(push: T["push"], buffers: readonly DataView[]): void;
  readonly pushes: readonly T["push"]["kind"][];
  /** The kernel is there again after it was not. */
  recovered(): void;
}

export class Link<T extends Talk = QueryTalk> {
  readonly connection: Signal<Connection> = signal<Connection>("ok");
  readonly unsaved = signal(0);
  readonly durable = signal(true);
  readonly #rpc: Rpc<T["request"], T["reply"]>;
  #heard: number | null = null;
  #lost: number | null = null;
  #waitingSince: number | null = null;

  readonly #port: Port;
  readonly #outbox: Outbox<T["event"]>;
  readonly #events: LinkEvents<T>;
  readonly #now: () => number;
  constructor(port: Port, outbox: Outbox<T["event"]>, events: LinkEvents<T>, now: () => number) {
    this.#port = port;
    this.#outbox = outbox;
    this.#events = events;
    this.#now = now;
    this.#rpc = new Rpc(outbox.client, (message) => this.#send(message), now);
  }

  /** Puts an event where it cannot be lost. It goes out with the next `flush`. */
  keep(message: T["event"]): void {
    this.#outbox.add(message);
    this.#count();
  }

  request(
    body: () => RequestBody<T["request"]>,
    done: (reply: T["reply"] | null, buffers: readonly DataView[]) => void,
  ): void {
    this.#rpc.request(body, done);
    this.#judge();
  }

  isOpen(kind: T["request"]["kind"]): boolean {
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
    const kind = kindOf(content);
    if (kind !== "reply" && kind !== "status" && !this.#events.pushes.includes(kind)) return;
    this.#heard = this.#now();
    this.#lost = null;
    if (kind === "reply") {
      this.#reply(content as T["reply"], buffers);
    } else if (kind === "status") {
      const { status, problem } = content as StatusPush;
      this.#events.status(status, problem);
    } else {
      this.#events.push(content as T["push"], buffers);
    }
    this.#count();
    this.#judge();
  }

  /** The host says that the line to this widget is cut. */
  lose(): void {
    this.#lost = this.#now();
    this.#judge();
  }

  /** An event is on the disk, by this page's doing or another's. */
  settle(eventId: string, reply: T["reply"] | null = null): void {
    const item = this.#outbox.settle(eventId);
    if (item != null) this.#events.settled(item, reply);
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

  #reply(reply: T["reply"], buffers: readonly DataView[]): void {
    const eventId = reply.ack?.event_id ?? reply.rid;
    if (this.#outbox.get(eventId) == null) {
      this.#rpc.receive(reply, buffers);
    } else if (reply.ok) {
      this.settle(eventId, reply);
    } else {
      const error = reply.error ?? { type: "Error", message: "the kernel gave no reason", retry: false };
      const item = error.retry ? this.#outbox.postpone(eventId) : this.#outbox.reject(eventId, error.message);
      if (item != null && error.retry) this.#events.postponed(item, error);
      else if (item != null) this.#events.refused(item, error);
    }
    if (reply.status != null) this.#events.status(reply.status, undefined);
  }

  #send(message: object): void {
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

function kindOf(content: unknown): string {
  return typeof content === "object" && content != null ? String((content as { kind?: unknown }).kind) : "";
}

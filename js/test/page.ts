// A page for tests: a labeller with a clock that is moved by hand and a line that is delivered by hand.

import { Labeller } from "../src/core/labeller";
import type { FromPage } from "../src/wire";
import { BYTES, MemoryStorage } from "./kernel";

export interface FakePicture {
  close(): void;
}

export class TestPage {
  now = 1_000;
  kernel: "alive" | "busy" | "dead" | "unknown" = "alive";
  broken = false;
  readonly sent: FromPage[] = [];
  readonly told: string[] = [];
  readonly labeller: Labeller<FakePicture>;

  constructor(
    readonly client = "c0",
    readonly storage: MemoryStorage | null = new MemoryStorage(),
    annotator = "ann",
    startAt = 1_000,
  ) {
    this.now = startAt;
    this.labeller = new Labeller<FakePicture>({
      port: {
        send: (message) => {
          if (this.broken) throw new Error("the line is cut");
          this.sent.push(structuredClone(message) as FromPage);
        },
        kernel: () => this.kernel,
      },
      decode: async () => ({ close: () => undefined }),
      storage,
      storeId: "store",
      annotator,
      client,
      showModel: true,
      classes: ["cat", "dog"],
      replaces: () => [],
      alive: () => new Set(),
      delivered: (eventId) => this.told.push(eventId),
      now: () => this.now,
      today: () => 1_700_000_000_000 + this.now,
      later: (run) => run(),
    });
  }

  /** What a view does: draws what is on the screen. */
  async draw(): Promise<void> {
    for (let i = 0; i < 4; i += 1) await Promise.resolve();
    const shown = this.labeller.shown.peek();
    if (shown?.picture != null) this.labeller.drawn(shown.entry.item_id);
  }

  get item(): string {
    return this.labeller.shown.peek()?.entry.item_id ?? "";
  }

  /** Delivers all that was sent to a kernel and its replies back. */
  async exchange(kernel: { handle(message: FromPage): object[] }): Promise<void> {
    while (this.sent.length > 0) {
      const message = this.sent.shift();
      if (message == null) break;
      for (const reply of kernel.handle(message)) this.labeller.receive(reply, BYTES);
    }
    await this.draw();
  }

  pass(ms: number): void {
    this.now += ms;
    this.labeller.tick();
  }
}

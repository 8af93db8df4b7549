// One for each model, shared by all its views: they are in step because there is only one state.

import type { HostOptions } from "../core/host_options";
import { KeyChoice } from "../core/keychoice";
import type { Command, KeyPlan } from "../core/keymap";
import { type ReadSignal, type Signal, signal } from "../core/signal";
import { watchAttention } from "./attention";
import { aliveClients, newClient, replacedClients, storageOf } from "./clients";
import { onLost, portOf, type WidgetModel } from "./model";

const TICK_MS = 1_000;

/** What a controller keeps alive, whatever it labels. */
interface Living {
  readonly classes: ReadSignal<readonly string[]>;
  readonly link: { lose(): void; settle(eventId: string): void };
  start(): void;
  tick(): void;
  receive(content: unknown, buffers: readonly DataView[]): void;
  setAway(away: boolean): void;
  close(): void;
}

export abstract class Controller<L extends Living, C extends string = Command> {
  readonly keys: KeyChoice<C>;
  readonly client = newClient();
  readonly title: Signal<string>;
  readonly annotator: Signal<string>;
  readonly height: Signal<number>;
  readonly labeller: L;
  #views = 0;

  /**
   * Registers everything and asks nothing: anywidget holds back messages until `initialize` has ended.
   *
   * Pages of the same store take over each other's unsent events, if they are of the same `kind`.
   */
  constructor(
    model: WidgetModel,
    make: (given: HostOptions) => L,
    abort: AbortSignal | undefined,
    plan?: KeyPlan<C>,
    kind = "",
  ) {
    const store = model.get("store_id") ?? "";
    const storeId = store + kind;
    const storage = storageOf("localStorage");
    const channel = openChannel(storeId);
    this.title = signal(model.get("title") ?? "");
    this.annotator = signal(model.get("annotator") ?? "");
    this.height = signal(model.get("height") ?? 0);
    const labeller = make({
      port: portOf(model),
      storage,
      storeId,
      annotator: model.get("annotator") ?? "",
      client: this.client,
      showModel: model.get("show_model") ?? true,
      classes: model.get("classes") ?? [],
      replaces: () => replacedClients(storageOf("sessionStorage"), storeId, this.client),
      alive: aliveClients,
      delivered: (eventId) => channel?.postMessage(eventId),
      now: () => performance.now(),
      today: () => Date.now(),
      later: (run) => requestAnimationFrame(() => setTimeout(run)),
    });
    this.labeller = labeller;
    // Of all widgets of a store: one class, one key, wherever it is.
    this.keys = new KeyChoice<C>(storage, store, labeller.classes, model.get("class_keys") ?? {}, plan);

    const listen = (name: `change:${string}`, take: () => void): void => {
      model.on(name, take);
      abort?.addEventListener("abort", () => model.off(name as "msg:custom", take));
    };
    const receive = (content: unknown, buffers: DataView[] = []): void => labeller.receive(content, buffers);
    model.on("msg:custom", receive);
    listen("change:title", () => this.title.set(model.get("title")));
    listen("change:height", () => this.height.set(model.get("height")));
    listen("change:class_keys", () => this.keys.offered.set(model.get("class_keys")));
    onLost(model, () => labeller.link.lose(), abort);

    if (channel != null) {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (typeof data === "string") labeller.link.settle(data);
      };
    }
    const timer = setInterval(() => labeller.tick(), TICK_MS);
    watchAttention((away) => labeller.setAway(away), abort);
    abort?.addEventListener("abort", () => {
      model.off("msg:custom", receive);
      clearInterval(timer);
      channel?.close();
      aliveClients().delete(this.client);
      labeller.close();
    });
  }

  /** A view is there: the client is alive from now on, until the last of its views is gone. */
  attach(gone: AbortSignal): void {
    this.#views += 1;
    aliveClients().add(this.client);
    gone.addEventListener("abort", () => {
      this.#views -= 1;
      if (this.#views === 0) aliveClients().delete(this.client);
    });
    this.labeller.start();
  }
}

/** How pages of one store tell each other what has reached the disk; null where the host forbids it. */
function openChannel(storeId: string): BroadcastChannel | null {
  try {
    return new BroadcastChannel(`al_widgets:${storeId}`);
  } catch {
    return null;
  }
}

// One for each model, shared by all its views: they are in step because there is only one state.

import type { Decode, Picture } from "../core/album";
import { KeyChoice } from "../core/keychoice";
import { Labeller } from "../core/labeller";
import { AUTO_LEVELS, type Levels } from "../core/pixels";
import { type Signal, signal } from "../core/signal";
import { watchAttention } from "./attention";
import { aliveClients, newClient, replacedClients, storageOf } from "./clients";
import { onLost, portOf, type QueryModel } from "./model";

const TICK_MS = 1_000;

export class QueryController<P extends Picture> {
  readonly client = newClient();
  readonly labeller: Labeller<P>;
  readonly keys: KeyChoice;
  readonly title: Signal<string>;
  readonly annotator: Signal<string>;
  readonly height: Signal<number>;
  /** Brightness and contrast; they stay from item to item. */
  readonly levels: Signal<Levels> = signal(AUTO_LEVELS);
  #views = 0;

  /** Registers everything and asks nothing: anywidget holds back messages until `initialize` has ended. */
  constructor(model: QueryModel, decode: Decode<P>, abort: AbortSignal | undefined) {
    const storeId = model.get("store_id") ?? "";
    const local = storageOf("localStorage");
    const channel = openChannel(storeId);
    this.title = signal(model.get("title") ?? "");
    this.annotator = signal(model.get("annotator") ?? "");
    this.height = signal(model.get("height") ?? 0);
    this.labeller = new Labeller<P>({
      port: portOf(model),
      decode,
      storage: local,
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
    this.keys = new KeyChoice(local, storeId, this.labeller.classes, model.get("class_keys") ?? {});

    const receive = (content: unknown, buffers: DataView[] = []): void =>
      this.labeller.receive(content, buffers);
    const listen = (name: `change:${string}`, take: () => void): void => {
      model.on(name, take);
      abort?.addEventListener("abort", () => model.off(name as "msg:custom", take));
    };
    model.on("msg:custom", receive);
    listen("change:title", () => this.title.set(model.get("title")));
    listen("change:height", () => this.height.set(model.get("height")));
    listen("change:class_keys", () => this.keys.offered.set(model.get("class_keys")));
    onLost(model, () => this.labeller.link.lose(), abort);

    if (channel != null) {
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (typeof data === "string") this.labeller.link.settle(data);
      };
    }
    const timer = setInterval(() => this.labeller.tick(), TICK_MS);
    watchAttention((away) => this.labeller.setAway(away), abort);
    abort?.addEventListener("abort", () => {
      model.off("msg:custom", receive);
      clearInterval(timer);
      channel?.close();
      aliveClients().delete(this.client);
      this.labeller.close();
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

// One for each model, shared by all its views: they are in step because there is only one state.

import type { Decode, Picture } from "../core/album";
import { KeyChoice } from "../core/keychoice";
import type { Command, KeyPlan } from "../core/keymap";
import { Labeller } from "../core/labeller";
import { AUTO_LEVELS, type Levels } from "../core/pixels";
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

/** What every labeller is given by its host. */
interface Given {
  port: ReturnType<typeof portOf>;
  storage: Storage | null;
  storeId: string;
  annotator: string;
  client: string;
  showModel: boolean;
  classes: readonly string[];
  replaces: () => string[];
  alive: () => ReadonlySet<string>;
  delivered: (eventId: string) => void;
  now: () => number;
  today: () => number;
  later: (run: () => void) => void;
}

export abstract class Controller<L extends Living, C extends string = Command> {
  readonly keys: KeyChoice<C>;
  readonly client = newClient();
  readonly title: Signal<string>;
  readonly annotator: Signal<string>;
  readonly height: Signal<number>;
  readonly labeller: L;
  #views = 0;

  /** Registers everything and asks nothing: anywidget holds back messages until `initialize` has ended. */
  constructor(
    model: WidgetModel,
    make: (given: Given) => L,
    abort: AbortSignal | undefined,
    plan?: KeyPlan<C>,
  ) {
    const storeId = model.get("store_id") ?? "";
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
    this.keys = new KeyChoice<C>(storage, storeId, labeller.classes, model.get("class_keys") ?? {}, plan);

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

export class QueryController<P extends Picture> extends Controller<Labeller<P>> {
  /** Brightness and contrast; they stay from item to item. */
  readonly levels: Signal<Levels> = signal(AUTO_LEVELS);

  constructor(model: WidgetModel, decode: Decode<P>, abort: AbortSignal | undefined) {
    super(model, (given) => new Labeller<P>({ ...given, decode }), abort);
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

// One for each model of a sheet, shared by all its views.

import type { Decode, Picture } from "../core/album";
import { KeyChoice } from "../core/keychoice";
import { SheetDesk } from "../core/sheet";
import { type Signal, signal } from "../core/signal";
import { watchAttention } from "./attention";
import { aliveClients, newClient, replacedClients, storageOf } from "./clients";
import { onLost, portOf, type SheetModel } from "./model";

const TICK_MS = 1_000;

export class SheetController<P extends Picture> {
  readonly client = newClient();
  readonly desk: SheetDesk<P>;
  readonly keys: KeyChoice;
  readonly title: Signal<string>;
  readonly annotator: Signal<string>;
  #views = 0;

  /** Registers everything and asks nothing: anywidget holds back messages until `initialize` has ended. */
  constructor(model: SheetModel, decode: Decode<P>, abort: AbortSignal | undefined) {
    const storeId = model.get("store_id") ?? "";
    const local = storageOf("localStorage");
    this.title = signal(model.get("title") ?? "");
    this.annotator = signal(model.get("annotator") ?? "");
    this.desk = new SheetDesk<P>({
      mode: model.get("mode") ?? "grid",
      port: portOf(model),
      decode,
      storage: local,
      storeId,
      annotator: model.get("annotator") ?? "",
      client: this.client,
      classes: model.get("classes") ?? [],
      replaces: () => replacedClients(storageOf("sessionStorage"), `${storeId}/sheet`, this.client),
      alive: aliveClients,
      now: () => performance.now(),
      today: () => Date.now(),
    });
    // The keys of the query widget: one class, one key, wherever it is.
    this.keys = new KeyChoice(local, storeId, this.desk.classes, model.get("class_keys") ?? {});
    const receive = (content: unknown, buffers: DataView[] = []): void => this.desk.receive(content, buffers);
    model.on("msg:custom", receive);
    onLost(model, () => this.desk.link.lose(), abort);
    const timer = setInterval(() => this.desk.tick(), TICK_MS);
    watchAttention((away) => this.desk.setAway(away), abort);
    abort?.addEventListener("abort", () => {
      model.off("msg:custom", receive);
      clearInterval(timer);
      aliveClients().delete(this.client);
      this.desk.close();
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
    this.desk.start();
  }
}

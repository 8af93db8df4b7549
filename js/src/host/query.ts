// The query widget's state, shared by all views of a model.

import type { Decode, Picture } from "../core/album";
import { Labeller } from "../core/labeller";
import { AUTO_LEVELS, type Levels } from "../core/pixels";
import { type Signal, signal } from "../core/signal";
import { Controller } from "./controller";
import type { WidgetModel } from "./model";

export class QueryController<P extends Picture> extends Controller<Labeller<P>> {
  /** Brightness and contrast; they stay from item to item. */
  readonly levels: Signal<Levels> = signal(AUTO_LEVELS);

  constructor(model: WidgetModel, decode: Decode<P>, abort: AbortSignal | undefined) {
    super(model, (given) => new Labeller<P>({ ...given, decode }), abort);
  }
}

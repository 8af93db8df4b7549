// The state of a batch grid or review gallery, shared by all views of a model.

import type { Decode, Picture } from "../core/album";
import { SheetDesk } from "../core/sheet";
import { Controller } from "./controller";
import type { WidgetModel } from "./model";

export class SheetController<P extends Picture> extends Controller<SheetDesk<P>> {
  constructor(model: WidgetModel, decode: Decode<P>, abort: AbortSignal | undefined) {
    // A kind of its own: what a sheet could not deliver, only a sheet can.
    super(
      model,
      (given) => new SheetDesk<P>({ ...given, decode, mode: model.get("mode") ?? "grid" }),
      abort,
      undefined,
      "/sheet",
    );
  }
}

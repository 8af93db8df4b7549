// Batch grid and review gallery: anywidget calls `initialize` once a model, `render` once a view.

import type { InitializeProps, RenderProps } from "@anywidget/types";
import type { SheetTraits } from "../host/model";
import { SheetController } from "../host/sheet_controller";
import { decodePicture, type ScreenPicture } from "../views/decode";
import { mountSheet } from "../views/sheet";

type Model = RenderProps<SheetTraits>["model"];

// A factory, so that each model has its own closure even where a host evaluates the module only once (marimo).
export default () => {
  let controller: SheetController<ScreenPicture> | null = null;

  const start = (model: Model, signal: AbortSignal | undefined): SheetController<ScreenPicture> => {
    const started = new SheetController<ScreenPicture>(model, decodePicture, signal);
    controller = started;
    signal?.addEventListener("abort", () => {
      if (controller === started) controller = null;
    });
    return started;
  };

  return {
    initialize({ model, signal }: InitializeProps<SheetTraits>): void {
      start(model, signal);
    },
    render({ model, el, signal }: RenderProps<SheetTraits>): () => void {
      const shared = controller ?? start(model, undefined);
      const gone = new AbortController();
      signal?.addEventListener("abort", () => gone.abort());
      mountSheet(el, shared, gone.signal);
      shared.attach(gone.signal);
      return () => gone.abort();
    },
  };
};

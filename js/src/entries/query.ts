// The query widget: anywidget calls `initialize` once a model, `render` once a view.

import type { InitializeProps, RenderProps } from "@anywidget/types";
import { QueryController } from "../host/controller";
import type { WidgetTraits } from "../host/model";
import { decodePicture, type ScreenPicture } from "../views/decode";
import { mountQuery } from "../views/query";

type Model = RenderProps<WidgetTraits>["model"];

// A factory, so that each model has its own closure even where a host evaluates the module only once (marimo).
export default () => {
  let controller: QueryController<ScreenPicture> | null = null;

  const start = (model: Model, signal: AbortSignal | undefined): QueryController<ScreenPicture> => {
    const started = new QueryController<ScreenPicture>(model, decodePicture, signal);
    controller = started;
    signal?.addEventListener("abort", () => {
      if (controller === started) controller = null;
    });
    return started;
  };

  return {
    initialize({ model, signal }: InitializeProps<WidgetTraits>): void {
      start(model, signal);
    },
    render({ model, el, signal }: RenderProps<WidgetTraits>): () => void {
      const shared = controller ?? start(model, undefined);
      const gone = new AbortController();
      signal?.addEventListener("abort", () => gone.abort());
      mountQuery(el, shared, gone.signal);
      shared.attach(gone.signal);
      return () => gone.abort();
    },
  };
};

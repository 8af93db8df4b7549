// The volume widget: anywidget calls `initialize` once a model, `render` once a view.

import type { InitializeProps, RenderProps } from "@anywidget/types";
import type { WidgetTraits } from "../host/model";
import { VolumeController } from "../host/volume";
import { mountVolume } from "../views/volume/volume";

type Model = RenderProps<WidgetTraits>["model"];

// A factory, so that each model has its own closure even where a host evaluates the module only once (marimo).
export default () => {
  let controller: VolumeController | null = null;

  const start = (model: Model, signal: AbortSignal | undefined): VolumeController => {
    const started = new VolumeController(model, signal);
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
      mountVolume(el, shared, gone.signal);
      shared.attach(gone.signal);
      return () => gone.abort();
    },
  };
};

// The life of a widget as anywidget wants it: `initialize` once a model, `render` once a view.

import type { AnyWidget } from "@anywidget/types";
import type { WidgetModel, WidgetTraits } from "./model";

interface Attached {
  attach(gone: AbortSignal): void;
}

/** A factory, so that each model has its own closure even where a host evaluates the module only once (marimo). */
export function widget<C extends Attached>(
  make: (model: WidgetModel, abort: AbortSignal | undefined) => C,
  mount: (el: HTMLElement, controller: C, gone: AbortSignal) => void,
): () => AnyWidget<WidgetTraits> {
  return () => {
    let controller: C | null = null;

    const start = (model: WidgetModel, signal?: AbortSignal): C => {
      const started = make(model, signal);
      controller = started;
      signal?.addEventListener("abort", () => {
        if (controller === started) controller = null;
      });
      return started;
    };

    return {
      initialize({ model, signal }) {
        start(model, signal);
      },
      render({ model, el, signal }) {
        const shared = controller ?? start(model);
        const gone = new AbortController();
        signal?.addEventListener("abort", () => gone.abort());
        mount(el, shared, gone.signal);
        shared.attach(gone.signal);
        return () => gone.abort();
      },
    };
  };
}

// The wheel over the section: turns pages, zooms with Ctrl, sideways with Shift, sizes the brush with Alt.

import type { VolumeLabeller } from "../../core/volume/labeller";
import { h, on } from "../dom";
import type { Stage } from "./stage";

/** How far a wheel turns for the next section, in CSS pixels. */
const PAGE_PX = 60;
const HINT_MS = 1_200;

/** Gives the hint that is shown while the wheel still belongs to the page around: until the section is `engaged`. */
export function wheelView(
  labeller: VolumeLabeller,
  stage: Stage,
  engaged: () => boolean,
  resize: (factor: number) => void,
  signal: AbortSignal,
): HTMLElement {
  const hint = h("div.hint.wheel", { "aria-hidden": "true" }, "Click first to turn pages with the wheel");
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let turned = 0;
  on(
    stage.surface,
    "wheel",
    (event) => {
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
      const delta = (event.deltaY || event.deltaX) * lines;
      if (!(engaged() || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey)) {
        hint.toggleAttribute("data-on", true);
        clearTimeout(hiding);
        hiding = setTimeout(() => hint.removeAttribute("data-on"), HINT_MS);
        return;
      }
      event.preventDefault();
      const by = Math.exp(-Math.max(-120, Math.min(120, delta)) / 400);
      if (event.altKey) {
        resize(by > 1 ? 1.15 : 1 / 1.15);
      } else if (event.ctrlKey || event.metaKey || event.shiftKey) {
        stage.zoomBy(by, event.shiftKey ? 1 : by, stage.place(event));
      } else {
        turned += delta;
        const pages = Math.trunc(turned / PAGE_PX);
        if (pages === 0) return;
        turned -= pages * PAGE_PX;
        labeller.look(labeller.index.peek() + pages);
      }
    },
    { passive: false },
  );
  on(signal, "abort", () => clearTimeout(hiding));
  return hint;
}

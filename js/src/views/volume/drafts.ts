// Drafts of a whole section, from the sections around it that are labelled already.

import { copyInto, interpolateInto } from "../../core/mask/drafts";
import type { Raster } from "../../core/mask/values";
import type { VolumeLabeller } from "../../core/volume/labeller";

export interface Drafts {
  /** Copies the mask of the nearest section that is labelled. */
  copy(): void;
  /** Draws what lies between a section before and one after this one. */
  interpolate(): void;
}

export function draftsOf(labeller: VolumeLabeller, sections: number): Drafts {
  function neighbour(step: 1 | -1): number | null {
    for (let index = labeller.index.peek() + step; index >= 0 && index < sections; index += step)
      if (labeller.isLabelled(index)) return index;
    return null;
  }

  function draft(
    tool: "copy" | "interpolate",
    make: (into: Raster, item: string) => ReturnType<typeof copyInto>,
    from: string,
  ): void {
    // Only what was seen can be labelled.
    if (labeller.drawnIndex.peek() !== labeller.index.peek()) return;
    const parts = make(labeller.mask(labeller.index.peek()), labeller.item);
    if (parts.length > 0) labeller.stroke(tool, parts, null);
    labeller.announcement.set(parts.length > 0 ? `Draft from ${from}` : "Nothing that is free would change");
  }

  return {
    copy() {
      const here = labeller.index.peek();
      const [before, after] = [neighbour(-1), neighbour(1)];
      const from = before == null || (after != null && after - here < here - before) ? after : before;
      if (from == null) labeller.announcement.set("No other section is labelled yet");
      else draft("copy", (into, item) => copyInto(into, labeller.mask(from), item), labeller.nameOf(from));
    },
    interpolate() {
      const here = labeller.index.peek();
      const [before, after] = [neighbour(-1), neighbour(1)];
      if (before == null || after == null) {
        labeller.announcement.set("A section before and one after this one must be labelled");
        return;
      }
      const share = (here - before) / (after - before);
      draft(
        "interpolate",
        (into, item) => interpolateInto(into, labeller.mask(before), labeller.mask(after), share, item),
        `${labeller.nameOf(before)} and ${labeller.nameOf(after)}`,
      );
    },
  };
}

// What the volume's views are given. A host makes it; the views never know which.

import type { KeyChoice } from "../../core/keychoice";
import type { ReadSignal, Signal } from "../../core/signal";
import type { VolumeCommand } from "../../core/volume/keys";
import type { VolumeLabeller } from "../../core/volume/labeller";
import type { Settings } from "../../core/volume/settings";
import type { Studio } from "../../core/volume/studio";
import type { FrameState } from "../state";

export interface VolumeState extends FrameState {
  readonly labeller: VolumeLabeller;
  readonly keys: KeyChoice<VolumeCommand>;
  readonly settings: Settings;
  readonly studio: Studio;
  /** Tools that the task takes; others are not offered. */
  readonly tools: readonly string[];
  /** Height of the section's area in CSS pixels; 0 leaves it to the style sheet. */
  readonly height: ReadSignal<number>;
}

/** A place of the section on the screen, in raw fractional indices. */
export interface Place {
  x: number;
  y: number;
}

/** What the views of one widget share, beside the labeller. */
export interface Looks {
  /** Under the pointer; null when it is elsewhere. */
  readonly hover: Signal<Place | null>;
  /** Where the planes cut, in raw fractional indices of the section on the screen. */
  readonly cross: Signal<Place>;
  /** What the style sheet's colours depend on: "light" or "dark". */
  readonly theme: Signal<string>;
}

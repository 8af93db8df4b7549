// What the views are given. A host makes it; the views never know which.

import type { KeyChoice } from "../core/keychoice";
import type { Labeller } from "../core/labeller";
import type { Levels } from "../core/pixels";
import type { ReadSignal, Signal } from "../core/signal";
import type { ScreenPicture } from "./decode";

export interface QueryState {
  readonly labeller: Labeller<ScreenPicture>;
  readonly keys: KeyChoice;
  readonly title: ReadSignal<string>;
  readonly annotator: ReadSignal<string>;
  /** Height of the picture area in CSS pixels; 0 leaves it to the style sheet. */
  readonly height: ReadSignal<number>;
  readonly levels: Signal<Levels>;
}

// What the views are given. A host makes it; the views never know which.

import type { Connection } from "../core/connection";
import type { KeyChoice } from "../core/keychoice";
import type { Labeller } from "../core/labeller";
import type { Levels } from "../core/pixels";
import type { Shown } from "../core/problems";
import type { ReadSignal, Signal } from "../core/signal";
import type { Status } from "../wire";
import type { ScreenPicture } from "./decode";

/** What every widget has around what it shows: status, problems, and whether all is saved. */
export interface FrameState {
  readonly labeller: {
    readonly status: ReadSignal<Status | null>;
    readonly classes: ReadSignal<readonly string[]>;
    readonly link: {
      readonly connection: ReadSignal<Connection>;
      readonly unsaved: ReadSignal<number>;
      readonly durable: ReadSignal<boolean>;
    };
    readonly notices: { readonly list: ReadSignal<readonly Shown[]> };
    dismiss(key: string): void;
    addClass(name: string, done: (refusal: string | null) => void): void;
  };
  readonly title: ReadSignal<string>;
  readonly annotator: ReadSignal<string>;
  /** What the model learns from, where it is not labels. */
  readonly unit?: string;
}

export interface QueryState extends FrameState {
  readonly labeller: Labeller<ScreenPicture>;
  readonly keys: KeyChoice;
  /** Height of the picture area in CSS pixels; 0 leaves it to the style sheet. */
  readonly height: ReadSignal<number>;
  readonly levels: Signal<Levels>;
}

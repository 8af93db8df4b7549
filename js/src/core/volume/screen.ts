// What the volume's labeller is given and shows: types that the views, the host and the labeller share.

import type {
  GetSections,
  Look,
  Next,
  PredictionPush,
  ProposalPush,
  SectionState,
  States,
  StatesPush,
  Stroke,
  Velocity,
  VisitPush,
  VolumeAnswer,
  VolumeHello,
  VolumeInfo,
  VolumeReply,
} from "../../volume-wire";
import type { AddClass, Undo } from "../../wire";
import type { HostOptions } from "../host_options";
import type { Talk } from "../link";

export type VolumeEvent = Stroke | VolumeAnswer | Undo;
export const VOLUME_EVENTS: readonly VolumeEvent["kind"][] = ["stroke", "answer", "undo"];

export interface VolumeTalk extends Talk {
  event: VolumeEvent;
  request: VolumeHello | GetSections | Look | Next | Velocity | States | AddClass;
  reply: VolumeReply;
  push: PredictionPush | ProposalPush | StatesPush | VisitPush;
}

/** What is asked. */
export type Want = Next["want"];

/** What has been said of a section as a whole. */
export type Verdict = Pick<SectionState, "finished" | "rest" | "answer" | "measures">;

export const OPEN: Verdict = { finished: false, rest: null, answer: "", measures: false };

export interface VolumeOptions extends HostOptions {
  info: VolumeInfo;
  /** What the annotator looks at, as JSON text; kept beside each stroke. */
  recipe: () => string;
  /** What depths are told by; null: what the kernel has told. */
  velocity: () => number | null;
}

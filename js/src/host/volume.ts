// The volume widget's state, shared by all views of a model.

import { VOLUME_KEYS, type VolumeCommand } from "../core/volume/keys";
import { VolumeLabeller } from "../core/volume/labeller";
import { Settings } from "../core/volume/settings";
import { Studio } from "../core/volume/studio";
import type { VolumeInfo } from "../volume-wire";
import { storageOf } from "./clients";
import { Controller } from "./controller";
import type { WidgetModel } from "./model";

export class VolumeController extends Controller<VolumeLabeller, VolumeCommand> {
  readonly settings: Settings;
  readonly studio: Studio;
  readonly unit = "pixel";
  readonly tools: readonly string[];

  constructor(model: WidgetModel, abort: AbortSignal | undefined) {
    const info = model.get("info") as VolumeInfo;
    const settings = new Settings(storageOf("localStorage"), model.get("store_id") ?? "", info);
    super(
      model,
      (given) =>
        new VolumeLabeller({
          ...given,
          info,
          recipe: () => settings.recipe(),
          velocity: () => settings.velocity(),
        }),
      abort,
      VOLUME_KEYS,
    );
    this.settings = settings;
    settings.onVelocity = (velocity) => this.labeller.tellVelocity(velocity);
    this.tools = model.get("tools") ?? [];
    this.studio = new Studio(this.labeller.sections, settings, () => performance.now());
  }
}

// The volume widget.

import { VolumeController } from "../host/volume";
import { widget } from "../host/widget";
import { mountVolume } from "../views/volume/volume";

export default widget<VolumeController>((model, abort) => new VolumeController(model, abort), mountVolume);

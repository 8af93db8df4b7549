// Batch grid and review gallery.

import { SheetController } from "../host/sheet";
import { widget } from "../host/widget";
import { decodePicture, type ScreenPicture } from "../views/decode";
import { mountSheet } from "../views/sheet";

export default widget<SheetController<ScreenPicture>>(
  (model, abort) => new SheetController(model, decodePicture, abort),
  mountSheet,
);

// The query widget.

import { QueryController } from "../host/query";
import { widget } from "../host/widget";
import { decodePicture, type ScreenPicture } from "../views/decode";
import { mountQuery } from "../views/query";

export default widget<QueryController<ScreenPicture>>(
  (model, abort) => new QueryController(model, decodePicture, abort),
  mountQuery,
);

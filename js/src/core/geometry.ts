// Where the picture lies on the canvas. Pure arithmetic in CSS pixels; an image pixel is one of the item's own.

export interface Size {
  width: number;
  height: number;
}

export interface View {
  /** CSS pixels an image pixel. */
  scale: number;
  /** Where image pixel (0, 0) lies. */
  x: number;
  y: number;
}

const MAX_SCALE = 64;
const MARGIN = 8;

/** The whole picture, centred; whole multiples from 2 up, so that all pixels of a small picture are equally large. */
export function whole(image: Size, canvas: Size): View {
  const room = {
    width: Math.max(canvas.width - 2 * MARGIN, 1),
    height: Math.max(canvas.height - 2 * MARGIN, 1),
  };
  let scale = Math.min(room.width / Math.max(image.width, 1), room.height / Math.max(image.height, 1));
  if (scale >= 2) scale = Math.floor(scale);
  scale = Math.min(scale, MAX_SCALE);
  return clamp({ scale, x: 0, y: 0 }, image, canvas);
}

/** Zooms by `factor` about a point of the canvas, not below the fit. */
export function zoom(
  view: View,
  factor: number,
  at: { x: number; y: number },
  image: Size,
  canvas: Size,
): View {
  const least = whole(image, canvas).scale;
  const scale = Math.min(Math.max(view.scale * factor, least), Math.max(MAX_SCALE, least));
  const ratio = scale / view.scale;
  return clamp(
    { scale, x: at.x - (at.x - view.x) * ratio, y: at.y - (at.y - view.y) * ratio },
    image,
    canvas,
  );
}

export function pan(view: View, dx: number, dy: number, image: Size, canvas: Size): View {
  return clamp({ ...view, x: view.x + dx, y: view.y + dy }, image, canvas);
}

/** Keeps the picture in sight: centred where it is smaller than the canvas, without gaps where it is larger. */
export function clamp(view: View, image: Size, canvas: Size): View {
  const along = (at: number, extent: number, room: number): number =>
    extent <= room ? (room - extent) / 2 : Math.min(0, Math.max(room - extent, at));
  return {
    scale: view.scale,
    x: along(view.x, image.width * view.scale, canvas.width),
    y: along(view.y, image.height * view.scale, canvas.height),
  };
}

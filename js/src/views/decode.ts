// Bytes -> something a canvas can draw, ahead of time.

import type { Picture } from "../core/album";
import type { Size } from "../core/geometry";
import { AUTO_LEVELS, type Levels, paint, samplesOf } from "../core/pixels";
import type { Entry, ImageInfo } from "../wire";

export interface ScreenPicture extends Picture {
  /** In the item's own pixels, also when fewer were sent. */
  readonly size: Size;
  /** Whether brightness and contrast are applied to the samples (else the canvas does it). */
  readonly raw: boolean;
  source(levels: Levels): CanvasImageSource;
}

export async function decodePicture({ image }: Entry, buffer: DataView): Promise<ScreenPicture> {
  return image.encoding === "raw" ? decodeRaw(image, buffer) : await decodeFile(image, buffer);
}

function decodeRaw(image: ImageInfo, buffer: DataView): ScreenPicture {
  const samples = samplesOf(image, buffer);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  if (context == null) throw new Error("the browser gives no 2d canvas");
  const pixels = context.createImageData(image.width, image.height);
  let painted: Levels | null = null;
  const source = (levels: Levels): CanvasImageSource => {
    if (painted !== levels) {
      paint(samples, image, levels, pixels.data);
      context.putImageData(pixels, 0, 0);
      painted = levels;
    }
    return canvas;
  };
  source(AUTO_LEVELS);
  const close = (): void => {
    canvas.width = 0;
    canvas.height = 0;
  };
  return { size: sizeOf(image, image), raw: true, source, close };
}

async function decodeFile(image: ImageInfo, buffer: DataView): Promise<ScreenPicture> {
  const blob = new Blob([buffer as DataView<ArrayBuffer>], { type: image.mime });
  try {
    const bitmap = await createImageBitmap(blob);
    return { size: sizeOf(image, bitmap), raw: false, source: () => bitmap, close: () => bitmap.close() };
  } catch {
    // createImageBitmap refuses some kinds that <img> can show, SVG above all.
    const url = URL.createObjectURL(blob);
    const img = new Image();
    img.src = url;
    try {
      await img.decode();
    } catch {
      URL.revokeObjectURL(url);
      throw new Error(`the browser cannot decode this ${image.mime || "file"}`);
    }
    return { size: sizeOf(image, img), raw: false, source: () => img, close: () => URL.revokeObjectURL(url) };
  }
}

function sizeOf(image: ImageInfo, sent: Size): Size {
  return { width: image.native_width || sent.width, height: image.native_height || sent.height };
}

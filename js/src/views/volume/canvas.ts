// Canvases as large as they are shown.

/** Empties a canvas and gives it the screen's pixels, with CSS pixels as unit; null while it is shown nowhere: it stays as it is. */
export function cleared(
  canvas: HTMLCanvasElement,
  context: CanvasRenderingContext2D,
): { wide: number; high: number } | null {
  const { clientWidth: wide, clientHeight: high } = canvas;
  if (wide === 0 || high === 0) return null;
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(wide * ratio);
  canvas.height = Math.round(high * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { wide, high };
}

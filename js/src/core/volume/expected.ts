// What the model expects of sections: class and doubt of each pixel. Older opinions never replace newer ones.

import type { Prediction } from "../../volume-wire";

/** The two maps of a section, coarser than it by `stride`. */
export interface Expected {
  readonly round: number;
  readonly strokes: number;
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
  readonly classes: Uint8Array;
  /** 0: sure, 255: no idea. */
  readonly doubt: Uint8Array;
}

const KEPT_BYTES = 64e6;

export class Expectations {
  readonly #maps = new Map<string, Expected>();
  #bytes = 0;

  get(itemId: string): Expected | null {
    return this.#maps.get(itemId) ?? null;
  }

  /** Takes a prediction; false when it is older than what is known, or broken. */
  take(prediction: Prediction, buffers: readonly DataView[]): boolean {
    const { item_id, round, strokes, stride, rows, columns, classes_buffer, doubt_buffer } = prediction;
    const old = this.#maps.get(item_id);
    if (old != null && (strokes < old.strokes || (strokes === old.strokes && round < old.round)))
      return false;
    const classes = bytesOf(buffers[classes_buffer], rows * columns);
    const doubt = bytesOf(buffers[doubt_buffer], rows * columns);
    if (classes == null || doubt == null) return false;
    this.#forget(item_id);
    this.#maps.set(item_id, { round, strokes, stride, rows, columns, classes, doubt });
    this.#bytes += 2 * rows * columns;
    for (const oldest of this.#maps.keys()) {
      if (this.#bytes <= KEPT_BYTES || this.#maps.size <= 1) break;
      this.#forget(oldest);
    }
    return true;
  }

  /** What models up to this round expected counts no more. */
  drop(round: number): void {
    for (const [item, known] of this.#maps) if (known.round <= round) this.#forget(item);
  }

  #forget(itemId: string): void {
    const old = this.#maps.get(itemId);
    if (old == null) return;
    this.#bytes -= 2 * old.rows * old.columns;
    this.#maps.delete(itemId);
  }
}

/** A copy: message buffers are views of something larger. */
function bytesOf(buffer: DataView | undefined, n: number): Uint8Array | null {
  if (buffer == null || buffer.byteLength !== n) return null;
  return new Uint8Array(buffer.buffer, buffer.byteOffset, n).slice();
}

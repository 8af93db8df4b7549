// Fast Fourier transform of any length whose factors are at most 11 (Stockham's, so that nothing needs reordering).

const FACTORS = [4, 2, 3, 5, 7, 11];

/** The smallest length from `n` on that is fast. The same as SciPy's, since how far is padded shows in the result. */
export function fastLength(n: number): number {
  for (let length = Math.max(n, 1); ; length += 1) if (factorsOf(length) != null) return length;
}

function factorsOf(n: number): number[] | null {
  const factors: number[] = [];
  let rest = n;
  for (const factor of FACTORS) {
    while (rest % factor === 0) {
      factors.push(factor);
      rest /= factor;
    }
  }
  return rest === 1 ? factors : null;
}

export class Fft {
  readonly #factors: number[];
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(readonly n: number) {
    const factors = factorsOf(n);
    if (factors == null) throw new Error(`${n} has a factor above 11`);
    this.#factors = factors;
    this.#cos = Float64Array.from({ length: n }, (_, i) => Math.cos((2 * Math.PI * i) / n));
    this.#sin = Float64Array.from({ length: n }, (_, i) => -Math.sin((2 * Math.PI * i) / n));
    this.#re = new Float64Array(n);
    this.#im = new Float64Array(n);
  }

  /** Transforms in place. */
  forward(re: Float64Array, im: Float64Array): void {
    let [fromRe, fromIm, toRe, toIm] = [re, im, this.#re, this.#im];
    let length = this.n;
    let stride = 1;
    for (const factor of this.#factors) {
      length /= factor;
      if (factor === 4) this.#four(fromRe, fromIm, toRe, toIm, length, stride);
      else this.#any(factor, fromRe, fromIm, toRe, toIm, length, stride);
      stride *= factor;
      [fromRe, fromIm, toRe, toIm] = [toRe, toIm, fromRe, fromIm];
    }
    if (fromRe !== re) {
      re.set(fromRe);
      im.set(fromIm);
    }
  }

  /** Transforms back in place. */
  inverse(re: Float64Array, im: Float64Array): void {
    // Swapping the parts before and after turns the direction round.
    this.forward(im, re);
    for (let i = 0; i < this.n; i += 1) {
      re[i] = (re[i] as number) / this.n;
      im[i] = (im[i] as number) / this.n;
    }
  }

  #four(
    re: Float64Array,
    im: Float64Array,
    outRe: Float64Array,
    outIm: Float64Array,
    m: number,
    s: number,
  ): void {
    const [cos, sin] = [this.#cos, this.#sin];
    for (let q = 0; q < m; q += 1) {
      const w = q * s;
      const [c1, s1] = [cos[w] as number, sin[w] as number];
      const [c2, s2] = [cos[2 * w] as number, sin[2 * w] as number];
      const [c3, s3] = [cos[3 * w] as number, sin[3 * w] as number];
      for (let k = 0; k < s; k += 1) {
        const at = k + s * q;
        const step = s * m;
        const ar = re[at] as number;
        const ai = im[at] as number;
        const br = re[at + step] as number;
        const bi = im[at + step] as number;
        const cr = re[at + 2 * step] as number;
        const ci = im[at + 2 * step] as number;
        const dr = re[at + 3 * step] as number;
        const di = im[at + 3 * step] as number;
        const to = k + s * 4 * q;
        const pr = ar + cr;
        const pi = ai + ci;
        const mr = ar - cr;
        const mi = ai - ci;
        const qr = br + dr;
        const qi = bi + di;
        const nr = br - dr;
        const ni = bi - di;
        outRe[to] = pr + qr;
        outIm[to] = pi + qi;
        const xr = mr + ni;
        const xi = mi - nr;
        outRe[to + s] = xr * c1 - xi * s1;
        outIm[to + s] = xr * s1 + xi * c1;
        const yr = pr - qr;
        const yi = pi - qi;
        outRe[to + 2 * s] = yr * c2 - yi * s2;
        outIm[to + 2 * s] = yr * s2 + yi * c2;
        const zr = mr - ni;
        const zi = mi + nr;
        outRe[to + 3 * s] = zr * c3 - zi * s3;
        outIm[to + 3 * s] = zr * s3 + zi * c3;
      }
    }
  }

  #any(
    p: number,
    re: Float64Array,
    im: Float64Array,
    outRe: Float64Array,
    outIm: Float64Array,
    m: number,
    s: number,
  ): void {
    const [cos, sin, n] = [this.#cos, this.#sin, this.n];
    for (let q = 0; q < m; q += 1) {
      for (let k = 0; k < s; k += 1) {
        for (let r = 0; r < p; r += 1) {
          let sumRe = 0;
          let sumIm = 0;
          for (let j = 0; j < p; j += 1) {
            const at = k + s * (q + m * j);
            const w = ((j * r) % p) * (n / p);
            const [c, d] = [cos[w] as number, sin[w] as number];
            const [x, y] = [re[at] as number, im[at] as number];
            sumRe += x * c - y * d;
            sumIm += x * d + y * c;
          }
          const w = (q * r * s) % n;
          const [c, d] = [cos[w] as number, sin[w] as number];
          const to = k + s * (p * q + r);
          outRe[to] = sumRe * c - sumIm * d;
          outIm[to] = sumRe * d + sumIm * c;
        }
      }
    }
  }
}

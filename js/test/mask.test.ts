// Masks: what is drawn is what is stored, whatever the zoom; strokes are a fold that undo and order cannot break.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { between, signedDistance } from "../src/core/mask/between";
import { blank, lay, MaskBook } from "../src/core/mask/book";
import { type Dab, sweep } from "../src/core/mask/brush";
import { copyInto, interpolateInto } from "../src/core/mask/drafts";
import { flood, floodValues, holes } from "../src/core/mask/flood";
import { band, curve, fitHyperbola } from "../src/core/mask/hyperbola";
import { fillBox, fillPolygon } from "../src/core/mask/outline";
import { decodeRuns, encodeRuns } from "../src/core/mask/runs";
import { Sketch } from "../src/core/mask/sketch";
import { type Raster, type Span, UNLABELLED } from "../src/core/mask/values";

function empty(rows: number, columns: number): Raster {
  return { rows, columns, pixels: new Uint8Array(rows * columns) };
}

function into(raster: Raster, value = 1): Span {
  return (row, from, to) => {
    // A plain throw: `expect` for each of a million spans takes seconds.
    if (!(row >= 0 && row < raster.rows && from >= 0 && to <= raster.columns && to > from))
      throw new Error(`span ${row}: ${from} to ${to}`);
    raster.pixels.fill(value, row * raster.columns + from, row * raster.columns + to);
  };
}

function analytic(rows: number, columns: number, inside: (x: number, y: number) => boolean): Raster {
  const raster = empty(rows, columns);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1)
      if (inside(column + 0.5, row + 0.5)) raster.pixels[row * columns + column] = 1;
  }
  return raster;
}

function overlap(a: Raster, b: Raster): number {
  let both = 0;
  let any = 0;
  a.pixels.forEach((pixel, i) => {
    both += Number(pixel === 1 && b.pixels[i] === 1);
    any += Number(pixel === 1 || b.pixels[i] === 1);
  });
  return both / any;
}

const whole = ({ rows, columns }: Raster) => ({ top: 0, left: 0, bottom: rows, right: columns });

// ---- run-length text ----

interface Golden {
  size: [number, number];
  rows: [number, string][];
  counts: string;
}
const golden = JSON.parse(
  readFileSync(join(__dirname, "../../tests/golden/masks/runs.json"), "utf8"),
) as Golden[];

test.each(golden)(
  "runs are those that Python writes: $size",
  ({ size: [rows, columns], rows: lines, counts }) => {
    const mask = empty(rows, columns);
    for (const [row, line] of lines) mask.pixels.set([...line].map(Number), row * columns);
    expect(encodeRuns(mask, whole(mask), 1)).toBe(counts);
    const back = empty(rows, columns);
    decodeRuns(counts, [0, 0, rows, columns], into(back));
    expect(back.pixels).toEqual(mask.pixels);
  },
);

test("any box of any mask comes back from its runs", () => {
  const cases = fc
    .record({ rows: fc.integer({ min: 1, max: 12 }), columns: fc.integer({ min: 1, max: 12 }) })
    .chain(({ rows, columns }) =>
      fc.record({
        rows: fc.constant(rows),
        columns: fc.constant(columns),
        pixels: fc.uint8Array({ min: 0, max: 1, minLength: rows * columns, maxLength: rows * columns }),
        top: fc.integer({ min: 0, max: rows - 1 }),
        left: fc.integer({ min: 0, max: columns - 1 }),
      }),
    );
  fc.assert(
    fc.property(cases, ({ rows, columns, pixels, top, left }) => {
      const mask = { rows, columns, pixels };
      const text = encodeRuns(mask, { top, left, bottom: rows, right: columns }, 1);
      const back = empty(rows, columns);
      decodeRuns(text, [top, left, rows - top, columns - left], into(back));
      const expected = pixels.map((pixel, i) =>
        Math.floor(i / columns) >= top && i % columns >= left ? pixel : 0,
      );
      expect(back.pixels).toEqual(expected);
    }),
  );
});

test.each(["0", "~~", "1a", "P", "000000000000000p"])("broken runs are refused: %j", (text) => {
  expect(() => decodeRuns(text, [0, 0, 3, 4], () => undefined)).toThrow();
});

// ---- brush ----

const ZOOMS = [0.5, 1, 4].flatMap((zoom) => [1, 0.6, 2.5].map((aspect) => [zoom, aspect] as const));

test.each(ZOOMS)(
  "a disc is the ellipse of raw pixels it is on the screen: zoom %d, aspect %d",
  (zoom, aspect) => {
    const scale = { x: zoom, y: zoom * aspect };
    const raster = empty(300, 300);
    const dab = { x: 150.3, y: 140.8, radius: 24 };
    sweep(dab, dab, scale, 300, 300, into(raster));
    const exact = analytic(
      300,
      300,
      (x, y) => Math.hypot((x - dab.x) * scale.x, (y - dab.y) * scale.y) <= dab.radius,
    );
    expect(raster.pixels).toEqual(exact.pixels);
    const pixels = raster.pixels.reduce((sum, pixel) => sum + pixel, 0);
    expect(Math.abs(pixels / ((Math.PI * 24 * 24) / scale.x / scale.y) - 1)).toBeLessThan(0.02);
  },
);

test.each(ZOOMS)(
  "a line in many pieces is the capsule it is drawn as: zoom %d, aspect %d",
  (zoom, aspect) => {
    const scale = { x: zoom, y: zoom * aspect };
    const [a, b] = [
      { x: 40, y: 60, radius: 12 },
      { x: 240, y: 171, radius: 12 },
    ];
    const raster = empty(300, 300);
    let before: Dab = a;
    for (let i = 1; i <= 37; i += 1) {
      const next = { x: a.x + ((b.x - a.x) * i) / 37, y: a.y + ((b.y - a.y) * i) / 37, radius: 12 };
      sweep(before, next, scale, 300, 300, into(raster));
      before = next;
    }
    const exact = analytic(300, 300, (x, y) => {
      const [px, py] = [(x - a.x) * scale.x, (y - a.y) * scale.y];
      const [dx, dy] = [(b.x - a.x) * scale.x, (b.y - a.y) * scale.y];
      const t = Math.max(0, Math.min(1, (px * dx + py * dy) / (dx * dx + dy * dy)));
      return Math.hypot(px - t * dx, py - t * dy) <= 12;
    });
    expect(overlap(raster, exact)).toBeGreaterThan(0.98);
  },
);

test("a brush whose pressure grows covers the hull of its discs", () => {
  const [a, b] = [
    { x: 20, y: 50, radius: 4 },
    { x: 75, y: 42, radius: 17 },
  ];
  const raster = empty(100, 100);
  sweep(a, b, { x: 1, y: 1 }, 100, 100, into(raster));
  const exact = analytic(100, 100, (x, y) => {
    // The hull is the union of all discs on the way.
    for (let t = 0; t <= 1; t += 0.002)
      if (
        Math.hypot(x - a.x - t * (b.x - a.x), y - a.y - t * (b.y - a.y)) <=
        a.radius + t * (b.radius - a.radius)
      )
        return true;
    return false;
  });
  expect(overlap(raster, exact)).toBeGreaterThan(0.99);
});

test("a brush beyond the border paints inside it only", () => {
  const raster = empty(20, 30);
  sweep({ x: -40, y: -40, radius: 9 }, { x: 80, y: 70, radius: 9 }, { x: 2, y: 0.7 }, 20, 30, into(raster));
  sweep({ x: 500, y: 5, radius: 9 }, { x: 400, y: 5, radius: 9 }, { x: 2, y: 0.7 }, 20, 30, into(raster));
  expect(raster.pixels).toContain(1);
});

// ---- other shapes ----

test("a polygon holds the pixels whose centres it holds, and a lasso that crosses itself has no hole", () => {
  const raster = empty(40, 40);
  fillPolygon([5.1, 5.2, 35.3, 8.1, 20.2, 33.4], 40, 40, into(raster));
  const side = (ax: number, ay: number, bx: number, by: number, x: number, y: number): boolean =>
    (bx - ax) * (y - ay) - (by - ay) * (x - ax) >= 0;
  const exact = analytic(
    40,
    40,
    (x, y) =>
      side(5.1, 5.2, 35.3, 8.1, x, y) &&
      side(35.3, 8.1, 20.2, 33.4, x, y) &&
      side(20.2, 33.4, 5.1, 5.2, x, y),
  );
  expect(overlap(raster, exact)).toBe(1);
  const star = empty(60, 60);
  const points = [0, 2, 4, 1, 3].flatMap((i) => {
    const angle = (i * 2 * Math.PI) / 5;
    return [30 + 25 * Math.sin(angle), 30 - 25 * Math.cos(angle)];
  });
  fillPolygon(points, 60, 60, into(star));
  expect(star.pixels[30 * 60 + 30]).toBe(1);
});

test("a box is whole pixels, clipped, and never nothing", () => {
  const raster = empty(10, 10);
  fillBox([2.4, 3.6, 2.4, 3.6], 10, 10, into(raster));
  expect([...raster.pixels.keys()].filter((i) => raster.pixels[i] === 1)).toEqual([32]);
  fillBox([8, 8, 40, -3], 10, 10, into(raster));
  expect(raster.pixels.filter(Boolean)).toHaveLength(1 + 2 * 8);
});

test("flood fill finds what is connected within the tolerance", () => {
  // A spiral wall: a naive fill leaks or misses the far end.
  const lines = ["0000000", "5555550", "0000050", "0555050", "0500050", "0555550", "0000000"];
  const values = Float32Array.from(lines.flatMap((line) => [...line].map(Number)));
  const raster = empty(7, 7);
  floodValues(values, 0, 0, 7, 7, 4, into(raster));
  expect([...raster.pixels]).toEqual([...values].map((value) => Number(value === 0)));
  const all = empty(7, 7);
  floodValues(values, 0, 0, 7, 7, 5, into(all));
  expect(all.pixels.every((pixel) => pixel === 1)).toBe(true);
});

test("flood fill asks within the raster only", () => {
  fc.assert(
    fc.property(fc.uint8Array({ min: 0, max: 1, minLength: 48, maxLength: 48 }), (cells) => {
      const raster = empty(6, 8);
      flood(2, 3, 6, 8, (at) => cells[at] === cells[19], into(raster));
      // Brute force: grow until nothing changes.
      const grown = new Set([19]);
      for (let n = 0; n !== grown.size; ) {
        n = grown.size;
        for (const at of [...grown]) {
          const c = at % 8;
          for (const to of [at - 8, at + 8, c > 0 ? at - 1 : -1, c < 7 ? at + 1 : -1])
            if (to >= 0 && to < 48 && cells[to] === cells[19]) grown.add(to);
        }
      }
      expect([...raster.pixels.keys()].filter((i) => raster.pixels[i] === 1)).toEqual(
        [...grown].sort((a, b) => a - b),
      );
    }),
  );
});

test("holes are what a class encloses", () => {
  const lines = ["1111.", "1..1.", "1.211", "11111", "....."];
  const pixels = Uint8Array.from(
    lines.flatMap((line) => [...line].map((c) => (c === "." ? UNLABELLED : Number(c)))),
  );
  const found = empty(5, 5);
  holes({ rows: 5, columns: 5, pixels }, 1, into(found));
  expect([...found.pixels.keys()].filter((i) => found.pixels[i] === 1)).toEqual([6, 7, 11, 12]);
});

// ---- hyperbola ----

const GROUND = { dx: 0.02, x: 1, dt: 0.1, time_zero: 12 };

test("apex and limb of a made echo give back its ground", () => {
  const velocity = 0.11;
  const depth = 0.35;
  const t0 = (2 * depth) / velocity;
  const rowOf = (column: number): number =>
    GROUND.time_zero + Math.hypot(t0, (2 * (column - 80.5) * GROUND.dx) / velocity) / GROUND.dt;
  const found = fitHyperbola({ x: 80.5, y: rowOf(80.5) }, { x: 112, y: rowOf(112) }, GROUND);
  expect(found?.velocity_m_per_ns).toBeCloseTo(velocity, 9);
  expect(found?.depth_m).toBeCloseTo(depth, 9);
  expect(found?.t0_ns).toBeCloseTo(t0, 9);
  // The middle of pixel 80 is the coordinate of index 80.
  expect(found?.x0_m).toBeCloseTo(1 + 80 * GROUND.dx, 9);
  if (found == null) return;
  const points = curve(found, GROUND);
  for (let i = 0; i < points.length; i += 2) expect(points[i + 1]).toBeCloseTo(rowOf(points[i] ?? 0), 6);
  const mask = empty(200, 200);
  band(found, GROUND, 7, 200, 200, into(mask));
  for (const column of [60, 80, 100]) {
    const rows = [...Array(200).keys()].filter((row) => mask.pixels[row * 200 + column] === 1);
    expect(rows).toHaveLength(7);
    expect(Math.abs((rows[3] ?? 0) + 0.5 - rowOf(column + 0.5))).toBeLessThanOrEqual(0.5);
  }
});

test.each([
  [
    { x: 80, y: 50 },
    { x: 90, y: 40 },
  ],
  [
    { x: 80, y: 50 },
    { x: 80, y: 60 },
  ],
  [
    { x: 80, y: 5 },
    { x: 90, y: 60 },
  ],
  [
    { x: 80, y: 50 },
    { x: 300, y: 52 },
  ],
])("no ground makes such an echo: %j %j", (apex, limb) => {
  expect(fitHyperbola(apex, limb, GROUND)).toBeNull();
});

// ---- between sections ----

test("signed distance is Euclidean", () => {
  const raster = empty(9, 11);
  raster.pixels[4 * 11 + 5] = 1;
  raster.pixels[11] = 1;
  const found = signedDistance(raster, 1);
  for (let row = 0; row < 9; row += 1) {
    for (let column = 0; column < 11; column += 1) {
      const at = row * 11 + column;
      const exact = Math.min(Math.hypot(row - 4, column - 5), Math.hypot(row - 1, column));
      expect(found[at]).toBeCloseTo(exact === 0 ? -0.5 : exact - 0.5, 4);
    }
  }
});

test("half way between two discs their distances are equal and opposite; nothing that was said is overwritten", () => {
  const disc = (cx: number, r: number): Raster => analytic(60, 90, (x, y) => Math.hypot(x - cx, y - 30) <= r);
  const [a, b] = [disc(35, 14), disc(45, 20)];
  const middle = empty(60, 90);
  between(a, b, 1, 0.5, into(middle));
  const exact = analytic(
    60,
    90,
    (x, y) => Math.hypot(x - 35, y - 30) - 14 + Math.hypot(x - 45, y - 30) - 20 < 0,
  );
  expect(overlap(middle, exact)).toBeGreaterThan(0.97);

  const page = blank(60, 90);
  page.pixels.fill(2, 0, 30 * 90);
  const parts = interpolateInto(page, a, b, 0.5, "v/1");
  expect(parts.map(({ value, item_id }) => [value, item_id])).toEqual([[1, "v/1"]]);
  for (const part of parts) lay(page, part);
  expect(page.pixels.subarray(0, 30 * 90).every((pixel) => pixel === 2)).toBe(true);
  expect(page.pixels.subarray(30 * 90)).toContain(1);
});

test("a neighbour's mask is copied class by class, into free pixels only", () => {
  const from = blank(3, 3);
  from.pixels.set([0, 0, 255, 1, 1, 254, 255, 2, 2]);
  const page = blank(3, 3);
  page.pixels[0] = 2;
  for (const part of copyInto(page, from, "v/1")) lay(page, part);
  expect([...page.pixels]).toEqual([2, 0, 255, 1, 1, 255, 255, 2, 2]);
});

// ---- strokes ----

test("a stroke spares locked classes, and is small", () => {
  const page = blank(1024, 2048);
  page.pixels.fill(3, 500 * 2048, 510 * 2048);
  const sketch = new Sketch(page, 1, (pixel) => pixel === 3);
  sweep(
    { x: 300, y: 480, radius: 20 },
    { x: 900, y: 530, radius: 20 },
    { x: 1, y: 1 },
    1024,
    2048,
    sketch.add,
  );
  const part = sketch.part("v/0");
  expect(page.pixels.subarray(500 * 2048, 510 * 2048).every((pixel) => pixel === 3)).toBe(true);
  const again = blank(1024, 2048);
  again.pixels.fill(3, 500 * 2048, 510 * 2048);
  if (part != null) lay(again, part);
  expect(Buffer.compare(again.pixels, page.pixels)).toBe(0);
  expect(part?.runs.length).toBeLessThan((1024 * 2048) / 100);
});

test("a stroke that covers nothing is none", () => {
  const page = blank(10, 10);
  page.pixels.fill(1);
  const sketch = new Sketch(page, 2, (pixel) => pixel === 1);
  sketch.add(3, 2, 8);
  expect(sketch.part("v/0")).toBeNull();
});

test("undo of any stroke leaves the others as they were drawn", () => {
  const stroke = fc.record({
    top: fc.integer({ min: 0, max: 6 }),
    left: fc.integer({ min: 0, max: 6 }),
    value: fc.constantFrom(0, 1, 2, 254, 255),
    item: fc.constantFrom("v/0", "v/1"),
  });
  fc.assert(
    fc.property(fc.array(stroke, { maxLength: 8 }), fc.array(fc.nat(7)), (strokes, undone) => {
      const book = new MaskBook(8, 8);
      const base = { item_id: "v/0", parts: [{ item_id: "v/0", value: 1, box: [0, 0, 8, 4], runs: "0P1" }] };
      book.begin(base);
      const parts = strokes.map(({ top, left, value, item }) => {
        const raster = empty(8, 8);
        into(raster)(top, left, left + 2);
        return [
          {
            item_id: item,
            value,
            box: [top, left, 1, 2],
            runs: encodeRuns(raster, { top, left, bottom: top + 1, right: left + 2 }, 1),
          },
        ];
      });
      parts.forEach((own, i) => void book.add(`e${i}`, own));
      for (const i of undone) book.mark(`e${i}`, true);
      const expected = new Map(["v/0", "v/1"].map((item) => [item, blank(8, 8)]));
      for (const part of base.parts) lay(expected.get("v/0") ?? blank(8, 8), part);
      parts.forEach((own, i) => {
        if (undone.includes(i)) return;
        for (const part of own) lay(expected.get(part.item_id) ?? blank(8, 8), part);
      });
      for (const [item, { pixels }] of expected) expect(book.of(item).pixels).toEqual(pixels);
      for (const i of undone) book.mark(`e${i}`, false);
    }),
  );
});

test("where the kernel's word differs it holds, and its strokes are no longer ours to fold", () => {
  const book = new MaskBook(8, 8);
  const part = { item_id: "v/0", value: 2, box: [0, 0, 1, 2], runs: "02" };
  book.add("e0", [part]);
  expect(book.adopt({ item_id: "v/0", parts: [part] })).toBe(false);
  expect(book.mark("e0", true)).toEqual(["v/0"]);
  book.mark("e0", false);
  expect(book.adopt({ item_id: "v/0", parts: [{ ...part, value: 1 }] })).toBe(true);
  expect(book.of("v/0").pixels[1]).toBe(1);
  expect(book.mark("e0", true)).toEqual([]);
});

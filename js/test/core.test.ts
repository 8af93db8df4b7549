import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ItemClock } from "../src/core/clock";
import { judge } from "../src/core/connection";
import { pan, whole, zoom } from "../src/core/geometry";
import { AnswerHistory } from "../src/core/history";
import { KeyChoice } from "../src/core/keychoice";
import { isAssignable, keyName, makeKeymap } from "../src/core/keymap";
import { AUTO_LEVELS, paint, samplesOf } from "../src/core/pixels";
import { batch, computed, effect, signal } from "../src/core/signal";
import { EntryWindow } from "../src/core/window";
import type { HistoryRow, ImageInfo, Queue } from "../src/wire";
import { entry, MemoryStorage } from "./kernel";

describe("window", () => {
  const push = (over: Partial<Queue>): Queue => ({
    kind: "queue",
    rev: 1,
    replace: false,
    keep: [],
    drop: [],
    entries: [],
    ...over,
  });
  const open = (): boolean => false;

  test("keeps what is on the screen and what is kept, and replaces the rest in order", () => {
    const window = new EntryWindow();
    window.add(
      ["a", "b", "c", "d"].map((id) => entry(id)),
      open,
    );
    window.merge(
      push({ replace: true, keep: ["c"], entries: [entry("x"), entry("c", "newer"), entry("a")] }),
      open,
    );
    expect(window.have()).toEqual(["a", "c", "x"]);
    expect(window.entries()[1]?.token).toBe("newer");
    expect(window.current?.token).toBe("token a");
  });

  test("drops what others answered, but never what is on the screen", () => {
    const window = new EntryWindow();
    window.add(
      ["a", "b", "c"].map((id) => entry(id)),
      open,
    );
    window.merge(push({ drop: ["a", "b"] }), open);
    expect(window.have()).toEqual(["a", "c"]);
  });

  test("takes only the drops of a push that was overtaken", () => {
    const window = new EntryWindow();
    window.add(
      ["a", "b"].map((id) => entry(id)),
      open,
    );
    window.merge(push({ rev: 5, replace: true, entries: [entry("new 1"), entry("new 2")] }), open);
    window.merge(push({ rev: 4, replace: true, drop: ["new 2"], entries: [entry("old")] }), open);
    expect(window.have()).toEqual(["a", "new 1"]);
  });

  test("holds no item twice and never loses the one on the screen, whatever is pushed", () => {
    const ids = fc.array(fc.constantFrom("a", "b", "c", "d", "e", "f"), { maxLength: 5 });
    const pushes = fc.array(
      fc.record({ rev: fc.nat(9), replace: fc.boolean(), keep: ids, drop: ids, entries: ids }),
    );
    fc.assert(
      fc.property(pushes, (all) => {
        const window = new EntryWindow();
        window.add([entry("a")], open);
        for (const { entries, ...rest } of all) {
          window.merge(push({ ...rest, entries: entries.map((id) => entry(id)) }), open);
          expect(window.current?.item_id).toBe("a");
          expect(new Set(window.have()).size).toBe(window.size);
        }
      }),
    );
  });
});

describe("keys", () => {
  const press = (key: string, over: Partial<KeyboardEvent> = {}): string | null =>
    keyName({
      key,
      code: "",
      shiftKey: false,
      ctrlKey: false,
      altKey: false,
      metaKey: false,
      repeat: false,
      isComposing: false,
      ...over,
    } as never);

  test("are handed out as 1 to 9, 0, then letters that no command uses", () => {
    const names = Array.from({ length: 40 }, (_, i) => `class ${i}`);
    const { keyOf, commands } = makeKeymap(names, {});
    expect([...keyOf.values()].join("")).toBe("1234567890bcdeghijlnopqrtvx");
    expect(commands.get("s")).toBe("skip");
    expect(keyOf.has("class 39")).toBe(false);
  });

  test("that were chosen win over the order and over a command, and are given once", () => {
    const { classes, keyOf, commands, commandKey } = makeKeymap(["a", "b", "c"], { c: "1", b: "S", a: "1" });
    expect(Object.fromEntries(classes)).toEqual({ "1": "a", s: "b", "2": "c" });
    expect(keyOf.get("c")).toBe("2");
    expect(commands.has("s")).toBe(false);
    expect(commandKey.get("skip")).toBeUndefined();
    expect(commandKey.get("undo")).toBe("z");
  });

  test("of classes that are called like a digit are that digit, unless it was given to another", () => {
    const digits = [..."0123456789"];
    const own = makeKeymap(digits, {});
    expect(digits.map((name) => own.keyOf.get(name))).toEqual(digits);
    expect([...makeKeymap(["cat", "1", "2"], { cat: "2" }).keyOf]).toEqual([
      ["cat", "2"],
      ["1", "1"],
      ["2", "3"],
    ]);
  });

  test("of names that are also names of objects' own properties are handed out like all others", () => {
    const { keyOf } = makeKeymap(["constructor", "__proto__", "toString"], {});
    expect([...keyOf]).toEqual([
      ["constructor", "1"],
      ["__proto__", "2"],
      ["toString", "3"],
    ]);
  });

  test("zero fits the picture until a class has it", () => {
    expect(makeKeymap(["a"], {}).commands.get("0")).toBe("fit");
    expect(makeKeymap([..."abcdefghij"], {}).commands.get("0")).toBeUndefined();
  });

  test("are not read from repeats, compositions and modified keys", () => {
    expect(press("1", { repeat: true })).toBeNull();
    expect(press("1", { isComposing: true })).toBeNull();
    for (const modifier of ["ctrlKey", "altKey", "metaKey"])
      expect(press("1", { [modifier]: true })).toBeNull();
  });

  test("are digits by position, letters by what they say", () => {
    expect(press("&", { code: "Digit1" })).toBe("1");
    expect(press("1", { code: "Digit1", shiftKey: true })).toBe("1");
    expect(press("/", { code: "Digit7", shiftKey: true })).toBe("/");
    expect(press("5", { code: "Numpad5" })).toBe("5");
    expect(press("ArrowLeft", { code: "ArrowLeft", shiftKey: true })).toBe("Shift+ArrowLeft");
    expect(press("S", { code: "KeyS", shiftKey: true })).toBe("S");
    const capsLock = { getModifierState: (name: string) => name === "CapsLock" };
    expect(press("S", { code: "KeyS", ...capsLock } as never)).toBe("s");
    expect(press("s", { code: "KeyS", shiftKey: true, ...capsLock } as never)).toBe("S");
  });

  test("can be single characters only", () => {
    expect(["a", "1", "é", ";"].map(isAssignable)).toEqual([true, true, true, true]);
    expect(["A", "Enter", " ", "?", "/", ""].map(isAssignable)).toEqual([
      false,
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test("of the user are kept in the browser and win over Python's", () => {
    const storage = new MemoryStorage();
    const names = signal<readonly string[]>(["a", "b"]);
    const choice = new KeyChoice(storage, "store", names, { a: "n", b: "p" });
    expect(Object.fromEntries(choice.keymap.peek().keyOf)).toEqual({ a: "n", b: "p" });
    choice.choose("b", "n");
    const again = new KeyChoice(storage, "store", names, { a: "n", b: "p" });
    expect(Object.fromEntries(again.keymap.peek().keyOf)).toEqual({ a: "1", b: "n" });
    again.reset();
    expect(storage.length).toBe(0);
    storage.setItem("al_widgets:keys:store", "[nonsense");
    expect(new KeyChoice(storage, "store", names, {}).keymap.peek().keyOf.get("a")).toBe("1");
  });
});

describe("clock", () => {
  test("counts from the first paint, without hidden time and without the time other items were shown", () => {
    let now = 0;
    const clock = new ItemClock(
      () => now,
      () => 1_000_000 + now,
    );
    clock.show("a");
    now = 1_000;
    clock.setAway(true);
    now = 61_000;
    clock.setAway(false);
    now = 62_000;
    clock.show("b");
    now = 70_000;
    clock.show("a");
    clock.show("a");
    now = 70_500;
    expect(clock.stop("a")).toEqual({ elapsed_ms: 2_500, shown_at_ms: 1_000_000 });
    expect(clock.stop("b")).toEqual({ elapsed_ms: 8_000, shown_at_ms: 1_062_000 });
  });

  test("does not run for an item that is first shown while the user is elsewhere", () => {
    let now = 0;
    const clock = new ItemClock(
      () => now,
      () => now,
    );
    clock.setAway(true);
    clock.show("a");
    now = 5_000;
    clock.setAway(false);
    now = 5_200;
    expect(clock.stop("a").elapsed_ms).toBe(200);
  });
});

describe("answer history", () => {
  const row = (n: number, item = `i${n}`): HistoryRow => ({
    event_id: `e${n}`,
    item_id: item,
    kind: "label",
    value: "cat",
    note: "",
    answered_at_ms: n,
    undone: false,
  });

  test("shows one row an item, in the order of first answers", () => {
    const history = new AnswerHistory();
    for (const one of [row(1, "a"), row(2, "b"), row(3, "a")]) history.add(one);
    expect(history.standing().map(({ event_id }) => event_id)).toEqual(["e3", "e2"]);
    history.undo("e3", "u1");
    expect(history.answerOf("a")?.event_id).toBe("e1");
    expect(history.redo()).toMatchObject({ undo_id: "u1", row: { event_id: "e3", undone: false } });
    expect(history.answerOf("a")?.event_id).toBe("e3");
  });

  test("keeps what only this page knows when the kernel's list comes", () => {
    const history = new AnswerHistory();
    history.add(row(5));
    history.add(row(6));
    history.undo("e6", "u1");
    history.load([row(1), row(6)], (eventId) => eventId === "e5");
    expect(history.standing().map(({ event_id }) => event_id)).toEqual(["e1", "e5"]);
    expect(history.redoable?.event_id).toBe("e6");
  });
});

describe("geometry", () => {
  test("fits small pictures by whole multiples, centred, and zooms about the pointer within bounds", () => {
    const canvas = { width: 400, height: 300 };
    expect(whole({ width: 28, height: 28 }, canvas)).toEqual({ scale: 10, x: 60, y: 10 });
    fc.assert(
      fc.property(
        fc.record({ width: fc.integer({ min: 1, max: 5_000 }), height: fc.integer({ min: 1, max: 5_000 }) }),
        fc.array(
          fc.record({ factor: fc.double({ min: 0.2, max: 5, noNaN: true }), x: fc.nat(400), y: fc.nat(300) }),
        ),
        (image, moves) => {
          let view = whole(image, canvas);
          const least = view.scale;
          for (const { factor, x, y } of moves) {
            view = pan(zoom(view, factor, { x, y }, image, canvas), x - 200, y - 150, image, canvas);
            expect(view.scale).toBeGreaterThanOrEqual(least);
            // Some of the picture is always in sight.
            expect(view.x).toBeLessThanOrEqual(400);
            expect(view.x + image.width * view.scale).toBeGreaterThanOrEqual(0);
          }
        },
      ),
    );
    const image = { width: 1000, height: 1000 };
    const start = whole(image, canvas);
    const at = { x: 210, y: 140 };
    const view = zoom(start, 8, at, image, canvas);
    expect((at.x - view.x) / view.scale).toBeCloseTo((at.x - start.x) / start.scale);
    expect((at.y - view.y) / view.scale).toBeCloseTo((at.y - start.y) / start.scale);
  });
});

describe("pixels", () => {
  const info = (over: Partial<ImageInfo>): ImageInfo => ({ ...entry("x").image, ...over });
  const grey = (values: ArrayBufferView, given: ImageInfo, levels = AUTO_LEVELS): number[] => {
    // At an odd offset, as buffers of messages are.
    const bytes = new Uint8Array(values.byteLength + 1);
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 1);
    const samples = samplesOf(given, new DataView(bytes.buffer, 1, values.byteLength));
    const out = new Uint8ClampedArray(given.width * given.height * 4);
    paint(samples, given, levels, out);
    return [...out];
  };

  test("are clipped and never wrapped, whatever their type", () => {
    const float = info({ dtype: "float32", width: 5, low: -1, high: 1 });
    const out = grey(new Float32Array([-3.2, -1, 0, 1, 300.7]), float);
    expect([0, 4, 8, 12, 16].map((i) => out[i])).toEqual([0, 0, 128, 255, 255]);
    const int16 = info({ dtype: "int16", width: 2, low: -300, high: 300 });
    expect(grey(new Int16Array([-300, 32767]), int16).filter((_, i) => i % 4 === 0)).toEqual([0, 255]);
  });

  test("that are no numbers are transparent", () => {
    const out = grey(
      new Float32Array([Number.NaN, Number.POSITIVE_INFINITY]),
      info({ dtype: "float32", low: 0, high: 1 }),
    );
    expect([out[3], out[4], out[7]]).toEqual([0, 255, 255]);
  });

  test("of a flat picture do not divide by zero", () => {
    expect(grey(new Uint8Array([7, 7]), info({ low: 7, high: 7 })).some(Number.isNaN)).toBe(false);
  });

  test("keep colours, and follow brightness and contrast", () => {
    const rgb = info({ width: 1, channels: 3 });
    expect(grey(new Uint8Array([10, 20, 30]), rgb)).toEqual([10, 20, 30, 255]);
    expect(grey(new Uint8Array([100, 100, 100]), rgb, { brightness: 0.5, contrast: 1 })[0]).toBeGreaterThan(
      200,
    );
    expect(grey(new Uint8Array([100, 100, 100]), rgb, { brightness: 0, contrast: 8 })[0]).toBe(0);
  });

  test("that are too few are an error with the numbers in it", () => {
    expect(() => samplesOf(info({ width: 3 }), new DataView(new ArrayBuffer(2)))).toThrow("2 bytes came");
    expect(() => samplesOf(info({ dtype: "int64" }), new DataView(new ArrayBuffer(2)))).toThrow("int64");
  });
});

describe("connection", () => {
  const signs = {
    now: 100_000,
    last_heard: 50_000,
    waiting_since: null,
    kernel: "unknown",
    lost_at: null,
  } as const;
  test.each([
    ["ok", signs],
    ["gone", { ...signs, kernel: "dead" }],
    ["gone", { ...signs, lost_at: 60_000 }],
    ["ok", { ...signs, lost_at: 40_000 }],
    ["ok", { ...signs, waiting_since: 99_500 }],
    ["busy", { ...signs, waiting_since: 97_000 }],
    ["silent", { ...signs, waiting_since: 90_000 }],
    ["busy", { ...signs, waiting_since: 90_000, kernel: "busy" }],
    ["silent", { ...signs, waiting_since: 90_000, kernel: "alive" }],
  ] as const)("is %s for %o", (expected, given) => {
    expect(judge(given)).toBe(expected);
  });
});

test("signals run effects at once, once a batch, and not after they were stopped", () => {
  const a = signal(1);
  const b = signal(2);
  const sum = computed(() => a.get() + b.get());
  const seen: number[] = [];
  const stop = effect(() => seen.push(sum.get()));
  batch(() => {
    a.set(10);
    b.set(20);
    expect(seen).toEqual([3]);
  });
  b.set(20);
  stop();
  a.set(0);
  expect(seen).toEqual([3, 30]);
});

import { describe, expect, test } from "vitest";
import type { Mode } from "../src/core/cards";
import { marked, toggled, unresolved } from "../src/core/marks";
import { SheetDesk } from "../src/core/sheet";
import type { Batch, Card, GetSheet, Sheet } from "../src/sheet-wire";
import { BYTES, entry, MemoryStorage, status } from "./kernel";

const CLASSES = ["cat", "dog", "cow"];

function card(itemId: string, proposed = "cat"): Card {
  return { ...entry(itemId), proposed, said: [] };
}

function sheetOf(ids: string[], over: Partial<Sheet> = {}): Sheet {
  const groups = [
    { name: "cat", n: ids.length },
    { name: "dog", n: 3 },
  ];
  return {
    rev: 7,
    name: "cat",
    cards: ids.map((id) => card(id)),
    groups,
    left: ids.length,
    message: "",
    ...over,
  };
}

/** A desk with a clock that is moved by hand and a line that is delivered by hand. */
class TestDesk {
  now = 1_000;
  readonly sent: (GetSheet | Batch)[] = [];
  readonly desk: SheetDesk<{ close(): void }>;

  constructor(
    mode: Mode,
    readonly storage = new MemoryStorage(),
    client = "c0",
  ) {
    this.desk = new SheetDesk({
      mode,
      port: {
        send: (message) => void this.sent.push(structuredClone(message) as GetSheet | Batch),
        kernel: () => "alive",
      },
      decode: async () => ({ close: () => undefined }),
      storage,
      storeId: "store",
      annotator: "ann",
      client,
      showModel: true,
      classes: CLASSES,
      replaces: () => [],
      alive: () => new Set(),
      now: () => this.now,
      today: () => 1_700_000_000_000 + this.now,
      delivered: () => undefined,
      later: (run) => run(),
    });
    this.desk.start();
  }

  get batches(): Batch[] {
    return this.sent.filter((message): message is Batch => message.kind === "batch");
  }

  get asked(): GetSheet[] {
    return this.sent.filter((message): message is GetSheet => message.kind === "sheet");
  }

  /** Answers the newest request for a sheet, and draws what came. */
  async deliver(sheet: Sheet): Promise<void> {
    const rid = this.asked.at(-1)?.rid;
    const reply = {
      kind: "reply",
      rid,
      ok: true,
      sheet,
      status: status({ classes: CLASSES }),
    };
    this.desk.receive(reply, BYTES);
    for (let i = 0; i < 4; i += 1) await Promise.resolve();
    for (const { card: one, picture } of this.desk.cards.shown.peek())
      if (picture != null) this.desk.cards.drawn(one.item_id);
  }

  ids(): string[] {
    return this.desk.cards.shown.peek().map(({ card: { item_id } }) => item_id);
  }
}

describe("marks", () => {
  test("of two classes the other is meant, of more it must be said which", () => {
    const one = card("a");
    expect(toggled(new Map(), one, ["cat", "dog"]).get("a")).toEqual({ answer: "label", value: "dog" });
    const wrong = toggled(new Map(), one, CLASSES);
    expect(wrong.get("a")).toEqual({ answer: "wrong", value: null });
    expect(unresolved([one], wrong)).toEqual([one]);
    expect(toggled(wrong, one, CLASSES).size).toBe(0);
    expect(marked(wrong, one, { answer: "label", value: "cat" }).size).toBe(0);
    expect(unresolved([one], marked(wrong, one, { answer: "skip", value: null }))).toEqual([]);
  });
});

describe("a grid", () => {
  test("becomes one batch, numbered without a gap, that shares the time in sight", async () => {
    const page = new TestDesk("grid");
    await page.deliver(sheetOf(["a", "b", "c", "d"]));
    expect(page.desk.phase.peek()).toBe("ready");
    page.now += 5_000;
    page.desk.setAway(true);
    page.now += 600_000;
    page.desk.setAway(false);
    page.now += 3_000;
    page.desk.toggle("c");
    page.desk.cards.activate("c");
    page.desk.confirm();
    expect(page.batches).toEqual([]); // "c" is wrong and has no class
    page.desk.answer({ answer: "label", value: "dog" });
    page.desk.confirm();
    const [batch] = page.batches;
    expect(batch?.events.map(({ item_id, value, seq }) => [item_id, value, seq])).toEqual([
      ["a", "cat", 0],
      ["b", "cat", 1],
      ["c", "dog", 2],
      ["d", "cat", 3],
    ]);
    expect(batch?.events.map(({ elapsed_ms }) => elapsed_ms)).toEqual([2_000, 2_000, 2_000, 2_000]);
    expect(batch?.model_shown).toBe(true);
    expect([batch?.event_id, batch?.rid]).toEqual(["c0-0", "c0-0"]);
    expect(page.ids()).toEqual([]);
    expect(page.asked.at(-1)).toMatchObject({ name: "cat", have: [] });
  });

  test("cannot be confirmed before all of it was seen", async () => {
    const page = new TestDesk("grid");
    page.desk.receive(
      { kind: "reply", rid: page.asked[0]?.rid, ok: true, sheet: sheetOf(["a", "b"]) },
      BYTES,
    );
    page.desk.confirm();
    expect(page.batches).toEqual([]);
  });

  test("comes back as it was when it is undone, and goes again when that is undone", async () => {
    const page = new TestDesk("grid");
    await page.deliver(sheetOf(["a", "b"]));
    page.desk.cards.activate("b");
    page.desk.answer({ answer: "skip", value: null });
    page.desk.confirm();
    await page.deliver(sheetOf(["x", "y"]));
    page.desk.undo();
    expect(page.batches[1]?.events.map(({ answer, target }) => [answer, target])).toEqual([
      ["undo", "c0-0"],
      ["undo", "c0-1"],
    ]);
    expect(page.ids()).toEqual(["a", "b"]);
    expect(page.desk.cards.marks.peek().get("b")?.answer).toBe("skip");
    expect(page.asked.at(-1)?.have).toEqual(["a", "b"]); // the kernel is to hold them for this page again
    page.desk.redo();
    expect(page.batches[2]?.events.map(({ target }) => target)).toEqual(["c0-2", "c0-3"]);
    expect(page.desk.canRedo.peek()).toBe(false);
  });

  test("waits in the storage while nobody listens, and the next page delivers it with the same numbers", async () => {
    const page = new TestDesk("grid");
    await page.deliver(sheetOf(["a", "b"]));
    page.desk.confirm();
    expect(page.desk.link.unsaved.peek()).toBe(1);
    const next = new TestDesk("grid", page.storage, "c1");
    expect(next.batches).toEqual(page.batches);
    const ack = { event_id: "c0-0", duplicate: true, durable_ms: 1 };
    next.desk.receive({ kind: "reply", rid: "c0-0", ok: true, ack }, []);
    expect(next.desk.link.unsaved.peek()).toBe(0);
    expect(page.storage.length).toBe(0);
  });

  test("says so when the kernel will never take it", async () => {
    const page = new TestDesk("grid");
    await page.deliver(sheetOf(["a", "b"]));
    page.desk.confirm();
    const error = { type: "TaskError", message: "no such class", retry: false };
    page.desk.receive({ kind: "reply", rid: "c0-0", ok: false, error }, []);
    expect(page.desk.notices.list.peek()[0]?.message).toBe("2 answers refused: no such class");
    expect(page.desk.link.unsaved.peek()).toBe(0);
  });
});

describe("a review", () => {
  test("answers one card at a time, in its own time, and goes on to the next", async () => {
    const page = new TestDesk("review");
    await page.deliver(sheetOf(["a", "b"], { name: "" }));
    expect(page.desk.cards.active.peek()).toBe("a");
    page.now += 4_000;
    page.desk.answer({ answer: "label", value: "dog" });
    page.desk.answer({ answer: "label", value: "cow" });
    expect(page.batches.map(({ events }) => [events.length, events[0]?.item_id, events[0]?.value])).toEqual([
      [1, "a", "dog"],
      [1, "b", "cow"],
    ]);
    expect(page.batches[0]?.events[0]?.elapsed_ms).toBe(4_000);
    expect(page.desk.cards.open()).toEqual([]);
    page.desk.confirm(); // nothing is open: the next sheet
    expect(page.asked.at(-1)?.have).toEqual([]);
  });

  test("keeps its places when a new version comes: answered cards stay, settled ones go, new ones follow", async () => {
    const page = new TestDesk("review");
    await page.deliver(sheetOf(["a", "b", "c"], { name: "" }));
    page.desk.confirm(); // keeps the label of "a"
    expect(page.batches[0]?.events[0]).toMatchObject({ item_id: "a", answer: "label", value: "cat" });
    page.desk.receive({ kind: "queue", rev: 9, replace: true, keep: [], drop: [], entries: [] }, []);
    expect(page.asked.at(-1)).toMatchObject({ known: 7, have: ["a", "b", "c"] });
    await page.deliver(sheetOf(["d", "c"], { name: "", rev: 8 }));
    expect(page.ids()).toEqual(["a", "c", "d"]);
  });

  test("goes to the next page of what is in question, and stays there when a new version comes", async () => {
    const page = new TestDesk("review");
    const groups = [1, 2].map((number) => ({ name: `Page ${number} of 2`, n: 2 }));
    await page.deliver(sheetOf(["a", "b"], { name: "Page 1 of 2", groups }));
    page.desk.step(1);
    expect(page.asked.at(-1)).toMatchObject({ name: "Page 2 of 2", have: [] });
    await page.deliver(sheetOf(["c", "d"], { name: "Page 2 of 2", groups, rev: 8 }));
    page.desk.receive({ kind: "queue", rev: 9, replace: true, keep: [], drop: [], entries: [] }, []);
    expect(page.asked.at(-1)).toMatchObject({ name: "Page 2 of 2", have: ["c", "d"] });
    await page.deliver(sheetOf(["d", "e"], { name: "Page 2 of 3", groups, rev: 9 }));
    expect([page.ids(), page.desk.name.peek()]).toEqual([["d", "e"], "Page 2 of 3"]);
  });

  test("does not take a sheet that was asked for before an answer", async () => {
    const page = new TestDesk("review");
    await page.deliver(sheetOf(["a", "b"], { name: "" }));
    page.desk.receive({ kind: "queue", rev: 9, replace: true, keep: [], drop: [], entries: [] }, []);
    page.desk.answer({ answer: "label", value: "dog" });
    await page.deliver(sheetOf(["b", "a", "z"], { name: "", rev: 8 }));
    expect(page.ids()).toEqual(["a", "b"]);
  });
});

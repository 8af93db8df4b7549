import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Answer, FromPage, Undo } from "../src/wire";
import { BYTES, ExactlyOnceKernel, entry, MemoryStorage, status } from "./kernel";
import { TestPage } from "./page";

async function started(
  kernel = new ExactlyOnceKernel(),
  page = new TestPage(),
): Promise<[TestPage, ExactlyOnceKernel]> {
  page.labeller.start();
  await page.exchange(kernel);
  return [page, kernel];
}

function last(page: TestPage): FromPage | undefined {
  return page.sent.at(-1);
}

describe("an answer", () => {
  test("shows the next item before anything comes back, and is sent with the time on the screen", async () => {
    const [page] = await started();
    page.now += 1_500;
    expect(page.labeller.label("cat")).toBe(true);
    expect(page.item).toBe("item 1");
    expect(last(page)).toMatchObject({
      kind: "answer",
      rid: "c0-0",
      client: "c0",
      seq: 0,
      event_id: "c0-0",
      item_id: "item 0",
      answer: "label",
      value: "cat",
      token: "token item 0",
      elapsed_ms: 1_500,
      model_shown: true,
      have: Array.from({ length: 9 }, (_, i) => `item ${i + 1}`),
    });
    expect(page.labeller.link.unsaved.peek()).toBe(1);
  });

  test("is saved, and told so once, when its ack comes twice", async () => {
    const [page, kernel] = await started();
    const saved: string[] = [];
    page.labeller.saved.add(({ event_id }) => saved.push(event_id));
    page.labeller.label("cat");
    const message = page.sent.shift();
    const replies = message == null ? [] : [...kernel.handle(message), ...kernel.handle(message)];
    for (const reply of replies) page.labeller.receive(reply, []);
    expect(saved).toEqual(["c0-0"]);
    expect(page.told).toEqual(["c0-0"]);
    expect(page.labeller.link.unsaved.peek()).toBe(0);
  });

  test("is refused by the page while its picture has not been drawn", async () => {
    const kernel = new ExactlyOnceKernel();
    const page = new TestPage();
    page.labeller.start();
    const hello = page.sent.shift();
    for (const reply of hello == null ? [] : kernel.handle(hello)) page.labeller.receive(reply, BYTES);
    expect(page.labeller.label("cat")).toBe(false);
    await page.draw();
    expect(page.labeller.label("cat")).toBe(true);
    expect(page.labeller.label("cat")).toBe(false);
  });

  test("records that the model's opinion was in sight, also when it was hidden in the end", async () => {
    const [page] = await started();
    page.labeller.toggleOpinion();
    page.labeller.label("cat");
    expect(last(page)).toMatchObject({ item_id: "item 0", model_shown: true });
    await page.draw();
    page.labeller.label("cat");
    expect(page.sent.filter(({ kind }) => kind === "answer").at(-1)).toMatchObject({
      item_id: "item 1",
      model_shown: false,
    });
  });

  test("that the kernel refuses for good stays in the strip until it is dismissed", async () => {
    const [page, kernel] = await started();
    kernel.refuse.add("item 0");
    page.labeller.label("cat");
    await page.exchange(kernel);
    const [line] = page.labeller.notices.list.peek();
    expect(line).toMatchObject({ severity: "error", key: "c0-0" });
    expect(line?.message).toContain("not a class");
    expect(page.storage?.length).toBe(1);
    expect(page.labeller.link.unsaved.peek()).toBe(0);
    page.labeller.dismiss("c0-0");
    expect(page.storage?.length).toBe(0);
    expect(page.labeller.notices.list.peek()).toEqual([]);
  });

  test("that the disk could not take now is sent again later", async () => {
    const [page, kernel] = await started();
    page.labeller.label("cat");
    const [message] = page.sent.splice(0);
    const error = { type: "StoreFullError", message: "no space left", retry: true };
    page.labeller.receive({ kind: "reply", rid: message?.rid, ok: false, error }, []);
    expect(page.labeller.notices.list.peek()[0]?.message).toContain("no space left");
    for (let s = 0; s < 3; s += 1) page.pass(1_000);
    expect(page.labeller.link.connection.peek()).toBe("ok");
    expect(page.sent).toEqual([]);
    page.pass(1_000);
    await page.exchange(kernel);
    expect(kernel.labels().get("item 0")).toBe("cat");
    expect(page.labeller.notices.list.peek()).toEqual([]);
  });

  test("is not asked again by a push that was made before it arrived", async () => {
    const [page, kernel] = await started();
    page.labeller.label("cat");
    const push = {
      kind: "queue",
      rev: 50,
      replace: true,
      keep: [],
      drop: [],
      entries: [entry("item 0"), entry("item 9")],
    };
    page.labeller.receive(push, BYTES);
    expect(page.labeller.shown.peek()?.entry.item_id).toBe("item 1");
    await page.exchange(kernel);
    page.labeller.receive({ ...push, rev: 51 }, BYTES);
    await page.draw();
    page.labeller.label("dog");
    await page.draw();
    expect(page.item).toBe("item 9");
    // Much later the kernel means it.
    page.now += 60_000;
    page.labeller.receive({ ...push, rev: 52, entries: [entry("item 0")] }, BYTES);
    page.labeller.label("dog");
    await page.draw();
    expect(page.item).toBe("item 0");
  });

  test("is not asked again at once in a page that has been open for long", async () => {
    const kernel = new ExactlyOnceKernel();
    const [page] = await started(kernel, new TestPage("c0", new MemoryStorage(), "ann", 3_600_000));
    page.labeller.label("cat");
    await page.exchange(kernel);
    const push = {
      kind: "queue",
      rev: 50,
      replace: true,
      keep: [],
      drop: [],
      entries: [entry("item 0"), entry("item 9")],
    };
    page.labeller.receive(push, BYTES);
    page.labeller.label("dog");
    await page.draw();
    expect(page.item).toBe("item 9");
  });
});

describe("undo and redo", () => {
  test("bring the item back and take it away again, across items", async () => {
    const [page, kernel] = await started();
    page.labeller.label("cat");
    await page.draw();
    page.labeller.label("dog");
    await page.draw();
    page.labeller.undo();
    await page.draw();
    expect(page.item).toBe("item 1");
    page.labeller.undo();
    await page.draw();
    expect(page.item).toBe("item 0");
    page.labeller.redo();
    await page.draw();
    expect(page.item).toBe("item 1");
    await page.exchange(kernel);
    expect([...kernel.labels()]).toEqual([["item 0", "cat"]]);
    page.labeller.label("cat");
    await page.exchange(kernel);
    expect([...kernel.labels()]).toEqual([
      ["item 0", "cat"],
      ["item 1", "cat"],
    ]);
    expect(page.labeller.history.peek().canRedo).toBe(false);
  });

  test("keep an undone item at hand when a new ranking sweeps the window", async () => {
    const [page, kernel] = await started();
    page.labeller.label("cat");
    await page.exchange(kernel);
    page.labeller.undo();
    await page.exchange(kernel);
    page.labeller.open(null);
    const push = {
      kind: "queue",
      rev: 99,
      replace: true,
      keep: [],
      drop: ["item 0"],
      entries: [entry("item 7")],
    };
    page.labeller.receive(push, BYTES);
    await page.draw();
    expect(page.item).toBe("item 0");
  });

  test("fetch an item of an earlier session before it can be answered", async () => {
    const kernel = new ExactlyOnceKernel();
    const [first] = await started(kernel, new TestPage("c0"));
    first.labeller.label("cat");
    await first.exchange(kernel);
    const [page] = await started(kernel, new TestPage("c1"));
    page.labeller.undo();
    expect(page.item).toBe("item 0");
    expect(page.labeller.label("dog")).toBe(false);
    await page.exchange(kernel);
    expect(page.labeller.label("dog")).toBe(true);
    await page.exchange(kernel);
    expect(kernel.labels().get("item 0")).toBe("dog");
  });
});

describe("history", () => {
  test("that the kernel sends replaces what was given here and confirmed, but not what still waits", async () => {
    const [page, kernel] = await started();
    page.labeller.label("cat");
    await page.exchange(kernel);
    page.labeller.label("dog");
    page.labeller.olderHistory();
    const request = page.sent.find(({ kind }) => kind === "history");
    page.labeller.receive({ kind: "reply", rid: request?.rid, ok: true, history: [] }, []);
    expect(page.labeller.history.peek().rows.map(({ item_id }) => item_id)).toEqual(["item 1"]);
  });

  test("goes back, relabels, and returns to the item that is to be answered", async () => {
    const [page, kernel] = await started();
    for (const name of ["cat", "dog", "cat"]) {
      page.labeller.label(name);
      await page.exchange(kernel);
    }
    page.labeller.step(-1);
    page.labeller.step(-1);
    await page.draw();
    expect(page.item).toBe("item 1");
    expect(page.labeller.shown.peek()?.review?.value).toBe("dog");
    page.now += 10;
    page.labeller.label("cat");
    await page.exchange(kernel);
    expect(page.item).toBe("item 3");
    expect(kernel.labels().get("item 1")).toBe("cat");
    page.labeller.undo();
    await page.exchange(kernel);
    expect(page.labeller.shown.peek()?.review?.value).toBe("dog");
    expect(kernel.labels().get("item 1")).toBe("dog");
  });
});

describe("the line", () => {
  test("is offline when the kernel is dead, and delivers all when it is back", async () => {
    const [page, kernel] = await started();
    page.kernel = "dead";
    page.broken = true;
    for (const name of ["cat", "dog"]) {
      page.labeller.label(name);
      await page.draw();
    }
    page.pass(1_000);
    expect(page.labeller.phase.peek()).toBe("offline");
    expect(page.labeller.link.unsaved.peek()).toBe(2);
    page.kernel = "alive";
    page.broken = false;
    // Whoever restarted it says something first; else the page knocks.
    page.labeller.receive({ kind: "status", status: status({ rev: 500 }) }, []);
    await page.exchange(kernel);
    expect(page.labeller.phase.peek()).toBe("ready");
    expect([...kernel.labels()]).toEqual([
      ["item 0", "cat"],
      ["item 1", "dog"],
    ]);
  });

  test("is busy and not offline for as long as the host says so", async () => {
    const [page] = await started();
    page.kernel = "busy";
    page.labeller.label("cat");
    for (let s = 0; s < 60; s += 1) page.pass(1_000);
    expect(page.labeller.link.connection.peek()).toBe("busy");
    page.kernel = "unknown";
    page.pass(1_000);
    expect(page.labeller.link.connection.peek()).toBe("silent");
  });

  test("ignores a push for another page, and a status older than the one shown", async () => {
    const [page] = await started();
    page.labeller.receive(
      { kind: "queue", client: "other", rev: 99, replace: true, keep: [], drop: [], entries: [] },
      [],
    );
    page.labeller.label("cat");
    expect(page.item).toBe("item 1");
    page.labeller.receive({ kind: "status", status: status({ rev: 80, message: "new" }) }, []);
    page.labeller.receive({ kind: "status", status: status({ rev: 79, message: "old" }) }, []);
    expect(page.labeller.status.peek()?.message).toBe("new");
  });

  test("survives nonsense", async () => {
    const [page] = await started();
    for (const nonsense of [null, 3, "x", {}, { kind: "?" }, { kind: "reply", rid: "?", ok: true }]) {
      page.labeller.receive(nonsense, []);
    }
    expect(page.item).toBe("item 0");
  });
});

test("what the user did is what the kernel has, whatever the line does and however often the page is reloaded", async () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom("cat", "dog") },
    { weight: 1, arbitrary: fc.constantFrom("undo", "redo", "back", "forward", "skip") },
    { weight: 4, arbitrary: fc.record({ at: fc.nat(), fate: fc.constantFrom("deliver", "lose", "double") }) },
    { weight: 2, arbitrary: fc.constantFrom("wait", "replies") },
    { weight: 1, arbitrary: fc.constant("reload") },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const kernel = new ExactlyOnceKernel();
      const storage = new MemoryStorage();
      const made = new Map<string, Answer | Undo>();
      let n = 0;
      let page = new TestPage("c0", storage);
      let replies: object[] = [];
      const note = (): void => {
        for (const message of page.sent) {
          if (message.kind === "answer" || message.kind === "undo") made.set(message.event_id, message);
        }
      };
      await started(kernel, page);
      for (const what of steps) {
        page.now += 37;
        if (what === "cat" || what === "dog") page.labeller.label(what);
        else if (what === "skip") page.labeller.skip();
        else if (what === "undo") page.labeller.undo();
        else if (what === "redo") page.labeller.redo();
        else if (what === "back") page.labeller.step(-1);
        else if (what === "forward") page.labeller.step(1);
        else if (what === "wait") page.pass(61_000);
        else if (what === "replies")
          for (const reply of replies.splice(0)) page.labeller.receive(reply, BYTES);
        else if (what === "reload") {
          note();
          n += 1;
          replies = [];
          page = new TestPage(`c${n}`, storage, "ann", page.now + 100);
          page.labeller.start();
        } else if (typeof what === "object" && page.sent.length > 0) {
          note();
          const at = what.at % page.sent.length;
          const message = page.sent[at];
          if (message != null && what.fate !== "lose") replies.push(...kernel.handle(message));
          if (what.fate !== "double") page.sent.splice(at, 1);
        }
        note();
        await page.draw();
      }
      for (const reply of replies) page.labeller.receive(reply, BYTES);
      for (let i = 0; i < 3; i += 1) {
        page.pass(61_000);
        await page.exchange(kernel);
      }
      const has = new Set([...kernel.events.values()].map(({ event_id }) => event_id));
      expect(has).toEqual(new Set(made.keys()));
      expect(kernel.events.size).toBe(made.size);
      expect(page.labeller.link.unsaved.peek()).toBe(0);
      expect([...storage.map.keys()].filter((key) => key.includes("outbox"))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

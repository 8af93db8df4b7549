import { beforeEach, describe, expect, test, vi } from "vitest";
import { KeyChoice } from "../src/core/keychoice";
import { Labeller } from "../src/core/labeller";
import { AUTO_LEVELS, type Levels } from "../src/core/pixels";
import { signal } from "../src/core/signal";
import type { ScreenPicture } from "../src/views/decode";
import { mountQuery } from "../src/views/query";
import type { FromPage } from "../src/wire";
import { BYTES, ExactlyOnceKernel, MemoryStorage, status } from "./kernel";

vi.mock("../src/views/style.css?text", () => ({ default: "" }));

const EVIL = '<img src=x onerror="alert(1)"><b>cat</b>';

class Room {
  readonly kernel = new ExactlyOnceKernel();
  readonly sent: FromPage[] = [];
  readonly stop = new AbortController();
  readonly labeller: Labeller<ScreenPicture>;
  readonly roots: HTMLElement[] = [];

  constructor(classes: readonly string[]) {
    const picture: ScreenPicture = {
      size: { width: 4, height: 4 },
      raw: true,
      source: () => document.createElement("canvas"),
      close: () => undefined,
    };
    this.labeller = new Labeller<ScreenPicture>({
      port: { send: (message) => this.sent.push(message as FromPage), kernel: () => "alive" },
      decode: async () => picture,
      storage: new MemoryStorage(),
      storeId: "s",
      annotator: "ann",
      client: "c0",
      showModel: true,
      classes,
      replaces: () => [],
      alive: () => new Set(),
      delivered: () => undefined,
      now: () => performance.now(),
      today: () => Date.now(),
      later: (run) => run(),
    });
    const keys = new KeyChoice(null, "s", this.labeller.classes, {});
    const state = {
      labeller: this.labeller,
      keys,
      title: signal(EVIL),
      annotator: signal(EVIL),
      height: signal(0),
      levels: signal<Levels>(AUTO_LEVELS),
    };
    for (let i = 0; i < 2; i += 1) this.roots.push(mountQuery(document.body, state, this.stop.signal));
  }

  get root(): HTMLElement {
    return this.roots[0] as HTMLElement;
  }

  find(selector: string): HTMLElement {
    const found = this.root.shadowRoot?.querySelector<HTMLElement>(selector);
    if (found == null) throw new Error(`no ${selector}`);
    return found;
  }

  press(key: string, over: KeyboardEventInit = {}): KeyboardEvent {
    const event = new KeyboardEvent("keydown", {
      key,
      bubbles: true,
      composed: true,
      cancelable: true,
      ...over,
    });
    this.root.dispatchEvent(event);
    return event;
  }

  /** happy-dom lays nothing out, so no canvas has a size: the test says that the picture was drawn. */
  async exchange(classes = this.labeller.classes.peek()): Promise<void> {
    while (this.sent.length > 0) {
      for (const reply of this.kernel.handle(this.sent.shift() as FromPage)) {
        const named =
          "status" in reply && reply.status != null
            ? { ...reply, status: { ...reply.status, classes: [...classes] } }
            : reply;
        this.labeller.receive(named, BYTES);
      }
    }
    for (let i = 0; i < 5; i += 1) await Promise.resolve();
    const shown = this.labeller.shown.peek();
    if (shown != null) this.labeller.drawn(shown.entry.item_id);
  }

  async start(): Promise<this> {
    this.labeller.start();
    await this.exchange();
    return this;
  }
}

describe("the query widget", () => {
  let room: Room;
  beforeEach(async () => {
    room?.stop.abort();
    document.body.replaceChildren();
    room = await new Room([EVIL, "dog"]).start();
  });

  test("shows names as text, whatever they hold", async () => {
    room.labeller.receive(
      {
        kind: "status",
        status: status({ rev: 900, classes: [EVIL, "dog"], message: EVIL }),
        problem: { severity: "error", message: EVIL },
      },
      [],
    );
    room.press("1");
    await new Promise((done) => setTimeout(done, 300));
    const shadow = room.root.shadowRoot as ShadowRoot;
    expect(shadow.querySelector("img, b")).toBeNull();
    expect(room.find('[data-al="problem"]').textContent).toContain(EVIL);
    expect(room.find("[data-al-class]").textContent).toContain(EVIL);
    expect(room.find("[data-al-class]").dataset["alClass"]).toBe(EVIL);
    expect(room.find("[data-al-history]").textContent).toBe(EVIL);
  });

  test("carries its hooks, in both views alike", async () => {
    for (const root of room.roots) {
      expect(root.dataset).toMatchObject({
        al: "query",
        alState: "ready",
        alItem: "item 0",
        alUnsaved: "0",
        lmSuppressShortcuts: "true",
      });
      expect(root.tabIndex).toBe(0);
    }
    expect(room.find('[data-al-class="dog"]').dataset["alKey"]).toBe("2");
    for (const action of "skip unsure undo redo back forward latest add-class hide-model zoom-in zoom-out fit levels keys help".split(
      " ",
    )) {
      expect(room.find(`[data-al-action="${action}"]`).tagName).toBe("BUTTON");
    }
    room.press("2");
    for (const root of room.roots) expect(root.dataset["alUnsaved"]).toBe("1");
    await room.exchange();
    for (const root of room.roots) expect(root.dataset).toMatchObject({ alUnsaved: "0", alItem: "item 1" });
  });

  test("keeps its keys from the notebook, and leaves the notebook's alone", () => {
    const heard: string[] = [];
    const listen = (event: KeyboardEvent): void => void heard.push(event.key);
    document.body.addEventListener("keydown", listen);
    expect(room.press("2").defaultPrevented).toBe(true);
    room.press("d");
    room.press("2", { repeat: true });
    expect(heard).toEqual([]);
    expect(room.press("s", { ctrlKey: true }).defaultPrevented).toBe(false);
    expect(room.press("Tab").defaultPrevented).toBe(false);
    expect(heard).toEqual(["s", "Tab"]);
    document.body.removeEventListener("keydown", listen);
  });

  test("answers by button, gives the focus back, and says what was done", async () => {
    room.find('[data-al-class="dog"]').click();
    expect(document.activeElement).toBe(room.root);
    expect(room.find('[aria-live="polite"]').textContent).toBe("Labelled item 0 as dog");
    await room.exchange();
    expect([...room.kernel.labels()]).toEqual([["item 0", "dog"]]);
  });

  test("tells when an answer is saved, through the shadow root and up", async () => {
    const saved: unknown[] = [];
    document.body.addEventListener("al:saved", (event) => saved.push((event as CustomEvent).detail), {
      once: true,
    });
    room.press("2");
    await room.exchange();
    expect(saved).toEqual([{ event_id: "c0-0", ms: expect.any(Number) }]);
  });

  test("finds one of many classes by typing", async () => {
    const many = Array.from({ length: 500 }, (_, i) => `species ${String(i).padStart(3, "0")}`);
    room.labeller.receive({ kind: "status", status: status({ rev: 900, classes: many }) }, []);
    const input = room.find('[data-al="search"]') as HTMLInputElement;
    input.value = "77";
    input.dispatchEvent(new Event("input"));
    const options = [...(room.root.shadowRoot?.querySelectorAll<HTMLElement>('[role="option"]') ?? [])];
    expect(options.map((option) => option.dataset["alClass"])).toEqual([
      "species 077",
      "species 177",
      "species 277",
      "species 377",
      "species 477",
    ]);
    const key = (name: string): boolean =>
      input.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, composed: true }));
    key("ArrowDown");
    key("Enter");
    await room.exchange(many);
    expect([...room.kernel.labels()]).toEqual([["item 0", "species 177"]]);
  });

  test("is gone with all its listeners when its view is", () => {
    room.stop.abort();
    expect(document.querySelector('[data-al="query"]')).toBeNull();
    expect(room.labeller.saved.size).toBe(0);
  });
});

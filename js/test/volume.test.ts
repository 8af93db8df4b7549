// The volume's labeller against a kernel that keeps a log: strokes, undo across sections, reload, a kernel that comes and goes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeKeymap } from "../src/core/keymap";
import { blank, lay } from "../src/core/mask/book";
import { IGNORED, UNLABELLED } from "../src/core/mask/values";
import { VOLUME_KEYS } from "../src/core/volume/keys";
import { VolumeLabeller } from "../src/core/volume/labeller";
import { firstDisplay, Settings } from "../src/core/volume/settings";
import { Studio } from "../src/core/volume/studio";
import { clamp, pan, ticks, whole, zoom } from "../src/core/volume/view";
import type {
  FromPage,
  Part,
  SectionState,
  Stroke,
  StrokeRow,
  VolumeAnswer,
  VolumeInfo,
  VolumeReply,
} from "../src/volume-wire";
import type { Undo } from "../src/wire";
import { MemoryStorage, status } from "./kernel";

const INFO: VolumeInfo = {
  name: "v",
  sections: 5,
  rows: 6,
  columns: 8,
  dtype: "int16",
  flavour: "radar",
  axes: [
    { name: "line", unit: "m", step: 0.5, origin: 0, ends: [] },
    { name: "time", unit: "ns", step: 0.2, origin: 0, ends: [] },
    { name: "distance", unit: "m", step: 0.05, origin: 0, ends: [] },
  ],
  lengths: null,
  low: -100,
  high: 100,
  time_zero: 1,
  velocity_m_per_ns: 0.1,
};

type Event = Stroke | VolumeAnswer | Undo;

/** The log, and masks as a pure fold over it. */
class LogKernel {
  readonly events = new Map<string, Event>();
  refuse = "";
  wants: "section" | "region" = "section";
  readonly asked: number[][] = [];

  stands(eventId: string): boolean {
    for (const event of this.events.values())
      if (event.kind === "undo" && event.target === eventId && this.stands(event.event_id)) return false;
    return true;
  }

  state(item_id: string): SectionState {
    const raster = blank(INFO.rows, INFO.columns);
    const strokes = [...this.events.values()].filter(
      (event): event is Stroke => event.kind === "stroke" && this.stands(event.event_id),
    );
    strokes.sort((a, b) => a.answered_at_ms - b.answered_at_ms || a.seq - b.seq);
    for (const { value } of strokes)
      for (const part of value.parts) if (part.item_id === item_id) lay(raster, part);
    const said = [...this.events.values()].findLast(
      (event): event is VolumeAnswer =>
        event.kind === "answer" && event.item_id === item_id && this.stands(event.event_id),
    );
    const parts: Part[] = [];
    raster.pixels.forEach((value, i) => {
      const box = [Math.floor(i / INFO.columns), i % INFO.columns, 1, 1];
      if (value !== UNLABELLED) parts.push({ item_id, value, box, runs: "01" });
    });
    return {
      item_id,
      parts,
      finished: said?.answer === "label",
      rest: said?.finished?.rest ?? null,
      answer: said?.answer ?? "",
      measures: false,
    };
  }

  states(): SectionState[] {
    return [...Array(INFO.sections).keys()].map((i) => this.state(`v/${i}`));
  }

  history(): StrokeRow[] {
    return [...this.events.values()].flatMap((event): StrokeRow[] => {
      if (event.kind === "undo") return [];
      const { event_id, item_id, answered_at_ms } = event;
      const undone = !this.stands(event_id);
      const stroke = event.kind === "stroke";
      return [
        {
          event_id,
          item_id,
          kind: stroke ? "stroke" : event.answer,
          tool: stroke ? event.value.tool : null,
          items: stroke ? [...new Set(event.value.parts.map((part) => part.item_id))] : [item_id],
          answered_at_ms,
          undone,
        },
      ];
    });
  }

  handle(message: FromPage): [VolumeReply, DataView[]] {
    const reply: VolumeReply = { kind: "reply", rid: message.rid, ok: true };
    if (message.kind === "stroke" || message.kind === "answer" || message.kind === "undo") {
      if (this.refuse === message.event_id)
        return [
          { ...reply, ok: false, error: { type: "TaskError", message: "not a class", retry: false } },
          [],
        ];
      const duplicate = this.events.has(message.event_id);
      this.events.set(message.event_id, structuredClone(message));
      reply.ack = { event_id: message.event_id, duplicate, durable_ms: 1 };
      reply.wants = this.wants;
      if (message.kind === "undo") reply.states = this.states();
    } else if (message.kind === "hello") {
      Object.assign(reply, {
        states: this.states(),
        history: this.history(),
        proposal: null,
        status: status(),
        wants: this.wants,
      });
    } else if (message.kind === "sections") {
      const indices = message.item_ids.map((item) => Number.parseInt(item.slice(2), 10));
      this.asked.push(indices);
      reply.sections = message.item_ids.map((item_id, buffer) => {
        return { item_id, index: indices[buffer] ?? 0, rows: INFO.rows, columns: INFO.columns, buffer };
      });
      const bytes = message.item_ids.map((item, i) =>
        new Int16Array(INFO.rows * INFO.columns).fill(item.includes("~") ? 90 : (indices[i] ?? 0) + 1),
      );
      return [reply, bytes.map(({ buffer }) => new DataView(buffer))];
    } else if (message.kind === "states") {
      reply.states = message.item_ids.map((item) => this.state(item));
    }
    return [reply, []];
  }
}

class Page {
  now = 1_000;
  readonly sent: FromPage[] = [];
  /** Questions for what comes next: a test answers them. */
  readonly asked: FromPage[] = [];
  readonly labeller: VolumeLabeller;

  constructor(
    readonly client = "c0",
    readonly storage = new MemoryStorage(),
    startAt = 1_000,
  ) {
    this.now = startAt;
    this.labeller = new VolumeLabeller({
      info: INFO,
      port: {
        send: (message) => this.sent.push(structuredClone(message) as FromPage),
        kernel: () => "alive",
      },
      storage,
      storeId: "store",
      annotator: "ann",
      client,
      showModel: true,
      classes: ["soil", "mine", "root"],
      recipe: () => '{"colours":"grey"}',
      velocity: () => null,
      replaces: () => [],
      alive: () => new Set(),
      delivered: () => undefined,
      now: () => this.now,
      today: () => 1_700_000_000_000 + this.now,
      later: (run) => run(),
    });
  }

  /** Delivers all that was sent. */
  exchange(kernel: LogKernel): void {
    for (let message = this.sent.shift(); message != null; message = this.sent.shift()) {
      if (message.kind === "next" && kernel.wants === "region") this.asked.push(message);
      else this.labeller.receive(...kernel.handle(message));
    }
    this.labeller.drawn(this.labeller.index.peek());
  }

  begin(kernel: LogKernel): this {
    this.labeller.start();
    this.exchange(kernel);
    return this;
  }

  /** Paints one row of the section on the screen. */
  paint(row: number, value: number): boolean {
    this.now += 10;
    const item = this.labeller.item;
    return this.labeller.stroke(
      "brush",
      [{ item_id: item, value, box: [row, 0, 1, INFO.columns], runs: "08" }],
      null,
    );
  }

  row(index: number, row: number): number {
    return this.labeller.mask(index).pixels[row * INFO.columns] ?? -1;
  }
}

describe("labelling a volume", () => {
  test("the section on the screen is fetched first, then those around it", () => {
    const kernel = new LogKernel();
    const page = new Page();
    page.labeller.start();
    page.labeller.look(3);
    page.exchange(kernel);
    expect(kernel.asked[0]).toEqual([3]);
    expect(kernel.asked.flat().sort()).toEqual([0, 1, 2, 3, 4]);
    expect(page.labeller.sections.grid(2)?.values[0]).toBe(3);
  });

  test("a stroke is in the mask at once, durable in the browser, and waits for nobody", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    expect(page.paint(1, 1)).toBe(true);
    expect(page.row(0, 1)).toBe(1);
    expect(page.labeller.link.unsaved.peek()).toBe(1);
    expect(page.storage.length).toBe(1);
    page.exchange(kernel);
    expect(page.labeller.link.unsaved.peek()).toBe(0);
    expect(kernel.events.get("c0-0")).toMatchObject({
      item_id: "v/0",
      value: { tool: "brush", recipe: '{"colours":"grey"}' },
      elapsed_ms: 10,
    });
  });

  test("what was not drawn on the screen cannot be labelled", () => {
    const page = new Page();
    page.labeller.start();
    expect(page.paint(1, 1)).toBe(false);
    page.labeller.finish(0);
    expect(page.labeller.history.peek().canUndo).toBe(false);
  });

  test("undo and redo go from section to section; a new stroke ends redo", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    page.paint(0, 1);
    page.labeller.look(2);
    page.exchange(kernel);
    page.paint(0, 2);
    page.labeller.look(4);
    page.exchange(kernel);
    page.labeller.undo();
    expect(page.labeller.index.peek()).toBe(2);
    expect(page.row(2, 0)).toBe(UNLABELLED);
    page.exchange(kernel);
    page.labeller.undo();
    page.exchange(kernel);
    expect([page.labeller.index.peek(), page.row(0, 0)]).toEqual([0, UNLABELLED]);
    page.labeller.redo();
    page.exchange(kernel);
    expect(page.row(0, 0)).toBe(1);
    page.paint(3, 1);
    expect(page.labeller.history.peek().canRedo).toBe(false);
    page.exchange(kernel);
    expect(kernel.state("v/2").parts).toEqual([]);
  });

  test("an older page's stroke is taken back when the kernel says what was below it", () => {
    const kernel = new LogKernel();
    const before = new Page("old").begin(kernel);
    before.paint(0, 2);
    before.paint(0, 1);
    before.exchange(kernel);
    const page = new Page("new", new MemoryStorage(), 5_000).begin(kernel);
    expect(page.row(0, 0)).toBe(1);
    page.labeller.undo();
    page.exchange(kernel);
    expect(page.row(0, 0)).toBe(2);
    page.labeller.redo();
    page.exchange(kernel);
    page.now += 1_000;
    page.labeller.tick();
    page.exchange(kernel);
    expect(page.row(0, 0)).toBe(1);
  });

  test("strokes that nobody took are drawn and sent again after a reload", () => {
    const kernel = new LogKernel();
    const lost = new Page("old").begin(kernel);
    lost.paint(2, 1);
    lost.sent.length = 0; // the kernel died
    const page = new Page("new", lost.storage, 9_000).begin(kernel);
    expect(page.row(0, 2)).toBe(1);
    expect([...kernel.events.keys()]).toEqual(["old-0"]);
    expect(page.storage.length).toBe(0);
  });

  test("what another view says is here at once, and undone from here; a push from before our own stroke is asked for again", () => {
    const kernel = new LogKernel();
    const one = new Page("one").begin(kernel);
    const two = new Page("two", new MemoryStorage(), 2_000).begin(kernel);
    const push = (seq: number, history = kernel.history()): object =>
      structuredClone({ kind: "states", client: "two", seq, states: kernel.states(), history });
    one.paint(0, 1);
    one.labeller.finish(0);
    one.exchange(kernel);
    two.labeller.receive(push(-1), []);
    expect([two.row(0, 0), two.labeller.verdict(0)]).toEqual([
      1,
      { finished: true, rest: 0, answer: "label", measures: false },
    ]);

    const early = push(-1);
    two.paint(3, 2);
    two.exchange(kernel);
    two.labeller.receive(early, []);
    expect(two.row(0, 3)).toBe(2);
    two.exchange(kernel);
    expect([two.row(0, 0), two.row(0, 3)]).toEqual([1, 2]);

    two.labeller.undo(); // its own, the newest
    two.labeller.undo(); // that of the other view: finished
    expect(two.labeller.verdict(0).finished).toBe(false);
    two.labeller.undo();
    two.exchange(kernel);
    two.now += 1_000;
    two.labeller.tick();
    two.exchange(kernel);
    expect([two.row(0, 0), two.row(0, 3)]).toEqual([UNLABELLED, UNLABELLED]);
    one.labeller.receive({ ...push(99), client: "one" }, []);
    expect([one.row(0, 0), one.labeller.verdict(0).finished]).toEqual([UNLABELLED, false]);
    expect(one.labeller.history.peek().canUndo).toBe(false);
  });

  test("a refused stroke leaves the mask, with a sentence", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    kernel.refuse = "c0-0";
    page.paint(2, 1);
    page.exchange(kernel);
    expect(page.row(0, 2)).toBe(UNLABELLED);
    expect(page.labeller.notices.list.peek()[0]?.message).toBe(
      "A stroke (brush) on v/0 was refused: not a class",
    );
  });

  test("nothing replaces the mask while a stroke is drawn into it", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    page.paint(0, 1);
    page.exchange(kernel);
    page.labeller.drawing = true;
    page.labeller.mask(0).pixels[20] = 2;
    page.labeller.receive({ kind: "reply", rid: "none", ok: true }, []);
    page.labeller.undo();
    const reply = kernel.handle(page.sent.shift() as FromPage);
    page.labeller.mask(0).pixels[20] = 2;
    page.labeller.receive(...reply);
    expect(page.labeller.mask(0).pixels[20]).toBe(2);
    page.labeller.giveUp();
    expect(page.labeller.mask(0).pixels[20]).toBe(UNLABELLED);
  });

  test("finish, skip and their undo: the newest word holds", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    page.labeller.finish(0);
    expect(page.labeller.verdict(0)).toEqual({ finished: true, rest: 0, answer: "label", measures: false });
    page.exchange(kernel);
    page.labeller.undo();
    expect(page.labeller.verdict(0).finished).toBe(false);
    page.exchange(kernel);
    page.labeller.skip("bad");
    page.exchange(kernel);
    expect(page.labeller.verdict(0).answer).toBe("skip");
    expect(kernel.state("v/0")).toMatchObject({ finished: false, answer: "skip" });
    const again = new Page("c1", new MemoryStorage(), 9_000).begin(kernel);
    expect(again.labeller.verdict(0).answer).toBe("skip");
    again.labeller.undo();
    expect(again.labeller.verdict(0).answer).toBe("");
  });

  test("who finishes what is asked before there is another question gets one that knows of the answer", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    page.labeller.finish(0);
    expect(page.sent.map(({ kind }) => kind)).toEqual(["answer"]);
    const [message] = page.sent.splice(0);
    page.labeller.receive(...kernel.handle(message as FromPage));
    expect(page.sent.at(-1)).toMatchObject({ kind: "next", want: "section" });
  });

  describe("a region", () => {
    const parts = [1, 2].map((n) => ({ item_id: `v/${n}`, value: 1, box: [1, 1, 2, 2], runs: "04" }));
    const proposal = (n: number): object => ({
      item_id: "v/2",
      index: 2,
      token: `t${n}`,
      strategy: "region",
      reason: "odd",
      round: 0,
      probabilities: [],
      region: { region_id: `r${n}`, box: [1, 1, 1, 2, 2, 2], parts, p: 0.5 },
    });
    const wanting = (): [LogKernel, Page, VolumeLabeller["asking"]] => {
      const kernel = new LogKernel();
      kernel.wants = "region";
      const page = new Page().begin(kernel);
      return [kernel, page, page.labeller.asking];
    };
    const answer = (page: Page, kernel: LogKernel, n: number): void => {
      const request = page.asked.shift();
      expect(request).toMatchObject({ kind: "next", want: "region" });
      page.labeller.receive({ kind: "reply", rid: request?.rid, ok: true, proposal: proposal(n) }, []);
      page.exchange(kernel);
    };

    test("is offered when the session wants it, and asked about when the annotator does, as long as the session", () => {
      const [kernel, page, asking] = wanting();
      expect(page.asked).toEqual([]);
      expect(asking.phase.peek()).toBe("offer");
      page.labeller.look(1);
      page.exchange(kernel);
      page.labeller.skip();
      page.exchange(kernel);
      expect(page.asked.splice(0)).toMatchObject([{ want: "section" }]);
      asking.choose("region");
      page.exchange(kernel);
      expect(asking.phase.peek()).toBe("seeking");
      answer(page, kernel, 1);
      expect([asking.phase.peek(), page.labeller.index.peek()]).toEqual(["question", 2]);
      page.labeller.judge(1);
      expect(page.asked).toEqual([]); // not before the kernel has heard the answer
      page.exchange(kernel);
      answer(page, kernel, 2);
      kernel.wants = "section";
      page.labeller.judge(0);
      page.exchange(kernel);
      expect([asking.phase.peek(), asking.chosen.peek()]).toEqual(["", null]);
    });

    test("that was offered can be left alone", () => {
      const [kernel, page, asking] = wanting();
      asking.leaveRegion();
      expect(asking.phase.peek()).toBe("");
      page.labeller.finish(0);
      page.exchange(kernel);
      expect(asking.phase.peek()).toBe("");
      expect(page.asked).toMatchObject([{ want: "section" }]);
    });

    test("is asked about no more once somebody paints, and one that comes late is not shown", () => {
      for (const late of [false, true]) {
        const [kernel, page, asking] = wanting();
        asking.choose("region");
        page.exchange(kernel);
        if (!late) answer(page, kernel, 1);
        page.paint(0, 1);
        expect(asking.phase.peek()).toBe("");
        if (late) answer(page, kernel, 1);
        expect([asking.region.peek(), page.labeller.index.peek()]).toEqual([null, late ? 0 : 2]);
      }
    });

    test("comes back where it was when its answer is undone, and the next one does not come", () => {
      const [kernel, page, asking] = wanting();
      asking.choose("region");
      page.exchange(kernel);
      answer(page, kernel, 1);
      page.labeller.judge(1);
      page.exchange(kernel);
      expect([...kernel.events.values()].at(-1)?.item_id).toBe("v/2");
      page.labeller.look(0);
      page.labeller.undo();
      expect(page.labeller.announcement.peek()).toBe("Undone: region on v/2");
      expect([page.labeller.index.peek(), asking.region.peek()?.region_id]).toEqual([2, "r1"]);
      page.exchange(kernel);
      answer(page, kernel, 2); // was asked before the undo
      expect(asking.region.peek()?.region_id).toBe("r1");
      page.labeller.redo();
      expect(asking.region.peek()).toBeNull();
    });
  });

  test("what a model expected goes with it", () => {
    const page = new Page().begin(new LogKernel());
    const told = (round: number, rev: number): void =>
      page.labeller.receive({ kind: "status", status: { ...status(), round, rev } }, []);
    const expects = (round: number): void => {
      const prediction = {
        ...{ item_id: "v/0", index: 0, round, strokes: round, stride: 1, rows: 1, columns: 1 },
        ...{ classes_buffer: 0, doubt_buffer: 0 },
      };
      page.labeller.receive({ kind: "prediction", client: "c0", prediction }, [
        new DataView(new Uint8Array(1).buffer),
      ]);
    };
    expects(1); // comes before the round is announced
    told(1, 101);
    expect(page.labeller.expected(0)?.round).toBe(1);
    expects(2); // of a stroke made meanwhile
    told(0, 102);
    expect(page.labeller.expected(0)?.round).toBe(2);
    told(2, 103);
    told(0, 104);
    expect(page.labeller.expected(0)).toBeNull();
  });

  test("a region is judged with a class or left as ignored, and its pixels are those the kernel makes", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    page.labeller.asking.next("region");
    const request = page.sent.at(-1);
    const parts = [{ item_id: "v/2", value: 1, box: [1, 1, 2, 2], runs: "04" }];
    const region = { region_id: "r1", box: [2, 1, 1, 1, 2, 2], parts, p: 0.6 };
    page.sent.pop();
    page.labeller.receive(
      {
        kind: "reply",
        rid: request?.rid,
        ok: true,
        proposal: {
          item_id: "v/2",
          index: 2,
          token: "t",
          strategy: "region",
          reason: "",
          round: 1,
          region,
          probabilities: [],
        },
      },
      [],
    );
    expect(page.labeller.index.peek()).toBe(2);
    page.labeller.drawn(2);
    page.labeller.judge(1);
    expect(page.labeller.mask(2).pixels[9]).toBe(1);
    const answer = page.sent.find((message): message is VolumeAnswer => message.kind === "answer");
    expect(answer).toMatchObject({
      answer: "label",
      region: { region_id: "r1", value: 1 },
      token: "t",
      item_id: "v/2",
    });
    page.labeller.undo();
    expect(page.labeller.mask(2).pixels[9]).toBe(UNLABELLED);
    page.labeller.asking.region.set(region);
    page.labeller.unsure();
    expect(page.labeller.mask(2).pixels[9]).toBe(IGNORED);
  });

  test("a picture in the place of a section is labelled as itself, until it is answered; undo brings it back", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    const guest = "v/3~0a1b2c3d";
    const push = (item_id: string, index: number): void => {
      const proposal = { item_id, index, token: "t", strategy: "auto", reason: "", round: 1, region: null };
      page.labeller.receive(
        {
          kind: "proposal",
          client: "c0",
          rev: 1,
          utilities: [],
          proposal: { ...proposal, probabilities: [] },
        },
        [],
      );
      page.exchange(kernel);
    };
    push(guest, 3);
    expect(page.labeller.sections.grid(3)?.values[0]).toBe(90);
    expect(page.labeller.nameOf(3)).toBe("v/3");
    page.labeller.asking.next("section");
    page.exchange(kernel);
    expect(page.labeller.item).toBe(guest);
    page.paint(1, 1);
    push("v/1", 1); // on the screen it stays
    expect(page.labeller.item).toBe(guest);
    page.labeller.finish(0);
    expect(page.labeller.announcement.peek()).not.toContain("~");
    page.exchange(kernel);
    expect(kernel.state(guest)).toMatchObject({ finished: true, rest: 0 });
    expect(kernel.state("v/3")).toMatchObject({ finished: false, parts: [] });
    expect(page.labeller.idOf(3)).toBe("v/3");
    expect(page.labeller.sections.grid(3)?.values[0]).toBe(4);
    expect(page.row(3, 1)).toBe(UNLABELLED);

    page.labeller.undo();
    page.exchange(kernel);
    expect([page.labeller.index.peek(), page.labeller.item]).toEqual([3, guest]);
    expect(page.row(3, 1)).toBe(1);
    expect(page.labeller.sections.grid(3)?.values[0]).toBe(90);
    page.labeller.redo();
    page.exchange(kernel);
    expect(page.labeller.item).toBe("v/3");
  });

  test("a picture that is asked for no more leaves, and one in the way of a region does", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    const ask = (item_id: string, index: number, region: object | null = null): void => {
      page.labeller.asking.next(region == null ? "section" : "region", "random");
      const request = page.sent.pop();
      const proposal = { item_id, index, token: "t", strategy: "auto", reason: "", round: 1, region };
      page.labeller.receive(
        { kind: "reply", rid: request?.rid, ok: true, proposal: { ...proposal, probabilities: [] } },
        [],
      );
      page.exchange(kernel);
    };
    ask("v/2~00000001", 2);
    expect(page.labeller.item).toBe("v/2~00000001");
    page.labeller.look(0);
    page.exchange(kernel);
    ask("v/4", 4);
    expect(page.labeller.idOf(2)).toBe("v/2");
    ask("v/2~00000001", 2);
    ask("v/2", 2, { region_id: "r", box: [1, 1, 1, 3, 2, 2], parts: [], p: 0.5 });
    expect(page.labeller.idOf(2)).toBe("v/2");
    expect(page.labeller.sections.grid(2)?.values[0]).toBe(3);
  });

  test("an older opinion never replaces a newer one", () => {
    const page = new Page().begin(new LogKernel());
    const push = (strokes: number, round: number, value: number): void => {
      const maps = new Uint8Array(12).fill(value).buffer;
      const prediction = {
        item_id: "v/1",
        index: 1,
        round,
        strokes,
        stride: 2,
        rows: 3,
        columns: 4,
        classes_buffer: 0,
        doubt_buffer: 0,
      };
      page.labeller.receive({ kind: "prediction", prediction }, [new DataView(maps)]);
    };
    push(4, 2, 7);
    push(3, 9, 8);
    expect(page.labeller.expected(1)?.classes[0]).toBe(7);
    push(4, 3, 9);
    expect(page.labeller.expected(1)?.classes[0]).toBe(9);
  });

  test("whatever is painted, undone, redone, lost and delivered twice: page and kernel agree in the end", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("paint" as const),
        row: fc.nat(5),
        value: fc.constantFrom(0, 1, 2, 254, 255),
      }),
      fc.record({
        kind: fc.constantFrom(
          "undo" as const,
          "redo" as const,
          "deliver" as const,
          "reload" as const,
          "double" as const,
        ),
      }),
      fc.record({ kind: fc.constant("look" as const), index: fc.nat(4) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const kernel = new LogKernel();
        let page = new Page("p0").begin(kernel);
        steps.forEach((action, i) => {
          page.now += 50;
          if (action.kind === "paint") page.paint(action.row, action.value);
          else if (action.kind === "undo") page.labeller.undo();
          else if (action.kind === "redo") page.labeller.redo();
          else if (action.kind === "look") page.labeller.look(action.index);
          else if (action.kind === "deliver") page.exchange(kernel);
          else if (action.kind === "double") page.sent.push(...structuredClone(page.sent));
          else page = new Page(`p${i + 1}`, page.storage, page.now + 100).begin(kernel);
          page.labeller.drawn(page.labeller.index.peek());
        });
        for (let i = 0; i < 4; i += 1) {
          page.now += 5_000;
          page.labeller.tick();
          page.exchange(kernel);
        }
        expect(page.labeller.link.unsaved.peek()).toBe(0);
        for (let index = 0; index < INFO.sections; index += 1) {
          const truth = blank(INFO.rows, INFO.columns);
          for (const part of kernel.state(`v/${index}`).parts) lay(truth, part);
          expect([...page.labeller.mask(index).pixels]).toEqual([...truth.pixels]);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("settings and studio", () => {
  test("settings are kept, and what another version kept is taken as far as it fits", () => {
    const storage = new MemoryStorage();
    const settings = new Settings(storage, "s", INFO);
    settings.process({ gain: "agc", dewow_ns: 4 });
    settings.take({ radius: 21 });
    const again = new Settings(storage, "s", INFO);
    expect(again.display.peek().process).toMatchObject({ gain: "agc", dewow_ns: 4 });
    expect(again.hand.peek().radius).toBe(21);
    storage.setItem("al_widgets:volume:s", '{"display":{"range":3,"turned":"yes","percent":null},"hand":7}');
    const odd = new Settings(storage, "s", INFO);
    expect(odd.display.peek()).toEqual({ ...firstDisplay(INFO), percent: null });
    expect(JSON.parse(odd.recipe())).toMatchObject({
      process: { background: "mean" },
      colours: "grey",
      time_zero: 1,
    });
  });

  test("the kernel is told what depths are told by; what it knows better later is not overruled", () => {
    const storage = new MemoryStorage();
    const settings = new Settings(storage, "s", INFO);
    const told: number[] = [];
    settings.onVelocity = (velocity) => told.push(velocity);
    settings.show({ percent: 90 });
    expect(settings.velocity()).toBeNull();
    settings.show({ velocity_m_per_ns: 0.08 });
    expect(new Settings(storage, "s", INFO).velocity()).toBe(0.08);
    const better = new Settings(storage, "s", { ...INFO, velocity_m_per_ns: 0.06 });
    expect(better.display.peek()).toMatchObject({ percent: 90, velocity_m_per_ns: 0.06 });
    settings.reset();
    expect(told).toEqual([0.08, 0.1]);
  });

  test("the section on the screen is processed first, the others behind it; the data stay", () => {
    const kernel = new LogKernel();
    const page = new Page().begin(kernel);
    const settings = new Settings(null, "s", INFO);
    const studio = new Studio(page.labeller.sections, settings, () => 0);
    studio.show(2);
    expect(studio.current.peek()?.index).toBe(2);
    expect(studio.current.peek()?.grid.values.every((value) => value === 0)).toBe(true); // the mean is taken out
    while (studio.pending.peek()) studio.step();
    expect([0, 1, 2, 3, 4].map((i) => studio.values(i)?.samples[0])).toEqual([0, 0, 0, 0, 0]);
    settings.process({ background: "none" });
    studio.show(2);
    expect(studio.current.peek()?.grid.values[0]).toBe(3);
    expect(studio.values(4)?.samples[0]).toBe(5);
  });
});

describe("the view", () => {
  const image = { width: 400, height: 100 };
  const room = { width: 800, height: 300 };
  test("a radar section fills its room, each way for itself; a slice of a body keeps its shape", () => {
    expect(whole(image, room, null)).toEqual({ sx: 2, sy: 3, x: 0, y: 0 });
    expect(whole(image, room, 1)).toEqual({ sx: 2, sy: 2, x: 0, y: 50 });
  });
  test("what is under the pointer stays there when it is zoomed, each way by its own factor", () => {
    const view = zoom(whole(image, room, null), { x: 2, y: 1 }, { x: 200, y: 90 }, image, room);
    expect(view).toEqual({ sx: 4, sy: 3, x: -200, y: 0 });
    expect(pan(view, -5_000, 50, image, room)).toEqual({ sx: 4, sy: 3, x: -800, y: 0 });
    expect(clamp({ sx: 1, sy: 1, x: 7, y: 7 }, image, room)).toEqual({ sx: 1, sy: 1, x: 200, y: 100 });
  });
  test("marks of an axis are round numbers within it, whichever way it runs", () => {
    expect(ticks(0.13, 0.01, 300, 80)).toEqual([1, 2, 3]);
    expect(ticks(5, -0.05, 100, 44)).toEqual([0, 5]);
    expect(ticks(0, 0, 100, 44)).toEqual([]);
  });
});

test("every command of the volume has a key, and no key has two", () => {
  const keys = Object.values(VOLUME_KEYS.commands).flat();
  expect(new Set(keys).size).toBe(keys.length);
  const { commands } = makeKeymap(["soil", "mine"], {}, VOLUME_KEYS);
  expect(new Set(commands.values())).toEqual(new Set(Object.keys(VOLUME_KEYS.commands)));
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Outbox } from "../src/core/outbox";
import type { Answer } from "../src/wire";
import { MemoryStorage } from "./kernel";

function answer(client: string, seq: number): Answer {
  const event_id = `${client}-${seq}`;
  return {
    kind: "answer",
    rid: event_id,
    client,
    seq,
    event_id,
    item_id: `item ${seq}`,
    answer: "label",
    value: "cat",
    note: "",
    token: "t",
    elapsed_ms: 1,
    shown_at_ms: 1,
    answered_at_ms: seq,
    model_shown: false,
    have: [],
    want: 6,
  };
}

describe("outbox", () => {
  test("sends an event at once, then again with growing pauses until it is settled", () => {
    const outbox = new Outbox(new MemoryStorage(), "s", "c", "ann");
    outbox.add(answer("c", outbox.nextSeq()));
    const sentAt: number[] = [];
    for (let now = 0; now < 200_000; now += 500) if (outbox.due(now).length > 0) sentAt.push(now);
    expect(sentAt).toEqual([0, 4_000, 12_000, 28_000, 60_000, 120_000, 180_000]);
    outbox.settle("c-0");
    expect(outbox.due(10_000_000)).toEqual([]);
  });

  test("keeps one storage key an event, below the store and the client", () => {
    const storage = new MemoryStorage();
    const outbox = new Outbox(storage, "store", "c", "ann");
    outbox.add(answer("c", 0));
    outbox.add(answer("c", 1));
    expect([...storage.map.keys()]).toEqual(["al_widgets:outbox:store:c:0", "al_widgets:outbox:store:c:1"]);
    outbox.settle("c-0");
    expect([...storage.map.keys()]).toEqual(["al_widgets:outbox:store:c:1"]);
  });

  test("adopts what an earlier page of the same annotator left, in order, and nobody else's", () => {
    const storage = new MemoryStorage();
    const before = new Outbox(storage, "store", "old", "ann");
    before.add(answer("old", 1));
    before.add(answer("old", 0));
    new Outbox(storage, "store", "other", "bob").add(answer("other", 0));
    new Outbox(storage, "store:2", "elsewhere", "ann").add(answer("elsewhere", 0));
    new Outbox(storage, "store", "alive", "ann").add(answer("alive", 0));
    storage.setItem("al_widgets:outbox:store:broken:0", "{nonsense");
    const after = new Outbox(storage, "store", "new", "ann");
    expect(after.adopt(new Set(["alive"])).map(({ message }) => message.event_id)).toEqual([
      "old-0",
      "old-1",
    ]);
    expect(after.adopt(new Set(["alive"]))).toEqual([]);
    expect(after.due(0).map(({ client, seq }) => [client, seq])).toHaveLength(2);
  });

  test("keeps a refused event with its reason over a reload until it is dismissed", () => {
    const storage = new MemoryStorage();
    const before = new Outbox(storage, "store", "old", "ann");
    before.add(answer("old", 0));
    before.reject("old-0", "not a class");
    expect(before.unsaved).toBe(0);
    const after = new Outbox(storage, "store", "new", "ann");
    expect(after.adopt(new Set())[0]?.rejected).toBe("not a class");
    expect(after.due(1e9)).toEqual([]);
    after.settle("old-0");
    expect(storage.length).toBe(0);
  });

  test("goes on in memory, and says so, when the storage is full", () => {
    const storage = new MemoryStorage();
    storage.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    const outbox = new Outbox(storage, "s", "c", "ann");
    expect(outbox.durable).toBe(true);
    outbox.add(answer("c", 0));
    expect(outbox.durable).toBe(false);
    expect(outbox.due(0)).toHaveLength(1);
  });

  test("loses and doubles nothing under loss, duplication, reordering and reloads", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant("answer" as const) },
      { weight: 3, arbitrary: fc.constant("pump" as const) },
      {
        weight: 3,
        arbitrary: fc.record({ pick: fc.nat(), fate: fc.constantFrom("deliver", "lose", "double") }),
      },
      { weight: 1, arbitrary: fc.constant("reload" as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const storage = new MemoryStorage();
        const log = new Map<string, number>();
        const given = new Set<string>();
        let page = 0;
        let now = 0;
        let outbox = new Outbox(storage, "s", "c0", "ann");
        let line: Answer[] = [];
        let acks: string[] = [];
        const deliver = (message: Answer): void => {
          const key = `${message.client}/${message.seq}`;
          if (!log.has(key)) log.set(key, log.size);
          acks.push(message.event_id);
        };
        const pump = (): void => {
          now += 70_000;
          line.push(...(outbox.due(now) as Answer[]));
        };
        for (const what of steps) {
          if (what === "answer") {
            const message = answer(outbox.client, outbox.nextSeq());
            outbox.add(message);
            given.add(`${message.client}/${message.seq}`);
          } else if (what === "pump") {
            pump();
          } else if (what === "reload") {
            page += 1;
            outbox = new Outbox(storage, "s", `c${page}`, "ann");
            outbox.adopt(new Set());
            acks = [];
          } else {
            const all = [...line.map((message) => ({ message })), ...acks.map((ack) => ({ ack }))];
            const picked = all[what.pick % Math.max(all.length, 1)];
            if (picked == null) continue;
            if ("message" in picked) {
              if (what.fate !== "lose") deliver(picked.message);
              if (what.fate !== "double") line = line.filter((other) => other !== picked.message);
            } else {
              if (what.fate !== "lose") outbox.settle(picked.ack);
              if (what.fate !== "double") acks.splice(acks.indexOf(picked.ack), 1);
            }
          }
        }
        // In the end the line works: all that was given arrives, once, and nothing waits any more.
        pump();
        for (const message of line) deliver(message);
        for (const ack of acks) outbox.settle(ack);
        expect(new Set(log.keys())).toEqual(given);
        expect(outbox.unsaved).toBe(0);
        expect(storage.length).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

// The same files are checked against the Python types by pytest.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { FromPage } from "../src/wire";
import { BYTES, ExactlyOnceKernel } from "./kernel";
import { TestPage } from "./page";

const FOLDER = join(__dirname, "..", "..", "tests", "golden", "wire");

interface Golden {
  type: string;
  message: Record<string, unknown>;
}

const golden = new Map<string, Golden>(
  readdirSync(FOLDER).map((name) => [
    name.replace(".json", ""),
    JSON.parse(readFileSync(join(FOLDER, name), "utf8")),
  ]),
);

function message(name: string): Record<string, unknown> {
  const found = golden.get(name);
  if (found == null) throw new Error(`no ${name}.json`);
  return found.message;
}

/** A page that has shown farm/1.jpg for 1.5 s, and all that it sends meanwhile. */
async function scene(): Promise<[TestPage, FromPage[]]> {
  const page = new TestPage("c0");
  page.labeller.start();
  const sent = page.sent.splice(0);
  page.labeller.receive({ ...message("reply_hello"), rid: sent[0]?.rid }, BYTES);
  await page.draw();
  page.pass(1_500);
  return [page, sent];
}

describe("the page sends", () => {
  test("hello", async () => {
    const [, sent] = await scene();
    expect(sent).toEqual([message("hello")]);
  });

  test("answer", async () => {
    const [page] = await scene();
    page.sent.length = 0;
    page.labeller.label("cat");
    expect(page.sent.find(({ kind }) => kind === "answer")).toEqual(message("answer"));
  });

  test("answer_skip", async () => {
    const [page] = await scene();
    page.sent.length = 0;
    page.labeller.skip("unreadable");
    expect(page.sent.find(({ kind }) => kind === "answer")).toEqual(message("answer_skip"));
  });

  test("undo", async () => {
    const [page] = await scene();
    page.labeller.label("cat");
    page.labeller.undo();
    expect(page.sent.find(({ kind }) => kind === "undo")).toEqual(message("undo"));
  });

  test("show, history, add_class, refill and bad_image", async () => {
    const [page] = await scene();
    page.labeller.label("cat");
    page.sent.length = 0;
    page.labeller.open("farm/0.jpg");
    page.labeller.addClass("goat", () => undefined);
    page.labeller.olderHistory();
    expect(page.sent.map((sent) => ({ ...sent, rid: "c0:r0" }))).toEqual([
      message("show"),
      message("add_class"),
      message("history"),
    ]);
    const [other] = await scene();
    other.sent.length = 0;
    other.labeller.receive(message("queue"), []);
    const kinds = new Map(other.sent.map((sent) => [sent.kind, { ...sent, rid: "c0:r0" }]));
    expect(kinds.get("bad_image")).toEqual(message("bad_image"));
    const [third] = await scene();
    expect({ ...third.sent.find(({ kind }) => kind === "refill"), rid: "c0:r0" }).toEqual(message("refill"));
  });
});

describe("the page takes", () => {
  test.each(["reply_hello", "reply_ack", "reply_error", "queue", "status"])("%s", async (name) => {
    const [page] = await scene();
    page.labeller.label("cat");
    page.labeller.receive(message(name), BYTES);
    const { unsaved } = page.labeller.link;
    expect(unsaved.peek()).toBe(name === "reply_ack" || name === "reply_error" ? 0 : 1);
    expect(page.labeller.notices.list.peek().length).toBe(
      name === "reply_error" || name === "status" ? 1 : 0,
    );
    expect(page.item).not.toBe("farm/1.jpg");
  });
});

test("every golden message has a type, and none has a field id", () => {
  expect(golden.size).toBeGreaterThan(10);
  for (const { type, message: content } of golden.values()) {
    expect(type).toMatch(/^[A-Z]\w+$/);
    expect(content).toHaveProperty("kind");
    expect(content).not.toHaveProperty("id");
  }
  expect(new ExactlyOnceKernel().handle({ ...(message("answer") as unknown as FromPage) })[0]).toMatchObject({
    ok: true,
  });
});

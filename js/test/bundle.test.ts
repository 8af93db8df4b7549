// @vitest-environment node
// The built module, with its shortened names, against a model like anywidget's. Guards what only the build can break.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { Window } from "happy-dom";
import { expect, test, vi } from "vitest";
import { options } from "../build.mjs";
import type { FromPage } from "../src/wire";
import { BYTES, ExactlyOnceKernel } from "./kernel";

test("the built widget carries its hooks and speaks the protocol", async () => {
  const built = await build({ ...options, write: false, logLevel: "silent" });
  const file = built.outputFiles.find(({ path }) => path.endsWith("query.js"));
  const path = join(mkdtempSync(join(tmpdir(), "bundle-")), "query.mjs");
  writeFileSync(path, file?.contents ?? "");

  const page = new Window();
  // happy-dom neither lays out nor draws.
  Object.defineProperty(page.HTMLElement.prototype, "clientWidth", { get: () => 400 });
  Object.defineProperty(page.HTMLElement.prototype, "clientHeight", { get: () => 300 });
  const nothing = (): void => undefined;
  const context = {
    setTransform: nothing,
    clearRect: nothing,
    drawImage: nothing,
    putImageData: nothing,
    createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }),
  };
  Object.defineProperty(page.HTMLCanvasElement.prototype, "getContext", { value: () => context });
  const taken =
    "addEventListener,document,localStorage,sessionStorage,MutationObserver,matchMedia,getComputedStyle,requestAnimationFrame,HTMLInputElement,HTMLButtonElement,Element,CustomEvent";
  for (const name of taken.split(",")) {
    const value = (page as unknown as Record<string, unknown>)[name];
    const bound = typeof value === "function" && /^[a-z]/.test(name) ? value.bind(page) : value;
    Object.defineProperty(globalThis, name, { value: bound, configurable: true });
  }
  class Observer {
    constructor(readonly resized: () => void) {}
    observe(): void {
      queueMicrotask(this.resized);
    }
    disconnect(): void {}
  }
  Object.assign(globalThis, { ResizeObserver: Observer });
  const kernel = new ExactlyOnceKernel();
  const sent: FromPage[] = [];
  const traits: Record<string, unknown> = {
    store_id: "s",
    annotator: "ann",
    title: "t",
    classes: ["cat", "dog"],
    class_keys: { dog: "d" },
    show_model: true,
    height: 300,
  };
  let receive: (content: unknown, buffers: readonly DataView[]) => void = () => undefined;
  const model = {
    get: (name: string) => traits[name],
    set: () => undefined,
    save_changes: () => undefined,
    send: (message: FromPage) => void sent.push(JSON.parse(JSON.stringify(message))),
    on: (name: string, callback: typeof receive) => {
      if (name === "msg:custom") receive = callback;
    },
    off: () => undefined,
    widget_manager: { kernel: { status: "idle", connectionStatus: "connected", isDisposed: false } },
  };
  const stop = new AbortController();
  const widget = (await import(/* @vite-ignore */ pathToFileURL(path).href)).default();
  widget.initialize({ model, signal: stop.signal });
  expect(sent).toEqual([]);
  const el = page.document.createElement("div");
  page.document.body.append(el);
  widget.render({ model, el, signal: stop.signal });

  const root = el.querySelector('[data-al="query"]') as unknown as HTMLElement;
  const hook = (name: string): string | null => root.getAttribute(`data-al-${name}`);
  const events: string[] = [];
  for (const name of ["al:painted", "al:saved"]) root.addEventListener(name, () => events.push(name));
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 20));
  const exchange = async (): Promise<void> => {
    for (const message of sent.splice(0)) for (const reply of kernel.handle(message)) receive(reply, BYTES);
    await settle();
  };
  expect(root.shadowRoot?.querySelector('[data-al-class="dog"]')?.getAttribute("data-al-key")).toBe("d");
  expect(sent[0]).toEqual({
    kind: "hello",
    rid: expect.any(String),
    client: expect.stringMatching(/^[0-9a-f]{24}$/),
    replaces: [],
    have: [],
    want: 10,
  });
  await exchange();
  expect(["state", "phase", "item", "unsaved"].map(hook)).toEqual(["ready", "ready", "item 0", "0"]);
  const key = new page.KeyboardEvent("keydown", { key: "d", code: "KeyD", bubbles: true, composed: true });
  root.dispatchEvent(key as unknown as Event);
  expect(["item", "unsaved"].map(hook)).toEqual(["item 1", "1"]);
  expect(page.localStorage.length).toBe(1);
  await vi.waitFor(async () => {
    await exchange(); // the answer leaves after the next frame
    expect(hook("unsaved")).toBe("0");
  });
  expect(page.localStorage.length).toBe(0);
  expect([...kernel.labels()]).toEqual([["item 0", "dog"]]);
  expect(events).toContain("al:saved");
  stop.abort();
  expect(el.querySelector('[data-al="query"]')).toBeNull();
}, 30_000);

// Runs the built widget against a kernel made of timers. Options stand in the address: see `options`.
import { FakeKernel } from "./fake_kernel.js";

const asked = new URLSearchParams(location.search);
const options = {
  theme: asked.get("theme") ?? "light",
  classes: Number(asked.get("classes") ?? 4),
  images: asked.get("images") ?? "photo",
  total: Number(asked.get("total") ?? 200),
  busy_ms: Number(asked.get("busy_ms") ?? 0),
  delay_ms: Number(asked.get("delay_ms") ?? 5),
  cold: asked.has("cold"),
  work: asked.has("work"),
  long: asked.has("long"),
};
document.body.dataset.theme = options.theme;

const { default: factory } = await import("../../al_widgets/static/query.js");
const kernel = new FakeKernel(options);
const stop = new AbortController();
const widget = await factory();
widget.initialize({ model: kernel.model, signal: stop.signal });
const el = document.getElementById("out");
await widget.render({ model: kernel.model, el, signal: stop.signal });
const root = el.querySelector('[data-al="query"]');
const painted = [];
root.addEventListener("al:painted", ({ detail }) => painted.push(detail));
const saved = [];
root.addEventListener("al:saved", ({ detail }) => saved.push(detail));
Object.assign(globalThis, { kernel, root, painted, saved, widget, stop });

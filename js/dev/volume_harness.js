// Runs the built volume widget against a kernel made of timers. Options of the kernel stand in the address.
import { FakeVolumeKernel } from "./fake_volume_kernel.js";

const asked = new URLSearchParams(location.search);
document.body.dataset.theme = asked.get("theme") ?? "light";
const options = {};
for (const name of ["rows", "columns", "sections", "classes", "busy_ms", "delay_ms"])
  if (asked.has(name)) options[name] = Number(asked.get(name));
if (asked.has("flavour")) options.flavour = asked.get("flavour");

const { default: factory } = await import("../../al_widgets/static/volume.js");
const kernel = new FakeVolumeKernel(options);
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

// Runs a built widget against a kernel made of timers. The address says which (`widget=volume`), its theme, and the kernel's
// options, which stand in the kernel's constructor.
import { FakeKernel } from "./fake_kernel.js";
import { FakeVolumeKernel } from "./fake_volume_kernel.js";

const {
  widget: name = "query",
  theme = "light",
  ...asked
} = Object.fromEntries(new URLSearchParams(location.search));
document.body.dataset.theme = theme;
// `cold` stands for `cold=1`.
const value = (text) => (text === "" ? true : Number.isNaN(Number(text)) ? text : Number(text));
const options = Object.fromEntries(Object.entries(asked).map(([key, text]) => [key, value(text)]));

const { default: factory } = await import(`../../al_widgets/static/${name}.js`);
const kernel = name === "volume" ? new FakeVolumeKernel(options) : new FakeKernel(options);
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

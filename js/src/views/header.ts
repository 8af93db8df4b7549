// Above the picture: how far it is, how fast it goes, what the model does, and whether all is saved.

import * as text from "../core/text";
import { button, h, type Scope, setAttribute, setText } from "./dom";
import type { FrameState } from "./state";

export function headerView(
  state: FrameState,
  scope: Scope,
  run: (command: "keys" | "help") => void,
): HTMLElement {
  const { labeller } = state;
  const title = h("h2.title");
  const who = h("span.who");
  const fill = h("span.progress-fill");
  const bar = h("div.progress", { role: "progressbar", "aria-label": "Labelled", "aria-valuemin": 0 }, fill);
  const labelled = h("span.labelled", { "data-al": "labelled" });
  const pace = h("span.pace");
  const saved = h("span.saved", { "data-al": "saved" });
  const training = h("span.training", { "data-al": "training" });
  const work = h("div.work");
  const tool = (action: string, command: "keys" | "help", label: string, glyph: string): HTMLButtonElement =>
    button("tool", action, label, () => run(command), glyph);

  scope.effect(() => setText(title, state.title.get()));
  scope.effect(() => setText(who, state.annotator.get()));
  scope.lazily(
    () => labeller.status.get(),
    () => {
      const status = labeller.status.peek();
      if (status == null) return;
      const { total, labelled: done, skipped, unsure, problems } = status.counts;
      setAttribute(bar, "aria-valuemax", total);
      setAttribute(bar, "aria-valuenow", done);
      setAttribute(bar, "aria-valuetext", `${done} of ${total} labelled`);
      fill.style.transform = `scaleX(${total > 0 ? done / total : 0})`;
      setText(labelled, `${done.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} labelled`);
      const others = [
        skipped > 0 ? `${skipped} skipped` : "",
        unsure > 0 ? `${unsure} unsure` : "",
        problems > 0 ? `${problems} set aside` : "",
      ].filter(Boolean);
      labelled.title = others.join(", ");
      setText(pace, text.speed(status.speed));
      setText(training, text.training(status, state.unit));
      training.dataset["state"] = status.training;
      work.replaceChildren(
        ...status.progress.map(({ what, done: n, total: of }) => {
          const part = h("span.progress-fill");
          part.style.transform = `scaleX(${of > 0 ? n / of : 0})`;
          const label = `${what} ${n.toLocaleString("en-US")} of ${of.toLocaleString("en-US")}`;
          return h(
            "div.work-row",
            {},
            h("span", {}, label),
            h(
              "div.progress",
              {
                role: "progressbar",
                "aria-label": what,
                "aria-valuemin": 0,
                "aria-valuemax": of,
                "aria-valuenow": n,
              },
              part,
            ),
          );
        }),
      );
      work.hidden = status.progress.length === 0;
    },
  );
  // What the model does is not known without the kernel.
  scope.effect(() => {
    training.hidden = labeller.link.connection.get() === "gone";
  });
  scope.lazily(
    () => [labeller.link.unsaved.get(), labeller.link.durable.get()],
    () => {
      const unsaved = labeller.link.unsaved.peek();
      setText(saved, text.saved(unsaved, labeller.link.durable.peek()));
      saved.dataset["state"] = unsaved === 0 ? "saved" : "unsaved";
    },
  );

  work.hidden = true;
  return h(
    "div.head",
    {},
    h(
      "div.head-row",
      {},
      title,
      who,
      h("span.spring"),
      saved,
      tool("keys", "keys", "Change keys (K)", "⌨"),
      tool("help", "help", "Help: all keys (?)", "?"),
    ),
    h("div.head-row.facts", {}, labelled, bar, pace, work, h("span.spring"), training),
  );
}

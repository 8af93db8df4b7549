// What must be said: problems, and the state in which there is nothing to answer.

import type { Connection } from "../core/connection";
import type { Problems } from "../core/problems";
import type { ReadSignal } from "../core/signal";
import * as text from "../core/text";
import type { Status } from "../wire";
import { button, h, type Scope, setAttribute, setText } from "./dom";
import type { QueryState } from "./state";

/** Who knows what went wrong. */
export interface Teller {
  readonly link: {
    readonly connection: ReadSignal<Connection>;
    readonly unsaved: ReadSignal<number>;
    readonly durable: ReadSignal<boolean>;
  };
  readonly status: ReadSignal<Status | null>;
  readonly notices: Problems;
  dismiss(key: string): void;
}

/** The strip of problems. Each line can be dismissed. It stands below what is answered: nothing moves away under the pointer. */
export function problemsView(labeller: Teller, scope: Scope, refocus: () => void): HTMLElement {
  const element = h("div.problems", { "data-al": "problem", hidden: true });
  const offline = h("div.problem", { role: "alert", "data-severity": "warning", hidden: true });
  const lines = h("div");
  element.append(offline, lines);
  scope.effect(() => {
    const { link } = labeller;
    const sentence = text.connection(
      link.connection.get(),
      link.unsaved.get(),
      link.durable.get(),
      labeller.status.get() != null,
    );
    setText(offline, sentence);
    offline.hidden = sentence === "";
    const problems = labeller.notices.list.get();
    element.hidden = sentence === "" && problems.length === 0;
  });
  scope.effect(() => {
    lines.replaceChildren(
      ...labeller.notices.list.get().map(({ key, severity, message }) =>
        h(
          "div.problem",
          { "data-severity": severity, role: severity === "error" ? "alert" : "status" },
          h("span.problem-text", {}, message),
          button(
            "tool",
            "dismiss",
            "Dismiss",
            () => {
              labeller.dismiss(key);
              refocus();
            },
            "×",
          ),
        ),
      ),
    );
  });
  return element;
}

/** In place of the picture, when there is none. */
export function placardView(state: QueryState, scope: Scope): HTMLElement {
  const { labeller } = state;
  const heading = h("p.placard-title");
  const body = h("p.placard-text");
  const element = h("div.placard", { role: "status" }, heading, body);
  scope.effect(() => {
    const shown = labeller.shown.get();
    const phase = labeller.phase.get();
    const status = labeller.status.get();
    const unsaved = labeller.link.unsaved.get();
    const visible = shown == null || shown.picture == null;
    element.hidden = !visible;
    setAttribute(element, "data-phase", phase);
    if (!visible) return;
    const waiting =
      unsaved > 0 ? `${text.count(unsaved, "answer")} ${unsaved === 1 ? "waits" : "wait"} to be saved.` : "";
    if (shown != null) {
      setText(heading, "Loading the picture…");
      setText(body, "");
    } else if (phase === "offline") {
      setText(heading, "Nothing left without the kernel");
      setText(body, "Run the cell for more.");
    } else if (phase === "done" && status != null) {
      const { labelled, skipped, unsure, problems } = status.counts;
      setText(heading, "All done");
      const parts = [
        `${text.count(labelled, "item")} labelled`,
        skipped > 0 ? `${skipped} skipped` : "",
        unsure > 0 ? `${unsure} unsure` : "",
        problems > 0 ? `${problems} set aside` : "",
      ].filter(Boolean);
      setText(
        body,
        `${parts.join(", ")}. ${status.message} You can still go back and correct answers.`.replaceAll(
          "  ",
          " ",
        ),
      );
    } else if (labeller.link.connection.get() === "busy") {
      setText(heading, "The kernel is busy");
      setText(body, waiting === "" ? "A picture comes when it answers." : waiting);
    } else {
      setText(heading, status == null ? "Starting…" : "Waiting for the next item");
      setText(body, [status?.message ?? "", waiting].filter(Boolean).join(" "));
    }
  });
  return element;
}

// What went wrong and is still to be seen.

import type { ProblemInfo } from "../wire";
import { type Signal, signal } from "./signal";

export interface Shown extends ProblemInfo {
  /** The same key replaces the older line. */
  key: string;
  until: number | null;
}

const INFO_MS = 6_000;
const AT_MOST = 20;

export class Problems {
  readonly list: Signal<readonly Shown[]> = signal<readonly Shown[]>([]);
  #n = 0;

  readonly #now: () => number;
  constructor(now: () => number) {
    this.#now = now;
  }

  add(problem: ProblemInfo, key?: string): void {
    this.#n += 1;
    const until = problem.severity === "info" ? this.#now() + INFO_MS : null;
    const line: Shown = { ...problem, key: key ?? `problem-${this.#n}`, until };
    const rest = this.list
      .peek()
      .filter((other) => other.key !== line.key && (key != null || other.message !== line.message));
    // Newest first: the strip is as high as a few lines.
    this.list.set([line, ...rest].slice(0, AT_MOST));
  }

  remove(key: string): void {
    const rest = this.list.peek().filter((line) => line.key !== key);
    if (rest.length < this.list.peek().length) this.list.set(rest);
  }

  /** Lets infos go whose time is over. */
  tick(): void {
    const now = this.#now();
    const rest = this.list.peek().filter(({ until }) => until == null || until > now);
    if (rest.length < this.list.peek().length) this.list.set(rest);
  }
}

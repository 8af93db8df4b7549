// Long computations in slices, so that a stroke that is being drawn never waits for one.

/** A computation that can be left after each step and gone on with later. */
export type Sliced<T> = Generator<void, T>;

/** Runs to the end at once. */
export function runAll<T>(work: Sliced<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Runs until the end or until `until` (by `now`); undefined when it has not ended yet. */
export function runFor<T>(work: Sliced<T>, now: () => number, until: number): T | undefined {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    if (now() >= until) return undefined;
  }
}

// Values that tell who depends on them. Effects run at once, so that a keypress reaches the screen in the same task.

interface Observer {
  run(): void;
  sources: Set<Set<Observer>>;
}

let active: Observer | null = null;
let depth = 0;
const pending = new Set<Observer>();

export interface ReadSignal<T> {
  /** Reads the value; inside an effect, subscribes to it. */
  get(): T;
  /** Reads the value without subscribing. */
  peek(): T;
}

export interface Signal<T> extends ReadSignal<T> {
  set(value: T): void;
}

function flush(): void {
  while (pending.size > 0) {
    const [next] = pending;
    if (next == null) return;
    pending.delete(next);
    next.run();
  }
}

/** Runs `change`; effects wait until it has ended. */
export function batch<R>(change: () => R): R {
  depth += 1;
  try {
    return change();
  } finally {
    depth -= 1;
    if (depth === 0) flush();
  }
}

export function signal<T>(initial: T): Signal<T> {
  let value = initial;
  const observers = new Set<Observer>();
  return {
    get() {
      if (active != null) {
        observers.add(active);
        active.sources.add(observers);
      }
      return value;
    },
    peek: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const observer of observers) pending.add(observer);
      if (depth === 0) batch(() => undefined);
    },
  };
}

/** Runs `body` now and whenever a signal it read has changed, until the returned function is called. */
export function effect(body: () => void): () => void {
  const observer: Observer = {
    sources: new Set(),
    run() {
      release(observer);
      const outer = active;
      active = observer;
      try {
        body();
      } finally {
        active = outer;
      }
    },
  };
  observer.run();
  return () => {
    release(observer);
    pending.delete(observer);
  };
}

function release(observer: Observer): void {
  for (const source of observer.sources) source.delete(observer);
  observer.sources.clear();
}

/** A value made of other signals, kept up to date. It lives as long as they do. */
export function computed<T>(body: () => T): ReadSignal<T> {
  const result = signal<T | undefined>(undefined);
  effect(() => result.set(body()));
  return { get: () => result.get() as T, peek: () => result.peek() as T };
}

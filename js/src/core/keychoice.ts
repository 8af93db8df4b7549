// The keys in force: the user's own choice in this browser, else Python's, else handed out in order.

import { type Command, type Keymap, type KeyPlan, makeKeymap, QUERY_KEYS } from "./keymap";
import { computed, type ReadSignal, type Signal, signal } from "./signal";
import { type KeyValue, readJson, writeJson } from "./storage";

export type Chosen = Readonly<Record<string, string>>;

export class KeyChoice<C extends string = Command> {
  /** Python's wishes, class name to key. */
  readonly offered: Signal<Chosen>;
  /** The user's, which win. */
  readonly own: Signal<Chosen>;
  readonly keymap: ReadSignal<Keymap<C>>;
  readonly #key: string;

  readonly #storage: KeyValue | null;
  constructor(
    storage: KeyValue | null,
    storeId: string,
    classes: ReadSignal<readonly string[]>,
    offered: Chosen,
    plan: KeyPlan<C> = QUERY_KEYS as unknown as KeyPlan<C>,
  ) {
    this.#storage = storage;
    this.#key = `al_widgets:keys:${storeId}`;
    this.offered = signal(offered);
    this.own = signal(this.#read());
    this.keymap = computed(() => {
      const own = this.own.get();
      const taken = new Set(Object.values(own));
      const rest = Object.entries(this.offered.get() ?? {}).filter(
        ([name, key]) => !Object.hasOwn(own, name) && !taken.has(key),
      );
      return makeKeymap(classes.get(), { ...Object.fromEntries(rest), ...own }, plan);
    });
  }

  /** Gives a class a key; who had it gets another. */
  choose(name: string, key: string): void {
    const rest = Object.entries(this.own.peek()).filter(([other, taken]) => other !== name && taken !== key);
    this.#write({ ...Object.fromEntries(rest), [name]: key });
  }

  reset(): void {
    this.#write({});
  }

  #read(): Chosen {
    const value = readJson(this.#storage, this.#key) ?? {};
    return Object.fromEntries(Object.entries(value).filter(([, key]) => typeof key === "string"));
  }

  /** Without storage the choice lasts as long as the page. */
  #write(own: Chosen): void {
    this.own.set(own);
    writeJson(this.#storage, this.#key, Object.keys(own).length === 0 ? undefined : own);
  }
}

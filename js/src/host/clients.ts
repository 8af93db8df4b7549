// Which pages there are: those alive in this document, and those that this tab has had before.
//
// Each widget instance evaluates its own copy of this module, so what they share hangs on globalThis.

const ALIVE = Symbol.for("al_widgets.clients");
const REMEMBERED = 20;

interface Shared {
  [ALIVE]?: Set<string>;
}

/** Clients with a view in this document. */
export function aliveClients(): Set<string> {
  const shared = globalThis as Shared;
  shared[ALIVE] ??= new Set();
  return shared[ALIVE];
}

/** A name for a client: 96 random bits, lower-case hex. */
export function newClient(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** Clients that this tab has had for a store and that are gone; remembers `client` for the next page. */
export function replacedClients(storage: Storage | null, storeId: string, client: string): string[] {
  const key = `al_widgets:clients:${storeId}`;
  const known = read(storage, key);
  const alive = aliveClients();
  if (!known.includes(client)) {
    try {
      storage?.setItem(key, JSON.stringify([...known, client].slice(-REMEMBERED)));
    } catch {
      // A full or forbidden session storage only means that leases end by themselves, later.
    }
  }
  return known.filter((other) => other !== client && !alive.has(other));
}

/** The browser's storage, or null where the host forbids it. */
export function storageOf(kind: "localStorage" | "sessionStorage"): Storage | null {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null;
  }
}

function read(storage: Storage | null, key: string): string[] {
  try {
    const value: unknown = JSON.parse(storage?.getItem(key) ?? "[]");
    return Array.isArray(value) ? value.filter((name) => typeof name === "string") : [];
  } catch {
    return [];
  }
}

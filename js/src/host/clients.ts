// Which pages there are: those alive in this document, and those that this tab has had before.
//
// Each widget instance evaluates its own copy of this module, so what they share hangs on globalThis.

import { type KeyValue, readJson, writeJson } from "../core/storage";

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
export function replacedClients(storage: KeyValue | null, storeId: string, client: string): string[] {
  const key = `al_widgets:clients:${storeId}`;
  const stored = readJson(storage, key);
  const known = Array.isArray(stored) ? stored.filter((name) => typeof name === "string") : [];
  const alive = aliveClients();
  // Where this is refused, leases end by themselves, later.
  if (!known.includes(client)) writeJson(storage, key, [...known, client].slice(-REMEMBERED));
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

// JSON in the browser's storage. It may be absent, full or forbidden: then nothing is read and nothing is kept.

/** The part of `Storage` that is needed. */
export interface KeyValue {
  readonly length: number;
  key(index: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What is kept under a key; null when there is nothing, or nothing that can be read. */
export function readJson(storage: KeyValue | null, key: string): unknown {
  try {
    return JSON.parse(storage?.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

/** Keeps a value, or (undefined) forgets it; false when the storage refused. */
export function writeJson(storage: KeyValue | null, key: string, value: unknown): boolean {
  try {
    if (value === undefined) storage?.removeItem(key);
    else storage?.setItem(key, JSON.stringify(value));
    return storage != null;
  } catch {
    return false;
  }
}

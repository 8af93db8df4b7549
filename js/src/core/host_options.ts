// What the page's side of every widget is given by its host.

import type { Port } from "./link";
import type { KeyValue } from "./storage";

export interface HostOptions {
  port: Port;
  storage: KeyValue | null;
  /** The store, and whose unsent events are taken over: those of other pages with the same. */
  storeId: string;
  annotator: string;
  client: string;
  /** Whether the model's opinion is in sight at first. */
  showModel: boolean;
  classes: readonly string[];
  /** Clients of this tab that are gone, and clients of this page that are alive. */
  replaces: () => string[];
  alive: () => ReadonlySet<string>;
  /** Tells other pages, which may hold the same event, that it is on the disk. */
  delivered: (eventId: string) => void;
  now: () => number;
  today: () => number;
  /** Runs when what was just drawn is on the screen; where nothing is drawn, `tick` sends. */
  later: (run: () => void) => void;
}

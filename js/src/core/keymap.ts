// Which key does what. Classes get 1–9, 0, then letters that no command uses; the user's choice wins over both.

export type Command =
  | "skip"
  | "skip-reason"
  | "unsure"
  | "undo"
  | "redo"
  | "back"
  | "forward"
  | "latest"
  | "give-back"
  | "add-class"
  | "hide-model"
  | "levels"
  | "zoom-in"
  | "zoom-out"
  | "fit"
  | "pan-left"
  | "pan-right"
  | "pan-up"
  | "pan-down"
  | "search"
  | "keys"
  | "help";

/** Keys of the commands, best known first. Capital letters are letters with Shift. */
export const COMMAND_KEYS: Readonly<Record<Command, readonly string[]>> = {
  skip: ["s"],
  "skip-reason": ["S"],
  unsure: ["u"],
  undo: ["z", "Backspace"],
  redo: ["y", "Z"],
  back: ["ArrowLeft"],
  forward: ["ArrowRight"],
  latest: ["End"],
  "give-back": ["Escape"],
  "add-class": ["a"],
  "hide-model": ["m"],
  levels: ["w"],
  "zoom-in": ["+", "="],
  "zoom-out": ["-", "_"],
  fit: ["f", "0"],
  "pan-left": ["Shift+ArrowLeft"],
  "pan-right": ["Shift+ArrowRight"],
  "pan-up": ["Shift+ArrowUp"],
  "pan-down": ["Shift+ArrowDown"],
  search: ["/"],
  keys: ["k"],
  help: ["?"],
};

/** Keys of a widget: of its commands, best known first, and letters that classes get when the digits are gone. */
export interface KeyPlan<C extends string = Command> {
  commands: Readonly<Record<C, readonly string[]>>;
  letters: string;
}

const DIGITS = [..."1234567890"];
export const QUERY_KEYS: KeyPlan = { commands: COMMAND_KEYS, letters: "bcdeghijlnopqrtvx" };

/** The part of a keyboard event that decides. */
export interface KeyLike {
  key: string;
  code: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  repeat: boolean;
  isComposing: boolean;
  getModifierState?(key: string): boolean;
}

/** Name of the key that was pressed; null for what must not be handled: repeats, compositions, modified keys. */
export function keyName(event: KeyLike): string | null {
  if (event.repeat || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return null;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  // By position, so that digits work on layouts where the number row needs Shift (French).
  if (digit != null && (!event.shiftKey || event.key === digit)) return digit;
  if (event.shiftKey && /^(?:Arrow|Enter)/.test(event.key)) return `Shift+${event.key}`;
  if (event.getModifierState?.("CapsLock") && event.key.length === 1) {
    return event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase();
  }
  return event.key;
}

/** How a key is written on the screen. */
export function keyLabel(key: string): string {
  if (key.startsWith("Shift+")) return `⇧${keyLabel(key.slice(6))}`;
  if (key.startsWith("Arrow")) return "←→↑↓"["LRUD".indexOf(key[5] ?? "")] ?? "";
  if (key === "Backspace") return "⌫";
  if (key === "Escape") return "Esc";
  if (/^[A-Z]$/.test(key)) return `⇧${key}`;
  return key.length === 1 ? key.toUpperCase() : key;
}

/** Whether a key can be given to a class: one character that can be typed without Shift. */
export function isAssignable(key: string): boolean {
  return key.length === 1 && key.trim() !== "" && key === key.toLowerCase() && key !== "?" && key !== "/";
}

export interface Keymap<C extends string = Command> {
  /** Key to class name. */
  readonly classes: ReadonlyMap<string, string>;
  /** Class name to key; classes beyond the last key are not in it. */
  readonly keyOf: ReadonlyMap<string, string>;
  /** Key to command, without the keys that classes have taken. */
  readonly commands: ReadonlyMap<string, C>;
  /** First key of a command that still works. */
  readonly commandKey: ReadonlyMap<C, string>;
}

/** Hands out keys. `chosen` (class name to key) wins; of two classes that want one key, the first has it. A digit is its own key. */
export function makeKeymap<C extends string = Command>(
  classes: readonly string[],
  chosen: Readonly<Record<string, string>>,
  plan: KeyPlan<C> = QUERY_KEYS as unknown as KeyPlan<C>,
): Keymap<C> {
  const byKey = new Map<string, string>();
  const keyOf = new Map<string, string>();
  const give = (name: string, key: string | undefined): void => {
    if (key == null || !isAssignable(key) || byKey.has(key)) return;
    byKey.set(key, name);
    keyOf.set(name, key);
  };
  for (const name of classes) if (Object.hasOwn(chosen, name)) give(name, chosen[name]?.toLowerCase());
  // A class that is called 7 is expected on the key 7.
  for (const name of classes) if (DIGITS.includes(name) && !keyOf.has(name)) give(name, name);
  const free = [...DIGITS, ...plan.letters].filter((key) => !byKey.has(key));
  for (const name of classes) if (!keyOf.has(name)) give(name, free.shift());
  const commands = new Map<string, C>();
  const commandKey = new Map<C, string>();
  for (const [command, keys] of Object.entries(plan.commands) as [C, readonly string[]][]) {
    for (const key of keys) {
      if (byKey.has(key)) continue;
      commands.set(key, command);
      if (!commandKey.has(command)) commandKey.set(command, key);
    }
  }
  return { classes: byKey, keyOf, commands, commandKey };
}

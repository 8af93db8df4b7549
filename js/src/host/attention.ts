// Whether anybody can be looking: not while the tab is hidden, nor while another window has the keyboard.

/** Calls `tell` with true when the user goes away, with false when they come back, and once at the start. */
export function watchAttention(tell: (away: boolean) => void, signal: AbortSignal | undefined): void {
  const look = (): void => tell(document.hidden || !document.hasFocus());
  // Again a little later: the focus is nowhere while the event is dealt with, and may have gone to a frame of this page.
  const listener = (): void => {
    look();
    setTimeout(look);
  };
  for (const name of ["blur", "focus", "visibilitychange"])
    addEventListener(name, listener, { signal } as object);
  look();
}

// Colours of the classes: Okabe and Ito (2008), told apart with any colour vision. Never the only cue.

const OKABE_ITO = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a600", "#7a7a7a"];

export interface Accent {
  colour: string;
  /** Beyond the eighth class colours come again, striped. */
  striped: boolean;
}

export function accent(index: number): Accent {
  return {
    colour: OKABE_ITO[index % OKABE_ITO.length] ?? "#7a7a7a",
    striped: Math.floor(index / OKABE_ITO.length) % 2 === 1,
  };
}

export function paintAccent(element: HTMLElement, index: number): void {
  const { colour, striped } = accent(index);
  element.style.setProperty("--accent", index < 0 ? "transparent" : colour);
  element.toggleAttribute("data-striped", striped && index >= 0);
}

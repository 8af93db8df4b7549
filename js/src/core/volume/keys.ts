// Keys of the volume widget. Digits and what letters are left pick classes.

import type { KeyPlan } from "../keymap";

export const TOOLS = [
  "brush",
  "eraser",
  "fill",
  "polygon",
  "lasso",
  "box",
  "point",
  "hyperbola",
  "pan",
  "cross",
] as const;

export type ToolName = (typeof TOOLS)[number];

export type VolumeCommand =
  | ToolName
  | "smaller"
  | "larger"
  | "ignore"
  | "fill-holes"
  | "copy"
  | "interpolate"
  | "cancel"
  | "finish"
  | "finish-open"
  | "nothing"
  | "skip"
  | "skip-reason"
  | "unsure"
  | "next"
  | "region"
  | "undo"
  | "redo"
  | "previous-section"
  | "next-section"
  | "hide-model"
  | "doubt"
  | "outline"
  | "display"
  | "zoom-in"
  | "zoom-out"
  | "wider"
  | "narrower"
  | "taller"
  | "flatter"
  | "fit"
  | "pan-left"
  | "pan-right"
  | "pan-up"
  | "pan-down"
  | "add-class"
  | "keys"
  | "help";

export const VOLUME_KEYS: KeyPlan<VolumeCommand> = {
  commands: {
    brush: ["b"],
    eraser: ["e"],
    fill: ["g"],
    polygon: ["p"],
    lasso: ["l"],
    box: ["x"],
    point: ["o"],
    hyperbola: ["h"],
    pan: ["v"],
    cross: ["c"],
    smaller: ["["],
    larger: ["]"],
    ignore: ["i"],
    "fill-holes": ["k"],
    copy: ["C"],
    interpolate: ["t"],
    cancel: ["Escape"],
    finish: ["Enter"],
    "finish-open": ["Shift+Enter"],
    nothing: ["n"],
    skip: ["s"],
    "skip-reason": ["S"],
    unsure: ["u"],
    next: ["j"],
    region: ["r"],
    undo: ["z", "Backspace"],
    redo: ["y", "Z"],
    "previous-section": ["ArrowLeft", "PageUp"],
    "next-section": ["ArrowRight", "PageDown"],
    "hide-model": ["m"],
    doubt: ["d"],
    outline: ["q"],
    display: ["w"],
    "zoom-in": ["+", "="],
    "zoom-out": ["-", "_"],
    wider: [">"],
    narrower: ["<"],
    taller: ["}"],
    flatter: ["{"],
    fit: ["f", "0"],
    "pan-left": ["Shift+ArrowLeft"],
    "pan-right": ["Shift+ArrowRight"],
    "pan-up": ["Shift+ArrowUp"],
    "pan-down": ["Shift+ArrowDown"],
    "add-class": ["a"],
    keys: ["K"],
    help: ["?"],
  },
  letters: "",
};

export const COMMAND_NAMES: readonly (readonly [VolumeCommand, string])[] = [
  ["brush", "Brush"],
  ["eraser", "Eraser"],
  ["smaller", "Smaller brush"],
  ["larger", "Larger brush"],
  ["fill", "Fill what looks alike"],
  ["polygon", "Polygon (Enter or double click closes it)"],
  ["lasso", "Lasso"],
  ["box", "Box"],
  ["point", "Point"],
  ["hyperbola", "Hyperbola: apex, then a limb"],
  ["pan", "Move the picture"],
  ["cross", "Cross-hair"],
  ["ignore", "Paint “ignore”"],
  ["fill-holes", "Fill the holes of the class"],
  ["copy", "Copy the nearest labelled section as a draft"],
  ["interpolate", "Fill in between the labelled sections around"],
  ["cancel", "Give up what is drawn; keys to the notebook"],
  ["finish", "Finish: the rest is the first class"],
  ["finish-open", "Finish: leave the rest open"],
  ["nothing", "Nothing here: all is the first class"],
  ["skip", "Skip the section"],
  ["skip-reason", "Skip and say why"],
  ["unsure", "Unsure"],
  ["next", "To the section most worth the time"],
  ["region", "To the most doubtful region"],
  ["undo", "Undo"],
  ["redo", "Redo"],
  ["previous-section", "Section before"],
  ["next-section", "Section after"],
  ["hide-model", "Show or hide what the model expects"],
  ["doubt", "Show doubt instead"],
  ["outline", "Outlines only"],
  ["display", "Display settings"],
  ["zoom-in", "Zoom in"],
  ["zoom-out", "Zoom out"],
  ["wider", "Stretch sideways"],
  ["narrower", "Squeeze sideways"],
  ["taller", "Stretch downwards"],
  ["flatter", "Squeeze downwards"],
  ["fit", "Fit the picture"],
  ["pan-left", "Move the picture"],
  ["add-class", "Add a class"],
  ["keys", "Change keys"],
  ["help", "This help"],
];

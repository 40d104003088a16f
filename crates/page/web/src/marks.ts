// Sides of a fork: a letter, a shape and a colour each, so that none of them has to be seen to know the others.

import { svg } from "./dom";

export type Shape = "circle" | "square" | "triangle" | "diamond" | "hexagon" | "pentagon";

const SHAPES: Shape[] = ["circle", "square", "triangle", "diamond", "hexagon", "pentagon"];
/** Corners of the shapes, for a radius of one. */
const CORNERS: Record<Exclude<Shape, "circle">, [number, number][]> = {
  square: [
    [-0.86, -0.86],
    [0.86, -0.86],
    [0.86, 0.86],
    [-0.86, 0.86],
  ],
  triangle: [
    [0, -1.12],
    [1.08, 0.78],
    [-1.08, 0.78],
  ],
  diamond: [
    [0, -1.18],
    [1.18, 0],
    [0, 1.18],
    [-1.18, 0],
  ],
  hexagon: regular(6, 1.05, 0),
  pentagon: regular(5, 1.08, -Math.PI / 2),
};

function regular(corners: number, radius: number, turn: number): [number, number][] {
  return Array.from({ length: corners }, (_, index) => {
    const angle = turn + (index / corners) * 2 * Math.PI;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

/** 0 for A, and so on; letters beyond the shapes begin again. */
function index(letter: string): number {
  return Math.max(0, letter.charCodeAt(0) - 65) % SHAPES.length;
}

export function shapeOf(letter: string): Shape {
  return SHAPES[index(letter)] as Shape;
}

/** The class that gives `--side` and `--side-ink` their colours. */
export function sideClass(letter: string | null | undefined): string {
  return letter ? `side-${"abcdef"[index(letter)]}` : "side-none";
}

/** The colour of a side as it is now, for canvases. */
export function sideColour(letter: string | null | undefined): string {
  return colour(letter ? `--side-${"abcdef"[index(letter)]}` : "--side-none");
}

const colours = new Map<string, string>();

/** A colour of the stylesheet as it is now: in light or in dark. */
export function colour(name: string): string {
  let found = colours.get(name);
  if (found === undefined) {
    // What the name stands for is known only where it is used.
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    found = getComputedStyle(probe).color;
    probe.remove();
    colours.set(name, found);
  }
  return found;
}

/** It is light now, or dark: colours are others. */
export function forgetColours(): void {
  colours.clear();
}

/** Puts a shape's outline on a canvas; the caller fills or strokes it. */
export function trace(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, radius: number): void {
  context.beginPath();
  if (shape === "circle") {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  for (const [dx, dy] of CORNERS[shape]) context.lineTo(x + dx * radius, y + dy * radius);
  context.closePath();
}

/** A shape as SVG, without its letter. */
export function shape(letter: string | null | undefined, x: number, y: number, radius: number): SVGElement {
  const kind = letter ? shapeOf(letter) : "circle";
  if (kind === "circle") return svg("circle", { cx: x, cy: y, r: radius });
  const points = CORNERS[kind].map(([dx, dy]) => `${(x + dx * radius).toFixed(2)},${(y + dy * radius).toFixed(2)}`);
  return svg("polygon", { points: points.join(" ") });
}

/** How far below the middle of its shape a letter stands, for a radius of one: a triangle is wider there. */
export function drop(letter: string): number {
  return shapeOf(letter) === "triangle" ? 0.18 : 0;
}

/** A side's mark within a line of text. */
export function mark(letter: string): SVGElement {
  const label = svg("text", { x: 10, y: 10.5 + 8.6 * drop(letter), class: "mark-letter" }, letter);
  return svg(
    "svg",
    { class: `mark ${sideClass(letter)}`, viewBox: "-1 -1 22 22", role: "img", "aria-label": `branch ${letter}` },
    shape(letter, 10, 10, 8.6),
    label,
  );
}

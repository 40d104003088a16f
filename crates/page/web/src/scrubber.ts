// The scrubber: when forks were open and the network was cut, and ticks for reorgs and steps.

import type { Mark } from "./api";
import { scale } from "./dom";
import { colour } from "./marks";

/** Lanes from top to bottom: spans above, ticks below. */
const LANES: Record<string, { lane: number; colour: string }> = {
  partition: { lane: 0, colour: "--cut" },
  fork: { lane: 1, colour: "--accent" },
  reorg: { lane: 2, colour: "--warn" },
  step: { lane: 3, colour: "--muted" },
  control: { lane: 3, colour: "--good" },
  stopped: { lane: 2, colour: "--bad" },
  failed: { lane: 3, colour: "--bad" },
};
/** Pixels of a lane, where text is as large as usual. */
const LANE = 10;

export class Scrubber {
  private marks: Mark[] = [];
  private end = 1;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly input: HTMLInputElement,
    hover: (words: string | null, x: number, y: number) => void,
  ) {
    new ResizeObserver(() => this.redraw()).observe(canvas);
    input.addEventListener("pointermove", (event) => {
      const words = this.wordsAt(event.offsetX, event.offsetY);
      hover(words, event.clientX, event.clientY - 8);
    });
    input.addEventListener("pointerleave", () => hover(null, 0, 0));
  }

  show(marks: Mark[], end: number): void {
    this.marks = marks;
    this.end = Math.max(1, end);
    this.redraw();
  }

  at(time: number, end: number, words: string): void {
    if (end !== this.end) {
      this.end = Math.max(1, end);
      this.redraw();
    }
    this.input.max = String(this.end);
    this.input.value = String(Math.round(time));
    this.input.setAttribute("aria-valuetext", words);
    this.input.style.setProperty("--at", `${(time / this.end) * 100}%`);
  }

  redraw(): void {
    const { canvas } = this;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(density, 0, 0, density, 0, 0);
    for (const mark of this.marks) {
      const { lane, colour: name } = LANES[mark.kind] ?? { lane: 3, colour: "--muted" };
      const left = this.x(mark.from_us);
      const right = mark.kind === "fork" || mark.kind === "partition" ? this.x(mark.to_us ?? this.end) : left;
      context.fillStyle = colour(name);
      const y = (3 + lane * LANE) * scale();
      const tall = (LANE - 3) * scale();
      if (right - left > 3) {
        context.beginPath();
        context.roundRect(left, y, right - left, tall, 3);
        context.fill();
      } else {
        context.fillRect(left - scale(), y, 2 * scale(), tall);
      }
    }
  }

  private x(time: number): number {
    return (time / this.end) * this.canvas.clientWidth;
  }

  private wordsAt(x: number, y: number): string | null {
    const lane = Math.floor((y / scale() - 3) / LANE);
    const near = this.marks.filter((mark) => {
      const place = LANES[mark.kind];
      if (!place || Math.abs(place.lane - lane) > 1) return false;
      return x >= this.x(mark.from_us) - 5 && x <= this.x(mark.to_us ?? (mark.kind === "fork" || mark.kind === "partition" ? this.end : mark.from_us)) + 5;
    });
    return near.length > 0 ? near.slice(0, 4).map((mark) => mark.words).join("\n") : null;
  }
}

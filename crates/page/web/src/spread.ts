// How blocks spread: a column for each block, a row for each node, darker the later. The table has the same figures as numbers.

import type { Spread, SpreadBlock } from "./api";
import { el, scale, table } from "./dom";
import { colour } from "./marks";
import { duration, moment, shortBlock } from "./words";

export interface SpreadListener {
  select(block: string): void;
  hover(words: string | null, x: number, y: number): void;
}

/** The least height of the percentiles' plot. */
const PLOT = 56;

export class SpreadPanel {
  private spread: Spread | null = null;
  private end = 0;
  private selected: string | null = null;
  private asTable = false;
  private readonly canvas = el("canvas", { class: "heat", role: "img", "aria-label": "Heat map of block delays; the table has the numbers" });
  private readonly legend = el("p", { class: "legend" });

  constructor(
    private readonly into: HTMLElement,
    private readonly note: HTMLElement,
    toggle: HTMLButtonElement,
    private readonly listener: SpreadListener,
  ) {
    new ResizeObserver(() => this.draw()).observe(into);
    toggle.addEventListener("click", () => {
      this.asTable = !this.asTable;
      toggle.setAttribute("aria-pressed", String(this.asTable));
      this.render();
    });
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.listener.hover(null, 0, 0));
    this.canvas.addEventListener("click", (event) => {
      const block = this.blockAt(event);
      if (block) this.listener.select(block.block);
    });
  }

  show(spread: Spread, end: number): void {
    this.spread = spread;
    this.end = end;
    this.render();
  }

  select(block: string | null): void {
    this.selected = block;
    this.draw();
  }

  redraw(): void {
    this.draw();
  }

  private render(): void {
    const spread = this.spread;
    if (!spread) return;
    const last = spread.blocks[spread.blocks.length - 1];
    this.note.textContent =
      last && last.p50_us !== null
        ? `newest: 50 % in ${duration(last.p50_us)}, 90 % in ${duration(last.p90_us ?? last.p50_us)}`
        : "";
    if (spread.blocks.length === 0) {
      this.into.replaceChildren(el("p", { class: "quiet" }, "No block has been mined so far."));
      return;
    }
    if (this.asTable) {
      this.into.replaceChildren(this.numbers(spread));
      return;
    }
    this.into.replaceChildren(this.canvas, this.legend);
    this.draw();
  }

  private numbers(spread: Spread): HTMLElement {
    const micros = (value: number | null) => (value === null ? "-" : duration(value));
    const rows = [...spread.blocks]
      .reverse()
      .map((block) => [
        String(block.height),
        shortBlock(block.block),
        block.miner ?? "?",
        moment(block.mined_us, this.end),
        micros(block.p50_us),
        micros(block.p90_us),
        micros(block.p99_us),
        micros(block.last_us),
        String(block.missing),
      ]);
    return table(
      "How long each block took to reach half, nine tenths, ninety-nine hundredths and all of the nodes that got it",
      ["Height", "Block", "Miner", "Mined", "50 %", "90 %", "99 %", "Last", "Without"],
      rows,
    );
  }

  private sizes(spread: Spread): { left: number; cell: number; row: number; top: number } {
    const left = spread.nodes.length <= 40 ? 34 * scale() : 8;
    const width = this.canvas.clientWidth - left;
    const cell = Math.max(1, Math.min(34 * scale(), width / Math.max(1, spread.blocks.length)));
    const room = Math.max(40, this.into.clientHeight - PLOT - 64);
    const row = Math.max(2, Math.min(24 * scale(), room / Math.max(1, spread.nodes.length)));
    return { left, cell, row, top: PLOT + 10 };
  }

  private draw(): void {
    const { canvas, spread } = this;
    if (!spread || this.asTable || spread.blocks.length === 0 || !canvas.isConnected) return;
    const density = window.devicePixelRatio || 1;
    const { left, cell, row, top } = this.sizes(spread);
    const [width, height] = [canvas.clientWidth, Math.ceil(top + row * spread.nodes.length + 20 * scale())];
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    context.setTransform(density, 0, 0, density, 0, 0);
    const [least, most] = range(spread);
    const ramp = [colour("--heat-0"), colour("--heat-1"), colour("--heat-2"), colour("--heat-3"), colour("--heat-4")];
    const nothing = colour("--heat-none");
    spread.blocks.forEach((block, column) => {
      const x = left + column * cell;
      spread.nodes.forEach((_, node) => {
        const delay = block.delays[node] ?? null;
        const y = top + node * row;
        const [w, h] = [Math.max(1, cell - (cell > 5 ? 1 : 0)), Math.max(1, row - (row > 4 ? 1 : 0))];
        if (delay === null) {
          context.fillStyle = nothing;
          context.fillRect(x + w / 2 - 1, y + h / 2 - 1, 2, 2);
          return;
        }
        context.fillStyle = delay === 0 ? colour("--ink") : (ramp[bucket(delay, least, most)] as string);
        context.fillRect(x, y, w, h);
      });
      if (block.block === this.selected) {
        context.strokeStyle = colour("--focus");
        context.lineWidth = 2;
        context.strokeRect(x - 0.5, 1, cell, height - 18);
      }
    });
    this.plot(context, spread, least, most);
    this.labels(context, spread);
    this.key(least, most, ramp);
  }

  /** Dots for half and nine tenths of the nodes, a line from one to the other. */
  private plot(context: CanvasRenderingContext2D, spread: Spread, least: number, most: number): void {
    const { left, cell } = this.sizes(spread);
    const y = (delay: number) => PLOT - 6 - (position(delay, least, most) * (PLOT - 14));
    context.strokeStyle = colour("--line");
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(left, PLOT);
    context.lineTo(left + cell * spread.blocks.length, PLOT);
    context.stroke();
    spread.blocks.forEach((block, column) => {
      if (block.p50_us === null) return;
      const x = left + (column + 0.5) * cell;
      const [half, most] = [y(block.p50_us), y(block.p90_us ?? block.p50_us)];
      context.strokeStyle = colour("--muted");
      context.beginPath();
      context.moveTo(x, half);
      context.lineTo(x, most);
      context.stroke();
      context.fillStyle = colour("--accent");
      context.beginPath();
      context.arc(x, half, Math.min(3, cell / 2), 0, 2 * Math.PI);
      context.fill();
      const size = Math.min(5, cell);
      context.fillStyle = colour("--ink");
      context.fillRect(x - size / 2, most - 1, size, 2);
    });
  }

  private labels(context: CanvasRenderingContext2D, spread: Spread): void {
    const { left, cell, row, top } = this.sizes(spread);
    context.fillStyle = colour("--muted");
    context.font = `${11 * scale()}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    if (row >= 11) spread.nodes.forEach((name, node) => context.fillText(name, left - 5, top + (node + 0.5) * row, left - 6));
    context.textAlign = "center";
    const every = Math.max(1, Math.ceil((26 * scale()) / cell));
    spread.blocks.forEach((block, column) => {
      if (column % every === 0) context.fillText(String(block.height), left + (column + 0.5) * cell, top + row * spread.nodes.length + 10 * scale());
    });
  }

  private key(least: number, most: number, ramp: string[]): void {
    const swatches = ramp.map((fill) => {
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = fill;
      return swatch;
    });
    if (most <= 1) {
      this.legend.replaceChildren(el("span", {}, "at once wherever it came"), el("span", { class: "muted" }, "· not there"));
      return;
    }
    this.legend.replaceChildren(
      el("span", {}, "after ", duration(Math.round(least))),
      el("span", { class: "ramp" }, ...swatches),
      el("span", {}, duration(Math.round(most))),
      el("span", { class: "muted" }, "· not there; top: ● half, ▬ nine tenths of the nodes"),
    );
  }

  private blockAt(event: MouseEvent): SpreadBlock | undefined {
    const spread = this.spread as Spread;
    const { left, cell } = this.sizes(spread);
    return spread.blocks[Math.floor((event.offsetX - left) / cell)];
  }

  private hover(event: PointerEvent): void {
    const spread = this.spread as Spread;
    const block = this.blockAt(event);
    if (!block) return this.listener.hover(null, 0, 0);
    const { row, top } = this.sizes(spread);
    const node = Math.floor((event.offsetY - top) / row);
    const name = spread.nodes[node];
    const delay = block.delays[node] ?? null;
    const there = name === undefined ? "" : `\n${name}: ${delay === null ? "never" : delay === 0 ? "its miner" : `after ${duration(delay)}`}`;
    const half = block.p50_us === null ? "" : `\nhalf after ${duration(block.p50_us)}`;
    this.listener.hover(`${block.height} ${shortBlock(block.block)} by ${block.miner ?? "?"}${half}${there}`, event.clientX, event.clientY);
  }
}

/** The least and the greatest delay, for the colours. */
function range(spread: Spread): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, 1];
  for (const block of spread.blocks) {
    for (const delay of block.delays) {
      if (delay === null || delay === 0) continue;
      least = Math.min(least, delay);
      most = Math.max(most, delay);
    }
  }
  return least < most ? [least, most] : [most / 2, most];
}

/** Where a delay stands between the least and the greatest, by its logarithm. */
function position(delay: number, least: number, most: number): number {
  return Math.min(1, Math.max(0, Math.log(delay / least) / Math.log(most / least)));
}

function bucket(delay: number, least: number, most: number): number {
  return Math.min(4, Math.floor(position(delay, least, most) * 5));
}

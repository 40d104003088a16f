// Nodes and links. A partition pulls the parts asunder; the mark of a node is that of the branch it follows. The table of nodes is this canvas' twin.

import { select } from "d3-selection";
import { type ZoomTransform, zoom, zoomIdentity } from "d3-zoom";
import type { Moment, NodeState } from "./api";
import { el, scale } from "./dom";
import { colour, drop, mark, shapeOf, sideColour, trace } from "./marks";
import { type Place, type Places, place } from "./places";
import { count, heights, list, percent, shortBlock } from "./words";

/** How long nodes take to go to new places. */
const GLIDE = 450;

export interface NetworkListener {
  select(node: string): void;
  /** The pointer is over a node: words for it, and where. */
  hover(words: string | null, x: number, y: number): void;
}

export class NetworkPanel {
  private moment: Moment | null = null;
  private places: Places | null = null;
  private from: Place[] = [];
  private began = 0;
  private grouping = "";
  private transform: ZoomTransform = zoomIdentity;
  private selected: string | null = null;
  private waiting = false;
  private readonly context: CanvasRenderingContext2D;
  private readonly behaviour;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly legend: HTMLElement,
    private readonly note: HTMLElement,
    reset: HTMLButtonElement,
    private readonly listener: NetworkListener,
  ) {
    this.context = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.behaviour = zoom<HTMLCanvasElement, unknown>()
      .scaleExtent([0.5, 20])
      .filter((event: Event) => event.type !== "wheel" || (event as WheelEvent).ctrlKey || this.zoomed())
      .on("zoom", (event: { transform: ZoomTransform }) => {
        this.transform = event.transform;
        this.redraw();
      });
    select(canvas).call(this.behaviour);
    reset.addEventListener("click", () => select(canvas).call(this.behaviour.transform, zoomIdentity));
    new ResizeObserver(() => {
      this.grouping = "";
      if (this.moment) this.show(this.moment);
    }).observe(canvas);
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => this.listener.hover(null, 0, 0));
    canvas.addEventListener("click", (event) => {
      const node = this.nodeAt(event);
      if (node) this.listener.select(node.name);
    });
  }

  show(moment: Moment): void {
    this.moment = moment;
    const groups = moment.nodes.map((node) => node.group);
    const wide = this.canvas.clientWidth >= this.canvas.clientHeight;
    const grouping = `${wide} ${groups.join()}`;
    if (grouping !== this.grouping) {
      this.from = this.now();
      this.places = place(groups, wide);
      const still = this.from.length !== groups.length || matchMedia("(prefers-reduced-motion: reduce)").matches;
      this.began = still ? Number.NEGATIVE_INFINITY : performance.now();
      this.grouping = grouping;
    }
    this.tell(moment);
    this.redraw();
  }

  select(node: string | null): void {
    this.selected = node;
    this.redraw();
  }

  /** Colours may be others now. */
  redraw = (): void => {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  };

  private zoomed(): boolean {
    return this.transform.k !== 1;
  }

  private tell(moment: Moment): void {
    const up = moment.nodes.filter((node) => node.running).length;
    const down = moment.nodes.length - up;
    const cut = moment.cuts.length > 0 ? `, cut by ${list(moment.cuts)}` : "";
    this.note.textContent = `${count(up, "node")} up${down > 0 ? `, ${down} down` : ""}, ${count(moment.links.length, "link")}${cut}`;
    const sides = moment.sides.map((side, index) =>
      el(
        "span",
        { class: "side" },
        side.letter ? mark(side.letter) : null,
        ` ${side.letter ? "" : "all "}${count(side.nodes, "node")} ${heights(moment, index)} `,
        el("span", { class: "muted" }, `${shortBlock(side.tip)}${side.hash_share > 0 ? `, ${percent(side.hash_share)} of hash power` : ""}`),
      ),
    );
    this.legend.replaceChildren(...sides);
  }

  /** Where nodes are just now, also in the middle of a glide. */
  private now(): Place[] {
    const places = this.places?.nodes ?? [];
    const passed = (performance.now() - this.began) / GLIDE;
    if (passed >= 1 || this.from.length !== places.length) return places;
    const eased = 1 - (1 - passed) ** 3;
    return places.map((to, index) => {
      const from = this.from[index] as Place;
      return { x: from.x + (to.x - from.x) * eased, y: from.y + (to.y - from.y) * eased };
    });
  }

  /** From places to pixels of the page. */
  private scale(): { unit: number; x: (at: number) => number; y: (at: number) => number } {
    const places = this.places as Places;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const unit = Math.min(width / (2 * places.width + 0.6), height / (2 * places.height + 0.6), 84 * scale());
    return {
      unit: unit * this.transform.k,
      x: (at) => this.transform.applyX(width / 2 + at * unit),
      y: (at) => this.transform.applyY(height / 2 + at * unit),
    };
  }

  private radius(unit: number): number {
    return Math.max(2.5, Math.min(unit * 0.36, 22 * scale()));
  }

  private draw(): void {
    const { canvas, context, moment, places } = this;
    if (!moment || !places || canvas.clientWidth === 0) return;
    const density = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
      canvas.width = Math.round(width * density);
      canvas.height = Math.round(height * density);
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, width, height);
    const at = this.now();
    const { unit, x, y } = this.scale();
    this.drawHulls(unit, x, y);
    context.strokeStyle = colour("--link");
    context.globalAlpha = moment.links.length > 400 ? 0.25 : 0.8;
    context.lineWidth = 1;
    context.beginPath();
    for (const [a, b] of moment.links) {
      const [from, to] = [at[a], at[b]];
      if (!from || !to) continue;
      context.moveTo(x(from.x), y(from.y));
      context.lineTo(x(to.x), y(to.y));
    }
    context.stroke();
    context.globalAlpha = 1;
    moment.nodes.forEach((node, index) => {
      const spot = at[index];
      if (spot) this.drawNode(node, x(spot.x), y(spot.y), unit);
    });
    if (performance.now() - this.began < GLIDE) this.redraw();
  }

  private drawHulls(unit: number, x: (at: number) => number, y: (at: number) => number): void {
    const places = this.places as Places;
    const moment = this.moment as Moment;
    if (places.discs.length < 2 || moment.cuts.length === 0) return;
    const { context } = this;
    context.font = `${12}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "bottom";
    for (const disc of places.discs) {
      context.beginPath();
      context.arc(x(disc.x), y(disc.y), disc.radius * unit, 0, 2 * Math.PI);
      context.fillStyle = colour("--hull");
      context.fill();
      context.setLineDash([5, 5]);
      context.strokeStyle = colour("--hull-edge");
      context.lineWidth = 1.5;
      context.stroke();
      context.setLineDash([]);
    }
  }

  private drawNode(node: NodeState, x: number, y: number, unit: number): void {
    const { context } = this;
    const moment = this.moment as Moment;
    const letter = node.side === null ? "" : (moment.sides[node.side]?.letter ?? "");
    const radius = this.radius(unit);
    trace(context, letter ? shapeOf(letter) : "circle", x, y, radius);
    context.fillStyle = node.running ? sideColour(letter) : colour("--panel");
    context.fill();
    context.lineWidth = node.name === this.selected ? 3.5 : 1.5;
    context.strokeStyle = node.name === this.selected ? colour("--focus") : node.running ? colour("--panel") : colour("--muted");
    context.setLineDash(node.running ? [] : [3, 3]);
    context.stroke();
    context.setLineDash([]);
    if (radius < 8) return;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.font = `700 ${Math.round(radius * 0.95)}px system-ui, sans-serif`;
    context.fillStyle = node.running ? colour(letter ? "--side-ink" : "--none-ink") : colour("--muted");
    context.fillText(node.running ? letter || String(node.height) : "×", x, y + 0.5 + radius * (letter ? drop(letter) : 0), radius * 1.8);
    context.font = `${Math.max(10, Math.min(13 * scale(), radius * 0.72))}px system-ui, sans-serif`;
    context.fillStyle = colour("--ink");
    context.textBaseline = "top";
    context.fillText(node.name, x, y + radius * 1.2 + 1, unit * 1.2);
  }

  private nodeAt(event: MouseEvent): NodeState | null {
    const { moment, places } = this;
    if (!moment || !places) return null;
    const at = this.now();
    const { unit, x, y } = this.scale();
    const reach = Math.max(9, this.radius(unit) * 1.2);
    let best: NodeState | null = null;
    let least = reach;
    moment.nodes.forEach((node, index) => {
      const spot = at[index];
      if (!spot) return;
      const distance = Math.hypot(x(spot.x) - event.offsetX, y(spot.y) - event.offsetY);
      if (distance < least) {
        least = distance;
        best = node;
      }
    });
    return best;
  }

  private hover(event: PointerEvent): void {
    const node = this.nodeAt(event);
    this.canvas.style.cursor = node ? "pointer" : "";
    if (!node) return this.listener.hover(null, 0, 0);
    const moment = this.moment as Moment;
    const letter = node.side === null ? "" : (moment.sides[node.side]?.letter ?? "");
    const words = node.running
      ? `${node.name}${letter ? ` on branch ${letter}` : ""}${node.region ? `, ${node.region}` : ""}\n${node.state === "up" ? "" : `${node.state}, `}height ${node.height}, tip ${shortBlock(node.tip)}\n${count(node.peers, "peer")}, ${count(node.mined, "block")} mined, ${count(node.reorgs, "reorg")}`
      : `${node.name} is down`;
    this.listener.hover(words, event.clientX, event.clientY);
  }
}

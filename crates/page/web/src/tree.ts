// The block tree: rows as the server laid them out. Only those in sight are in the document.

import type { Cell, Tree, TreeRow } from "./api";
import { el, scale, svg } from "./dom";
import { drop, shape, sideClass } from "./marks";
import { count, list, shortBlock } from "./words";

/** Pixels of a row and of a lane, where text is as large as usual. */
const CELL = 26;
/** Rows above and below those in sight. */
const MARGIN = 12;

export interface TreeListener {
  select(block: string): void;
}

export class TreePanel {
  private tree: Tree = { rows: [], rows_left_out: 0, branches_left_out: 0 };
  private readonly inside = el("div", { class: "tree-rows" });
  private selected: string | null = null;
  private keepBottom = true;
  private drawn = "";

  constructor(
    private readonly scroll: HTMLElement,
    private readonly note: HTMLElement,
    private readonly follow: HTMLButtonElement,
    private readonly listener: TreeListener,
  ) {
    scroll.append(this.inside);
    scroll.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.refresh()).observe(scroll);
    scroll.addEventListener("wheel", () => this.setKeepBottom(false), { passive: true });
    scroll.addEventListener("pointerdown", () => this.setKeepBottom(false));
    follow.addEventListener("click", () => {
      this.setKeepBottom(!this.keepBottom);
      this.refresh();
    });
  }

  show(tree: Tree): void {
    this.tree = tree;
    const beside = tree.branches_left_out > 0 ? `, ${count(tree.branches_left_out, "branch")} more beside` : "";
    this.note.textContent = tree.rows_left_out > 0 ? `${count(tree.rows_left_out, "row")} above${beside}` : beside.slice(2);
    this.refresh();
  }

  select(block: string | null): void {
    if (block === this.selected) return;
    this.selected = block;
    this.refresh();
  }

  /** Brings a block into sight. */
  reveal(block: string): void {
    const index = this.tree.rows.findIndex((row) => row.block === block);
    if (index < 0) return;
    this.setKeepBottom(false);
    this.scroll.scrollTop = index * rowHeight() - this.scroll.clientHeight / 2;
  }

  private setKeepBottom(keep: boolean): void {
    this.keepBottom = keep;
    this.follow.setAttribute("aria-pressed", String(keep));
  }

  private refresh(): void {
    this.drawn = "";
    this.inside.style.height = `${this.tree.rows.length * rowHeight()}px`;
    if (this.keepBottom) this.scroll.scrollTop = this.scroll.scrollHeight;
    this.draw();
  }

  private draw(): void {
    const rows = this.tree.rows;
    const height = rowHeight();
    const first = Math.max(0, Math.floor(this.scroll.scrollTop / height) - MARGIN);
    const last = Math.min(rows.length, Math.ceil((this.scroll.scrollTop + this.scroll.clientHeight) / height) + MARGIN);
    const range = `${first}-${last}`;
    if (range === this.drawn) return;
    this.drawn = range;
    const lanes = Math.max(1, ...rows.map((row) => row.cells.length));
    const shown = rows.slice(first, last).map((row, index) => this.row(row, rows[first + index - 1], rows[first + index + 1], lanes));
    this.inside.replaceChildren(...shown);
    this.inside.style.paddingTop = `${first * height}px`;
  }

  private row(row: TreeRow, above: TreeRow | undefined, below: TreeRow | undefined, lanes: number): HTMLElement {
    const picture = svg("svg", {
      class: "lanes",
      width: lanes * rowHeight(),
      height: rowHeight(),
      viewBox: `0 0 ${lanes * CELL} ${CELL}`,
      "aria-hidden": "true",
    });
    [...row.cells].forEach((cell, lane) => {
      for (const path of lines(cell as Cell, lane, above?.cells[lane] as Cell | undefined, below?.cells[lane] as Cell | undefined)) picture.append(path);
    });
    if (row.kind === "fold") {
      return el("div", { class: "row fold" }, el("span", { class: "height" }), picture, el("span", {}, `${count(row.blocks ?? 0, "block")} in a row`));
    }
    if (row.kind === "fork" || !row.block) return el("div", { class: "row" }, el("span", { class: "height" }), picture);
    return this.blockRow(row, row.block, picture);
  }

  private blockRow(row: TreeRow, block: string, picture: SVGElement): HTMLElement {
    const lane = row.cells.indexOf("o");
    const x = lane * CELL + CELL / 2;
    const glyph = svg("g", { class: `block ${sideClass(row.side)}${row.stale ? " stale" : ""}` }, shape(row.side, x, CELL / 2, 8));
    if (row.side) glyph.append(svg("text", { x, y: CELL / 2 + 0.5 + 8 * drop(row.side), class: "mark-letter" }, row.side));
    picture.append(glyph);
    const tips = row.tip_count ?? 0;
    const made = el(
      "button",
      {
        type: "button",
        class: `row choice${row.stale ? " stale" : ""}${block === this.selected ? " selected" : ""}`,
        "aria-pressed": String(block === this.selected),
        title: `${block}\nby ${row.miner ?? "an unknown miner"}, ${count(row.payments ?? 0, "payment")}`,
        "data-block": block,
      },
      el("span", { class: "height" }, String(row.height ?? "")),
      picture,
      el("span", { class: "hash" }, shortBlock(block)),
      el("span", { class: "miner" }, row.miner ?? ""),
      row.stale ? el("span", { class: "tag lost" }, "stale") : null,
      tips > 0
        ? el("span", { class: `tips ${sideClass(row.side)}` }, el("b", {}, count(tips, "tip")), ` ${list(row.tips ?? [], 3)}`)
        : null,
    );
    made.addEventListener("click", () => this.listener.select(block));
    return made;
  }
}

function rowHeight(): number {
  return Math.round(CELL * scale());
}

const goesDown = (cell: Cell) => cell !== " " && cell !== "-";
const goesUp = (cell: Cell) => goesDown(cell) && cell !== "T" && cell !== "7";

/** The lines of one cell. */
function lines(cell: Cell, lane: number, above: Cell | undefined, below: Cell | undefined): SVGElement[] {
  const x = lane * CELL + CELL / 2;
  const [left, right] = [lane * CELL, (lane + 1) * CELL];
  const middle = CELL / 2;
  const path = (d: string, more = "") => svg("path", { d, class: `line${more}` });
  switch (cell) {
    case " ":
      return [];
    case "o":
      return [
        ...(above && goesDown(above) ? [path(`M${x} 0V${middle}`)] : []),
        ...(below && goesUp(below) ? [path(`M${x} ${middle}V${CELL}`)] : []),
      ];
    case "|":
      return [path(`M${x} 0V${CELL}`)];
    case ":":
      return [path(`M${x} 0V${CELL}`, " dotted")];
    case "+":
      return [path(`M${x} 0V${CELL}`), path(`M${x} ${middle}H${right}`)];
    case "-":
      return [path(`M${left} ${middle}H${right}`)];
    case "x":
      return [path(`M${x} 0V${CELL}`), path(`M${left} ${middle}H${right}`)];
    case "T":
      return [path(`M${left} ${middle}H${right}`), path(`M${x} ${middle}V${CELL}`)];
    case "7":
      return [path(`M${left} ${middle}H${x - 8}Q${x} ${middle} ${x} ${middle + 8}V${CELL}`)];
  }
}

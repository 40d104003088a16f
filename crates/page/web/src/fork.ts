// The fork in view: what its branches were, who was on which for how long, what they disagree about, and why it ended.

import type { Branch, Fork, Stay, TxDifference } from "./api";
import { button, el, scale, svg, table } from "./dom";
import { mark, sideClass } from "./marks";
import { count, duration, list, moment, percent, shortBlock, shortTx } from "./words";

const CHART_HEIGHT = 88;
/** Nodes that have a row of their own; with more, the shares alone are drawn. */
const MAX_ROWS = 40;

export interface ForkListener {
  select(id: string): void;
  seek(time: number): void;
}

export interface Scene {
  time: number;
  end: number;
}

export class ForkPanel {
  private fork: Fork | null = null;
  private cursors: SVGElement[] = [];
  private scene: Scene = { time: 0, end: 0 };
  private byHash = false;
  private width = 560;

  constructor(
    private readonly into: HTMLElement,
    private readonly note: HTMLElement,
    private readonly listener: ForkListener,
  ) {
    new ResizeObserver(() => {
      if (this.fork && this.measure() !== this.width) this.render();
    }).observe(into);
  }

  /** The width of a chart, where text is as large as usual. */
  private measure(): number {
    return Math.max(240, Math.round((this.into.clientWidth - 26 * scale()) / scale()));
  }

  /** Shows that there is nothing to show. */
  empty(): void {
    this.fork = null;
    this.cursors = [];
    this.note.textContent = "";
    this.into.replaceChildren(
      el("p", { class: "quiet" }, "No fork so far: every node that runs follows one history."),
    );
  }

  show(fork: Fork, number: string, scene: Scene): void {
    this.fork = fork;
    this.scene = scene;
    this.note.textContent = number;
    this.render();
  }

  /** Moves the line of the present. */
  at(scene: Scene): void {
    this.scene = scene;
    const fork = this.fork;
    if (!fork) return;
    const x = this.x(fork)(scene.time);
    for (const cursor of this.cursors) {
      cursor.setAttribute("transform", `translate(${x} 0)`);
      cursor.setAttribute("visibility", x >= 0 && x <= this.width ? "visible" : "hidden");
    }
  }

  private render(): void {
    const fork = this.fork as Fork;
    this.cursors = [];
    this.width = this.measure();
    this.into.replaceChildren(
      el("p", { class: "headline" }, ...headline(fork)),
      el("div", { class: "branches" }, ...fork.branches.map((branch, index) => this.branch(fork, branch, index))),
      ...this.disagreement(fork),
      this.timeline(fork),
      el("h3", {}, "How it ended"),
      el("p", { class: "cause" }, cause(fork)),
    );
    this.at(this.scene);
  }

  private branch(fork: Fork, branch: Branch, index: number): HTMLElement {
    const verdict =
      fork.winner === null ? null : index === fork.winner ? el("span", { class: "tag won" }, "won") : el("span", { class: "tag lost" }, "lost");
    const blocks = branch.blocks.map((block) =>
      el(
        "li",
        {},
        button(
          `${block.height} ${shortBlock(block.block)}`,
          `${block.block}\nby ${block.miner ?? "an unknown miner"}, ${count(block.txs, "transaction")}`,
          () => this.listener.select(block.block),
          "chip",
        ),
        el("span", { class: "muted" }, `${block.miner ?? "?"}${block.txs > 1 ? `, ${count(block.txs - 1, "payment")}` : ""}`),
      ),
    );
    if (branch.blocks_left_out > 0) {
      blocks.splice(blocks.length / 2, 0, el("li", { class: "muted" }, count(branch.blocks_left_out, "more block")));
    }
    return el(
      "section",
      { class: `branch ${sideClass(branch.letter)}`, "aria-label": `Branch ${branch.letter}` },
      el("h3", {}, mark(branch.letter), el("span", {}, `Branch ${branch.letter}`), verdict),
      el("p", {}, `${count(branch.blocks.length + branch.blocks_left_out, "block")} up to height ${branch.height}, mined by ${list(branch.miners)}`),
      el("ol", { class: "chain" }, ...blocks),
      el("p", {}, el("b", {}, "Followed by "), list(branch.nodes, 8)),
      el(
        "p",
        { class: "now" },
        el("b", {}, `At ${moment(this.scene.time, this.scene.end)} `),
        branch.now_nodes === 0 ? "nobody" : `${count(branch.now_nodes, "node")}: ${list(branch.now, 4)}`,
        branch.now_hash_share ? `, ${percent(branch.now_hash_share)} of hash power` : "",
      ),
    );
  }

  private x(fork: Fork): (time: number) => number {
    const [from, to] = span(fork, this.scene.end);
    return (time) => ((time - from) / (to - from)) * this.width;
  }

  private timeline(fork: Fork): HTMLElement {
    const [from, to] = span(fork, this.scene.end);
    const powers = fork.shares.some((share) => share.hash.some((value) => value > 0));
    const choose = powers
      ? button(this.byHash ? "Show nodes" : "Show hash power", "What the areas are shares of", () => {
          this.byHash = !this.byHash;
          this.render();
        })
      : null;
    const axis = el("p", { class: "axis" }, el("span", {}, moment(Math.max(0, from), this.scene.end)), el("span", {}, moment(to, this.scene.end)));
    return el(
      "section",
      { class: "timeline", "aria-label": "Who was on which branch, and for how long" },
      el("h3", {}, "Who was where", choose),
      this.shares(fork),
      fork.stays.length > 0 && fork.stays.length <= MAX_ROWS ? this.stays(fork) : null,
      axis,
      el("details", {}, el("summary", {}, "As a table"), staysTable(fork, this.scene.end)),
    );
  }

  /** Stacked areas: how many nodes (or how much hash power) each branch had. */
  private shares(fork: Fork): SVGElement {
    const x = this.x(fork);
    const height = CHART_HEIGHT;
    const picture = this.chart(height, "Share of each branch over time");
    const values = (share: { nodes: number[]; hash: number[] }) =>
      this.byHash ? share.hash : share.nodes.map((nodes) => nodes / Math.max(1, fork.of_nodes));
    const right = fork.resolved_us ?? this.scene.end;
    fork.branches.forEach((branch, index) => {
      let path = "";
      const tops: [number, number, number][] = [];
      fork.shares.forEach((share, at) => {
        const here = values(share)[index] ?? 0;
        const below = base(values(share), index);
        const next = fork.shares[at + 1]?.t_us ?? Math.max(right, span(fork, this.scene.end)[1]);
        tops.push([x(share.t_us), x(next), below + here]);
        if (here <= 0) return;
        const [left, end] = [x(share.t_us), x(next)];
        path += `M${left} ${below * height}H${end}V${(below + here) * height}H${left}Z`;
      });
      picture.append(svg("path", { d: path, class: `area ${sideClass(branch.letter)}` }));
      // A letter where the branch had the most for the longest.
      let best: { weight: number; x: number; y: number } | null = null;
      fork.shares.forEach((share, at) => {
        const here = values(share)[index] ?? 0;
        const below = base(values(share), index);
        const [left, end] = [tops[at]?.[0] ?? 0, tops[at]?.[1] ?? 0];
        const weight = here * Math.min(end - left, this.width);
        if (here > 0.12 && end - left > 18 && (!best || weight > best.weight)) {
          best = { weight, x: (left + end) / 2, y: (below + here / 2) * height };
        }
      });
      const place = best as { x: number; y: number } | null;
      if (place) {
        picture.append(svg("text", { x: place.x, y: place.y, class: `area-letter ${sideClass(branch.letter)}` }, branch.letter));
      }
    });
    this.edges(picture, fork, height);
    return picture;
  }

  /** One row for each node: a bar for each stay on a branch. */
  private stays(fork: Fork): HTMLElement {
    const x = this.x(fork);
    const row = fork.stays.length > 16 ? 11 : 15;
    const height = fork.stays.length * row;
    const picture = this.chart(height, "Each node's stay on each branch");
    picture.classList.add("stays");
    fork.stays.forEach(({ node, stays }, index) => {
      const y = index * row;
      for (const stay of stays) {
        const letter = fork.branches[stay.branch]?.letter;
        const left = Math.max(0, x(stay.from_us));
        const right = Math.min(this.width, x(stay.to_us ?? Math.max(fork.resolved_us ?? 0, span(fork, this.scene.end)[1])));
        const bar = svg(
          "rect",
          { x: left, y: y + 1.5, width: Math.max(1.5, right - left), height: row - 3, rx: 2, class: `bar ${sideClass(letter)}` },
          svg("title", {}, stayWords(node, stay, letter ?? "?", this.scene.end)),
        );
        picture.append(bar);
        if (row > 12 && right - left > 22) {
          picture.append(svg("text", { x: left + 9, y: y + row / 2 + 0.5, class: `bar-letter ${sideClass(letter)}` }, letter));
        }
      }
    });
    this.edges(picture, fork, height);
    const names = el("div", { class: "stay-names" }, ...fork.stays.map(({ node }) => el("span", {}, node)));
    names.style.lineHeight = `${row * scale()}px`;
    return el("div", { class: "stay-rows" }, names, picture);
  }

  private chart(height: number, label: string): SVGSVGElement {
    const picture = svg("svg", {
      viewBox: `0 0 ${this.width} ${height}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": label,
      class: "chart",
    });
    picture.style.height = `${height * scale()}px`;
    picture.addEventListener("click", (event) => {
      const box = picture.getBoundingClientRect();
      const [from, to] = span(this.fork as Fork, this.scene.end);
      this.listener.seek(from + ((event.clientX - box.left) / box.width) * (to - from));
    });
    return picture;
  }

  /** Where it opened, where it ended, and the present. */
  private edges(picture: SVGSVGElement, fork: Fork, height: number): void {
    const x = this.x(fork);
    for (const time of [fork.opened_us, fork.resolved_us]) {
      if (time !== null) picture.append(svg("path", { d: `M${x(time)} 0V${height}`, class: "edge" }));
    }
    const cursor = svg("path", { d: `M0 0V${height}`, class: "cursor" });
    this.cursors.push(cursor);
    picture.append(cursor);
  }

  private disagreement(fork: Fork): HTMLElement[] {
    if (!fork.transactions_known) {
      return [el("h3", {}, "What they disagree about"), el("p", { class: "quiet" }, "This run's log does not tell of transactions.")];
    }
    if (fork.transactions.length === 0) {
      return [el("h3", {}, "What they disagree about"), el("p", { class: "quiet" }, "Nothing: the same payments are in all branches.")];
    }
    const items = fork.transactions.map((tx) => {
      const places = fork.branches.flatMap((branch, index) => {
        const block = tx.blocks[index];
        return block ? [mark(branch.letter), button(shortBlock(block), `In block ${block}`, () => this.listener.select(block), "chip")] : [];
      });
      return el(
        "li",
        { class: tx.lost ? "lost" : "stays" },
        el(
          "p",
          {},
          button(name(tx), tx.tx, () => this.listener.select(tx.tx), "chip"),
          tx.lost ? el("span", { class: "tag lost" }, "lost") : null,
          el("span", { class: "muted" }, "only in"),
          ...places,
        ),
        tx.why ? el("p", {}, tx.why) : null,
      );
    });
    const more = fork.transactions_left_out;
    return [
      el("h3", {}, "What they disagree about"),
      el("ul", { class: "differences" }, ...items),
      ...(more > 0 ? [el("p", { class: "muted" }, count(more, "more transaction"))] : []),
    ];
  }
}

/** Where a branch's area begins: from the top on, the last branch up from the bottom. */
function base(values: number[], index: number): number {
  if (index > 0 && index === values.length - 1) return 1 - (values[index] ?? 0);
  return values.slice(0, index).reduce((sum, value) => sum + value, 0);
}

function name(tx: TxDifference): string {
  return tx.label ? `${tx.label} (${shortTx(tx.tx)})` : shortTx(tx.tx);
}

/** From a little before its opening to a little after its end. */
function span(fork: Fork, end: number): [number, number] {
  const to = fork.resolved_us ?? end;
  const margin = Math.max(1, (to - fork.opened_us) * 0.06);
  return [fork.opened_us - margin, to + margin];
}

function headline(fork: Fork): (string | Node)[] {
  const parts: (string | Node)[] = [];
  const lasted = fork.resolved_us === null ? null : fork.resolved_us - fork.opened_us;
  const sides = fork.branches.filter((branch) => branch.nodes.length > 0);
  const is = lasted === null ? "is" : "was";
  const time = lasted === null ? "" : ` for ${duration(lasted)}`;
  parts.push(`Above block ${fork.height} the history ${is} in ${fork.branches.length} branches${time}: `);
  sides.forEach((branch, index) => {
    if (index > 0) parts.push(index === sides.length - 1 ? " and " : ", ");
    parts.push(mark(branch.letter), ` followed by ${list(branch.nodes)}`);
  });
  parts.push(sides.length > 0 ? ". " : "no node follows any of them. ");
  if (fork.winner !== null) {
    const winner = fork.branches[fork.winner];
    if (winner) parts.push(mark(winner.letter), ` won${SHORTLY[fork.cause ?? ""] ?? ""}.`);
  }
  return parts;
}

const SHORTLY: Record<string, string> = {
  more_work: ": it had more work",
  equal_work: ": a tie was broken",
  unfollowed: ": nobody followed another",
  followers_stopped: ": the others' nodes stopped",
};

const CAUSES: Record<string, string> = {
  more_work: "One branch had more work: every node that heard of it went over to it, as the rule says.",
  equal_work: "The branches had equal work; nodes came over when the tie was broken.",
  unfollowed: "No node ever followed another branch: its blocks came second everywhere.",
  followers_stopped: "The nodes on the other branches stopped.",
  abandoned: "The branch that this fork stood on lost, and all its branches with it.",
};

function cause(fork: Fork): string {
  if (fork.resolved_us === null) return "It has not ended: nodes still follow different branches.";
  const why = CAUSES[fork.cause ?? ""] ?? "";
  const winner = fork.winner === null ? undefined : fork.branches[fork.winner];
  const losers = fork.branches.filter((_, index) => index !== fork.winner);
  const lengths =
    winner && losers.length > 0
      ? ` ${winner.letter} had ${count(winner.blocks.length + winner.blocks_left_out, "block")}, ${losers
          .map((branch) => `${branch.letter} ${branch.blocks.length + branch.blocks_left_out}`)
          .join(", ")}.`
      : "";
  const reorged =
    fork.nodes_reorged.length > 0
      ? ` ${list(fork.nodes_reorged)} gave up ${count(fork.deepest_reorg, "block")} and took those of the winner instead.`
      : "";
  const stale = fork.stale_blocks === null ? "" : ` ${count(fork.stale_blocks, "block")} of work went stale.`;
  return `${why}${lengths}${reorged}${stale}`;
}

function stayWords(node: string, stay: Stay, letter: string, end: number): string {
  const to = stay.to_us ?? end;
  return `${node} on ${letter} for ${duration(to - stay.from_us)}: ${moment(stay.from_us, end)} to ${stay.to_us === null ? "the end" : moment(to, end)}`;
}

function staysTable(fork: Fork, end: number): HTMLElement {
  const rows = fork.stays.flatMap(({ node, stays }) =>
    stays.map((stay) => [
      node,
      fork.branches[stay.branch]?.letter ?? "?",
      moment(stay.from_us, end),
      stay.to_us === null ? "the end" : moment(stay.to_us, end),
      duration((stay.to_us ?? end) - stay.from_us),
    ]),
  );
  if (rows.length > 0) return table("Stays on branches", ["Node", "Branch", "From", "To", "For"], rows);
  const shares = fork.shares.map((share) => [moment(share.t_us, end), ...share.nodes.map((nodes) => `${nodes} (${percent(nodes / Math.max(1, fork.of_nodes))})`)]);
  return table("Nodes on each branch", ["From", ...fork.branches.map((branch) => branch.letter)], shares);
}

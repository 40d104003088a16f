// What happened, as lists: events with a filter, nodes, transactions, steps. A click shows the moment, or chooses the thing.

import type { Events, Moment, Run, Step, Transaction } from "./api";
import { button, el, table, the } from "./dom";
import { mark } from "./marks";
import { TABS, type Tab } from "./view";
import { count, duration, moment, percent, shortBlock, shortTx } from "./words";

export interface LogListener {
  seek(time: number): void;
  select(id: string): void;
  tab(tab: Tab): void;
  filter(kind: string, node: string, text: string): void;
}

export class LogPanel {
  private readonly into = the("log");
  private readonly form = the<HTMLFormElement>("filter");
  private readonly kind = the<HTMLSelectElement>("filter-kind");
  private readonly node = the<HTMLSelectElement>("filter-node");
  private readonly text = the<HTMLInputElement>("filter-text");
  private tab: Tab = "events";

  constructor(private readonly listener: LogListener) {
    for (const tab of TABS) {
      the(`tab-${tab}`).addEventListener("click", () => this.listener.tab(tab));
      the(`tab-${tab}`).addEventListener("keydown", (event) => {
        const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (by === 0) return;
        event.stopPropagation();
        const next = TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] as Tab;
        this.listener.tab(next);
        the(`tab-${next}`).focus();
      });
    }
    const filter = () => this.listener.filter(this.kind.value, this.node.value, this.text.value.trim());
    this.form.addEventListener("input", filter);
    this.form.addEventListener("submit", (event) => event.preventDefault());
  }

  furnish(run: Run): void {
    const option = (value: string, words = value) => el("option", { value }, words);
    this.kind.replaceChildren(option("", "all but messages"), option("all", "all"), ...run.kinds.map((kind) => option(kind, kind.replaceAll("_", " "))));
    this.node.replaceChildren(option("", "all"), ...run.participants.map((node) => option(node.name)));
  }

  setFilter(kind: string, node: string, text: string): void {
    this.kind.value = kind;
    this.node.value = node;
    if (this.text.value.trim() !== text) this.text.value = text;
  }

  choose(tab: Tab): void {
    this.tab = tab;
    for (const other of TABS) {
      const chosen = other === tab;
      the(`tab-${other}`).setAttribute("aria-selected", String(chosen));
      the(`tab-${other}`).tabIndex = chosen ? 0 : -1;
    }
    this.into.setAttribute("aria-labelledby", `tab-${tab}`);
    this.form.hidden = tab !== "events";
  }

  focusFilter(): void {
    this.listener.tab("events");
    this.text.focus();
  }

  showEvents(events: Events, time: number, end: number): void {
    if (this.tab !== "events") return;
    if (events.events.length === 0) {
      this.into.replaceChildren(el("p", { class: "quiet" }, "No such event until now."));
      return;
    }
    const rows = events.events.map((event) =>
      el(
        "tr",
        { class: event.t_us === time ? "present" : "" },
        el("td", { class: "time" }, button(moment(event.t_us, end), "Show this moment", () => this.listener.seek(event.t_us), "chip")),
        el("td", { class: "who" }, event.node ?? ""),
        el("td", {}, el("span", { class: `kind kind-${family(event.kind)}` }, event.kind.replaceAll("_", " ")), ` ${event.words}`),
      ),
    );
    const more = events.more ? el("p", { class: "quiet" }, "Earlier ones: go back in time, or filter.") : null;
    const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "When"), el("th", { scope: "col" }, "Node"), el("th", { scope: "col" }, "What")));
    const list = el("table", { class: "events" }, el("caption", { class: "hidden" }, "Events until this moment, the newest first"), head, el("tbody", {}, ...rows));
    this.into.replaceChildren(list, ...(more ? [more] : []));
  }

  showNodes(now: Moment, selected: string | null): void {
    if (this.tab !== "nodes") return;
    const shown = now.nodes.slice(0, 1_000);
    const rows = shown.map((node) => {
      const letter = node.side === null ? "" : (now.sides[node.side]?.letter ?? "");
      return [
        button(node.name, "Choose this node", () => this.listener.select(node.name), `chip${node.name === selected ? " selected" : ""}`),
        node.state === "behind" ? el("span", { class: "tag warn" }, "behind") : node.state,
        letter ? mark(letter) : "",
        String(node.height),
        button(shortBlock(node.tip), node.tip, () => this.listener.select(node.tip), "chip"),
        String(node.peers),
        String(node.mined),
        String(node.reorgs),
        node.hash_share > 0 ? percent(node.hash_share) : "",
      ];
    });
    this.into.replaceChildren(
      table("Nodes at this moment", ["Node", "State", "Branch", "Height", "Tip", "Peers", "Mined", "Reorgs", "Hash power"], rows),
    );
  }

  showTransactions(transactions: { transactions: Transaction[]; left_out: number }, end: number, selected: string | null): void {
    if (this.tab !== "transactions") return;
    if (transactions.transactions.length === 0) {
      this.into.replaceChildren(el("p", { class: "quiet" }, "No transaction so far, coinbases aside."));
      return;
    }
    const rows = transactions.transactions.map((tx) => [
      button(tx.label ? `${tx.label} (${shortTx(tx.tx)})` : shortTx(tx.tx), tx.tx, () => this.listener.select(tx.tx), `chip${tx.tx === selected ? " selected" : ""}`),
      moment(tx.first_seen_us, end),
      tx.state,
      el(
        "span",
        {},
        ...tx.confirmed_in.flatMap((place) => [
          place.side ? mark(place.side) : null,
          button(`${place.height} ${shortBlock(place.block)}`, place.block, () => this.listener.select(place.block), "chip"),
        ]),
      ),
      tx.refused ?? "",
    ]);
    const more = transactions.left_out > 0 ? [el("p", { class: "quiet" }, `${count(transactions.left_out, "older transaction")} left out`)] : [];
    this.into.replaceChildren(table("Transactions until this moment", ["Transaction", "First seen", "State", "In", "Refused by others"], rows), ...more);
  }

  showSteps(steps: Step[], end: number): void {
    if (this.tab !== "steps") return;
    const rows = steps.map((step) => [
      String(step.number),
      el("span", { class: `tag ${step.state === "failed" ? "lost" : step.state === "passed" ? "won" : ""}` }, step.state),
      step.started_us === null ? "" : button(moment(step.started_us, end), "Show this moment", () => this.listener.seek(step.started_us as number), "chip"),
      step.took_us === null ? "" : duration(step.took_us),
      el("code", {}, step.text),
      step.found ?? "",
    ]);
    this.into.replaceChildren(table("Steps of the scenario", ["", "State", "Begun", "Took", "Step", "Found"], rows));
  }
}

/** What an event is about, for its colour. */
function family(kind: string): string {
  if (kind.startsWith("fork") || kind === "reorg") return "fork";
  if (kind.startsWith("block") || kind === "header_accepted" || kind.startsWith("orphan") || kind === "tip_changed") return "block";
  if (kind.startsWith("tx")) return "tx";
  if (kind.startsWith("peer") || kind === "partition" || kind === "heal" || kind === "link_changed") return "link";
  return "run";
}

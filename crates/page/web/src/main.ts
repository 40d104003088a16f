// The page: one clock, and panels that ask the server what to show at its time.

import "./page.css";
import { ask, askMoment, type Cursor, type Events, type Fork, type Mark, type Moment, type News, Refused, type Run, type Spread, type Step, type Transaction, type Tree } from "./api";
import { Clock, SPEEDS } from "./clock";
import { control, takeToken } from "./control";
import { el, the } from "./dom";
import { ForkPanel } from "./fork";
import { bind, key } from "./keys";
import { Latest } from "./latest";
import { LogPanel } from "./log";
import { NetworkPanel } from "./network";
import { Scrubber } from "./scrubber";
import { SpreadPanel } from "./spread";
import { story } from "./story";
import { theme } from "./theme";
import { TreePanel } from "./tree";
import { fromAddress, type Tab, toAddress, type View } from "./view";
import { count, duration, moment } from "./words";

/** Rows of the tree that are asked for: those above them are seen by going back in time. */
const TREE_ROWS = 500;

class Page {
  private readonly clock = new Clock();
  private readonly view: View = fromAddress(location.search);
  private marks: Mark[] = [];
  private revision = 0;
  private cursor: Cursor = { revision: 0, end_us: 0, ended: null, trouble: null };
  private shownFork: Fork | null = null;
  private seekToFork: number | null = null;
  private now: Moment | null = null;

  private readonly scrubber = new Scrubber(the<HTMLCanvasElement>("marks"), the<HTMLInputElement>("seek"), hover);
  private readonly tree = new TreePanel(the("tree"), the("tree-note"), the<HTMLButtonElement>("tree-follow"), { select: (id) => this.select(id) });
  private readonly fork = new ForkPanel(the("fork"), the("fork-note"), { select: (id) => this.select(id), seek: (time) => this.clock.seek(time) });
  private readonly network = new NetworkPanel(the<HTMLCanvasElement>("network"), the("network-twin"), the("network-note"), the<HTMLButtonElement>("network-reset"), {
    select: (node) => this.select(node),
    hover,
  });
  private readonly spread = new SpreadPanel(the("spread"), the("spread-note"), the<HTMLButtonElement>("spread-table-switch"), { select: (id) => this.select(id), hover });
  private readonly log = new LogPanel({
    seek: (time) => this.clock.seek(time),
    select: (id) => this.select(id),
    tab: (tab) => this.choose(tab),
    filter: (kind, node, text) => {
      Object.assign(this.view, { kind, node, text });
      this.changed();
    },
  });

  private readonly news = new Latest<News>((query) => ask(`news?${query}`), (news) => this.take(news), trouble);
  private readonly moment = new Latest<Moment>((query) => askMoment(query, this.run), (now) => this.showMoment(now), trouble);
  private readonly treeAt = new Latest<Tree>((query) => ask(`tree?${query}`), (tree) => this.tree.show(tree), trouble);
  private readonly spreadAt = new Latest<Spread>((query) => ask(`spread?${query}`), (spread) => this.spread.show(spread, this.clock.end), trouble);
  private readonly forkAt = new Latest<Fork>((query) => ask(`fork?${query}`), (fork) => this.showFork(fork), trouble);
  private readonly events = new Latest<Events>((query) => ask(`events?${query}`), (events) => this.log.showEvents(events, this.clock.time, this.clock.end), trouble);
  private readonly steps = new Latest<{ steps: Step[] }>((query) => ask(`steps?${query}`), ({ steps }) => this.log.showSteps(steps, this.clock.end), trouble);
  private readonly transactions = new Latest<{ transactions: Transaction[]; left_out: number }>(
    (query) => ask(`transactions?${query}`),
    (answer) => this.log.showTransactions(answer, this.clock.end, this.view.selected),
    trouble,
  );

  constructor(private readonly run: Run) {
    document.title = `${run.scenario} - nakanet`;
    the("scenario").textContent = run.scenario;
    the("facts").textContent = `seed ${run.seed}, ${count(run.participants.length, "node")}, ${run.engine === "sim" ? "virtual time" : "real nodes"}`;
    this.log.furnish(run);
    this.log.setFilter(this.view.kind, this.view.node, this.view.text);
    this.log.choose(this.view.tab);
    this.buttons();
    const redraw = () => {
      this.network.redraw();
      this.spread.redraw();
      this.scrubber.redraw();
    };
    const toggleTheme = theme(the<HTMLButtonElement>("theme"), redraw);
    this.bindKeys(toggleTheme);
    this.clock.onChange(() => this.changed());
    const token = takeToken();
    if (run.control && token) control(run, token);
    this.listen();
  }

  private buttons(): void {
    the("play").addEventListener("click", () => this.clock.toggle());
    the("back").addEventListener("click", () => void this.step(-1));
    the("step").addEventListener("click", () => void this.step(1));
    the("end").addEventListener("click", () => this.clock.follow());
    the("fork-next").addEventListener("click", () => this.nextFork(1));
    the("fork-previous").addEventListener("click", () => this.nextFork(-1));
    const speed = the<HTMLSelectElement>("speed");
    speed.append(...SPEEDS.map((value) => el("option", { value: String(value) }, `${value.toLocaleString("en")}x`)));
    speed.addEventListener("change", () => this.clock.setSpeed(Number(speed.value)));
    const seek = the<HTMLInputElement>("seek");
    seek.addEventListener("input", () => {
      this.clock.playing = false;
      this.clock.seek(Number(seek.value));
    });
  }

  private bindKeys(toggleTheme: () => void): void {
    bind([
      { keys: "F", words: "next fork", matches: key("f"), act: () => this.nextFork(1) },
      { keys: "Shift F", words: "previous fork", matches: key("f", true), act: () => this.nextFork(-1) },
      { keys: "R", words: "next reorg", matches: key("r"), act: () => this.nextMark("reorg") },
      { keys: "P", words: "next partition", matches: key("p"), act: () => this.nextMark("partition") },
      { keys: "Space", words: "play or pause", matches: key(" "), act: () => this.clock.toggle() },
      { keys: "Right", words: "one event on", matches: key("ArrowRight"), act: () => void this.step(1) },
      { keys: "Left", words: "one event back", matches: key("ArrowLeft"), act: () => void this.step(-1) },
      { keys: "Shift Right", words: "a fiftieth of the run on", matches: key("ArrowRight", true), act: () => this.clock.seek(this.clock.time + this.clock.end / 50) },
      { keys: "Shift Left", words: "a fiftieth of the run back", matches: key("ArrowLeft", true), act: () => this.clock.seek(this.clock.time - this.clock.end / 50) },
      { keys: "Home", words: "to the beginning", matches: key("Home"), act: () => this.clock.seek(0) },
      { keys: "End", words: "to the end, and stay there", matches: key("End"), act: () => this.clock.follow() },
      { keys: "+", words: "faster", matches: key("+"), act: () => this.clock.shift(1) },
      { keys: "-", words: "slower", matches: key("-"), act: () => this.clock.shift(-1) },
      { keys: "/", words: "filter events", matches: key("/"), act: () => this.log.focusFilter() },
      { keys: "T", words: "dark or light", matches: key("t"), act: toggleTheme },
      { keys: "Escape", words: "choose nothing", matches: key("Escape"), act: () => this.select(null) },
    ]);
  }

  /** News come as a stream of small cursors; what is behind them is asked for. */
  private listen(): void {
    const stream = new EventSource("/api/stream");
    stream.addEventListener("cursor", (event) => {
      this.cursor = JSON.parse((event as MessageEvent<string>).data) as Cursor;
      trouble(this.cursor.trouble);
      if (this.cursor.revision !== this.revision) this.wantNews();
      this.badges();
    });
    stream.addEventListener("error", () => {
      if (!this.cursor.ended) trouble(new Error("the server is gone; what is shown is the last it said"));
    });
  }

  private take(news: News): void {
    // Marks of what goes on may have changed; a mark is known by its beginning.
    const identity = (mark: Mark) => `${mark.kind} ${mark.from_us} ${mark.fork ?? ""} ${mark.kind === "fork" ? "" : mark.words}`;
    const known = new Map(this.marks.map((mark) => [identity(mark), mark]));
    for (const mark of news.marks) known.set(identity(mark), mark);
    this.marks = [...known.values()].sort((a, b) => a.from_us - b.from_us);
    this.revision = news.revision;
    const first = this.clock.end === 0;
    this.scrubber.show(this.marks, news.end_us);
    if (first && this.view.time !== null) {
      this.clock.following = false;
      this.clock.end = news.end_us;
      this.clock.seek(this.view.time);
    } else if (this.clock.end === news.end_us) {
      this.changed();
    } else {
      this.clock.extend(news.end_us);
    }
    if (this.cursor.revision > news.revision) this.wantNews();
  }

  /** Asks for what has come since the last moment that is known. */
  private wantNews(): void {
    this.news.want(new URLSearchParams({ since: String(this.clock.end), revision: String(this.cursor.revision) }).toString());
  }

  private badges(): void {
    const { ended } = this.cursor;
    const live = the("live");
    live.textContent = ended ? "recorded" : "live";
    live.className = `badge ${ended ? "" : "live"}`;
    const verdict = the("verdict");
    verdict.textContent = ended ? ended.reason : "";
    verdict.hidden = !ended;
    if (ended) the("panel-control").hidden = true;
    verdict.className = `badge ${ended?.ok ? "good" : "bad"}`;
  }

  /** The clock, the filter or the choice is another: everything is asked for anew that hangs on them. */
  private changed(): void {
    const { clock, view } = this;
    view.time = clock.following ? null : clock.time;
    const time = Math.round(clock.time);
    const words = moment(time, clock.end);
    the("now").textContent = `${words} of ${moment(clock.end, clock.end)}`;
    this.scrubber.at(time, clock.end, words);
    the("play").textContent = clock.playing ? "Pause" : "Play";
    the("play").setAttribute("aria-pressed", String(clock.playing));
    the("end").setAttribute("aria-pressed", String(clock.following));
    the<HTMLSelectElement>("speed").value = String(clock.speed);
    this.fork.at({ time, end: clock.end });
    // The revision is part of the question only while what is shown may change with it.
    const query = (more: Record<string, string | number | null>) => {
      const parameters = new URLSearchParams({ t: String(time) });
      for (const [name, value] of Object.entries(more)) if (value !== null && value !== "") parameters.set(name, String(value));
      if (time >= clock.end || !this.cursor.ended) parameters.set("revision", String(this.revision));
      return parameters.toString();
    };
    this.moment.want(query({}));
    this.treeAt.want(query({ rows: TREE_ROWS }));
    this.spreadAt.want(query({}));
    const fork = view.fork ?? this.forkAtTime(time);
    if (fork === null) this.fork.empty();
    else this.forkAt.want(query({ id: fork }));
    if (view.tab === "events") this.events.want(query({ kind: view.kind, node: view.node, text: view.text }));
    if (view.tab === "steps") this.steps.want(query({}));
    if (view.tab === "transactions") this.transactions.want(query({}));
    this.remember();
  }

  private remember(): void {
    const address = toAddress(this.view);
    // While it plays, the address would change with every picture, which browsers forbid.
    if (!this.clock.playing && address !== location.search) history.replaceState(null, "", address);
  }

  private forks(): Mark[] {
    return this.marks.filter((mark) => mark.kind === "fork");
  }

  /** The fork that is open at a time, or else the last one before it, or else the first. */
  private forkAtTime(time: number): number | null {
    const forks = this.forks();
    const begun = forks.filter((mark) => mark.from_us <= time);
    const open = begun.filter((mark) => mark.to_us === null || mark.to_us > time);
    return (open[0] ?? begun[begun.length - 1] ?? forks[0])?.fork ?? null;
  }

  private nextFork(by: 1 | -1): void {
    const forks = this.forks();
    if (forks.length === 0) return;
    const at = forks.findIndex((mark) => mark.fork === this.view.fork);
    const next = this.view.fork === null ? (by === 1 ? 0 : forks.length - 1) : (at + by + forks.length) % forks.length;
    this.view.fork = forks[next]?.fork ?? null;
    this.seekToFork = this.view.fork;
    if (this.shownFork && this.shownFork.id === this.view.fork) this.showFork(this.shownFork);
    this.changed();
  }

  private nextMark(kind: Mark["kind"]): void {
    const marks = this.marks.filter((mark) => mark.kind === kind);
    const next = marks.find((mark) => mark.from_us > this.clock.time) ?? marks[0];
    if (next) this.clock.seek(next.from_us);
  }

  private async step(by: 1 | -1): Promise<void> {
    this.clock.playing = false;
    const { kind, node, text } = this.view;
    try {
      const next = await ask<{ t_us: number | null }>("step", { t: Math.round(this.clock.time), direction: by === 1 ? "on" : "back", kind, node, text });
      if (next.t_us !== null) this.clock.seek(next.t_us);
    } catch (error) {
      trouble(error);
    }
  }

  private showMoment(now: Moment): void {
    this.now = now;
    this.network.show(now);
    this.log.showNodes(now, this.view.selected);
    const waiting = this.cursor.ended ? `The run ended: ${this.cursor.ended.reason}.` : null;
    the("story").replaceChildren(...story(now, this.marks, this.clock.end, waiting));
  }

  private showFork(fork: Fork): void {
    this.shownFork = fork;
    const forks = this.forks();
    const place = forks.findIndex((mark) => mark.fork === fork.id) + 1;
    const state = fork.resolved_us === null ? "open" : `over after ${duration(fork.resolved_us - fork.opened_us)}`;
    this.fork.show(fork, `${place} of ${forks.length}, ${state}`, { time: this.clock.time, end: this.clock.end });
    if (this.seekToFork === fork.id) {
      this.seekToFork = null;
      this.clock.seek(fork.widest_us);
    }
  }

  private choose(tab: Tab): void {
    this.view.tab = tab;
    this.log.choose(tab);
    if (tab === "nodes" && this.now) this.log.showNodes(this.now, this.view.selected);
    this.changed();
  }

  /** Chooses a block, a transaction or a node. */
  private select(id: string | null): void {
    this.view.selected = id === this.view.selected ? null : id;
    const chosen = this.view.selected;
    this.tree.select(chosen);
    this.network.select(chosen);
    this.spread.select(chosen);
    if (chosen) this.tree.reveal(chosen);
    if (this.now) this.log.showNodes(this.now, chosen);
    const isNode = this.run.participants.some((node) => node.name === chosen);
    Object.assign(this.view, isNode ? { node: chosen, text: "" } : { node: "", text: chosen ?? "" });
    this.log.setFilter(this.view.kind, this.view.node, this.view.text);
    this.changed();
  }
}

/** Words beside the pointer. */
function hover(words: string | null, x: number, y: number): void {
  const tip = the("tip");
  tip.hidden = words === null;
  if (words === null) return;
  tip.textContent = words;
  const width = tip.offsetWidth;
  tip.style.left = `${Math.min(x + 14, window.innerWidth - width - 8)}px`;
  const below = y + 16;
  tip.style.top = `${below + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 10 : below}px`;
}

/** Says what went wrong, or that all is well again. */
function trouble(error: unknown): void {
  const place = the("trouble");
  place.hidden = error === null;
  if (error === null) return;
  place.textContent = error instanceof Refused || error instanceof Error ? error.message : String(error);
}

/** Waits until there is something to show: a page that is opened with a run is there before its log. */
function firstNews(): Promise<void> {
  return new Promise((resolve) => {
    const stream = new EventSource("/api/stream");
    stream.addEventListener("cursor", (event) => {
      const { revision } = JSON.parse((event as MessageEvent<string>).data) as Cursor;
      trouble(revision === 0 ? "the run has not begun yet" : null);
      if (revision === 0) return;
      stream.close();
      resolve();
    });
  });
}

async function begin(): Promise<void> {
  try {
    await firstNews();
    new Page(await ask<Run>("run"));
  } catch (error) {
    trouble(error);
  }
}

void begin();

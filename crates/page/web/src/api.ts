// What the server answers, and asking it. docs/PAGE.md tells of every route.

export interface Participant {
  name: string;
  hashrate: string;
  strategy: string;
  region?: string;
}

export interface Run {
  scenario: string;
  file: string;
  seed: string;
  engine: string;
  detail: string;
  tool_version: string;
  participants: Participant[];
  kinds: string[];
  control: boolean;
}

export interface Ended {
  reason: string;
  ok: boolean;
}

/** A small piece of news: how far the log has been read. */
export interface Cursor {
  revision: number;
  end_us: number;
  ended: Ended | null;
  /** Why the log cannot be read on. */
  trouble: string | null;
}

export type MarkKind = "fork" | "partition" | "reorg" | "step" | "control" | "stopped" | "failed";

/** A tick of the scrubber, or a span when it has an end that is not its beginning. */
export interface Mark {
  kind: MarkKind;
  from_us: number;
  /** None while it goes on. */
  to_us: number | null;
  words: string;
  /** The fork's number. */
  fork?: number;
}

export interface News extends Cursor {
  marks: Mark[];
  marks_left_out: number;
}

/** One group of nodes that follow one history. */
export interface Side {
  letter: string;
  tip: string;
  height: number;
  nodes: number;
  ranges: string[];
  hash_share: number;
}

export interface NodeState {
  name: string;
  running: boolean;
  state: "down" | "up" | "behind" | "paused";
  region: string;
  tip: string;
  height: number;
  /** Index in sides; none when it is on the common part. */
  side: number | null;
  group: number | null;
  peers: number;
  mined: number;
  reorgs: number;
  hash_share: number;
}

/** As it is sent: a column for each thing. */
interface MomentSent extends Omit<Moment, "nodes" | "links"> {
  tips: { block: string; height: number }[];
  nodes: {
    state: number[];
    tip: number[];
    side: (number | null)[];
    group: (number | null)[];
    peers: number[];
    mined: number[];
    reorgs: number[];
    power: number[];
  };
  links: number[][];
}

const STATES = ["down", "up", "behind", "paused"] as const;

export async function askMoment(query: string, run: Run): Promise<Moment> {
  const sent = await ask<MomentSent>(`moment?${query}`);
  const { tips, nodes } = sent;
  const links = sent.links.flatMap((after, node) => after.map((other): [number, number] => [node, other]));
  return {
    ...sent,
    links,
    nodes: nodes.tip.map((tip, node) => ({
      name: run.participants[node]?.name ?? String(node),
      running: nodes.state[node] !== 0,
      state: STATES[nodes.state[node] ?? 0] ?? "up",
      region: run.participants[node]?.region ?? "",
      tip: tips[tip]?.block ?? "",
      height: tips[tip]?.height ?? 0,
      side: nodes.side[node] ?? null,
      group: nodes.group[node] ?? null,
      peers: nodes.peers[node] ?? 0,
      mined: nodes.mined[node] ?? 0,
      reorgs: nodes.reorgs[node] ?? 0,
      hash_share: (nodes.power[node] ?? 0) / 1_000,
    })),
  };
}

export interface Moment {
  t_us: number;
  nodes: NodeState[];
  sides: Side[];
  /** Pairs of node numbers. */
  links: [number, number][];
  /** Names of the partitions in force. */
  cuts: string[];
  open_forks: number[];
  step: { number: number; of: number; text: string; state: string } | null;
  best_height: number;
}

/** What a lane has in a row: nothing, a block, a line, folded blocks, a line that others leave, and so on. */
export type Cell = " " | "o" | "|" | ":" | "+" | "-" | "x" | "T" | "7";

export interface TreeRow {
  /** A character for each lane, a Cell each. */
  cells: string;
  /** None when it is a block's. */
  kind?: "fork" | "fold";
  block?: string;
  height?: number;
  miner?: string;
  stale?: boolean;
  side?: string;
  payments?: number;
  tips?: string[];
  tip_count?: number;
  blocks?: number;
}

export interface Tree {
  rows: TreeRow[];
  rows_left_out: number;
  branches_left_out: number;
}

export interface BranchBlock {
  block: string;
  height: number;
  miner: string | null;
  txs: number;
}

export interface Branch {
  letter: string;
  tip: string;
  height: number;
  blocks: BranchBlock[];
  blocks_left_out: number;
  miners: string[];
  chain_work: string;
  /** Who was on it at some time. */
  nodes: string[];
  most_nodes: number;
  /** Who was on it at the moment asked for. */
  now: string[];
  now_nodes: number;
  now_hash_share: number | null;
  won: boolean | null;
}

export interface TxDifference {
  tx: string;
  label: string | null;
  /** For each branch, the block that has it. */
  blocks: (string | null)[];
  lost: boolean;
  why: string | null;
}

/** From when on how many nodes (or how much hash power) each branch had. */
export interface Share {
  t_us: number;
  nodes: number[];
  hash: number[];
}

export interface Stay {
  branch: number;
  from_us: number;
  to_us: number | null;
}

export interface Fork {
  id: number;
  point: string;
  height: number;
  opened_us: number;
  resolved_us: number | null;
  branches: Branch[];
  winner: number | null;
  cause: string | null;
  stale_blocks: number | null;
  deepest_reorg: number;
  nodes_reorged: string[];
  shares: Share[];
  shares_left_out: number;
  of_nodes: number;
  /** When the nodes were most at odds. */
  widest_us: number;
  stays: { node: string; stays: Stay[] }[];
  transactions: TxDifference[];
  transactions_left_out: number;
  transactions_known: boolean;
}

export interface SpreadBlock {
  block: string;
  height: number;
  miner: string | null;
  mined_us: number;
  /** Delays in microseconds by node number: none when it never had it, 0 for its miner. */
  delays: (number | null)[];
  p50_us: number | null;
  p90_us: number | null;
  p99_us: number | null;
  last_us: number | null;
  missing: number;
}

export interface Spread {
  blocks: SpreadBlock[];
  nodes: string[];
  nodes_left_out: number;
}

export interface LoggedEvent {
  seq: number;
  t_us: number;
  node: string | null;
  kind: string;
  words: string;
}

export interface Events {
  events: LoggedEvent[];
  more: boolean;
}

export interface Transaction {
  tx: string;
  label: string | null;
  first_seen_us: number;
  state: string;
  confirmed_in: { block: string; height: number; side: string | null }[];
  refused: string | null;
}

export interface Step {
  number: number;
  text: string;
  state: string;
  started_us: number | null;
  took_us: number | null;
  found: string | null;
}

/** Thrown when the server says why there is no answer. */
export class Refused extends Error {}

export async function ask<T>(path: string, parameters: Record<string, string | number | undefined> = {}): Promise<T> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  const response = await fetch(`/api/${path}${text && `?${text}`}`);
  return answer<T>(response);
}

export async function order(step: string, token: string): Promise<{ said: string }> {
  const response = await fetch("/api/control", {
    method: "POST",
    headers: { "content-type": "application/json", "x-nakanet-token": token },
    body: JSON.stringify({ step }),
  });
  return answer(response);
}

async function answer<T>(response: Response): Promise<T> {
  const body: unknown = await response.json();
  if (!response.ok) throw new Refused((body as { error?: string }).error ?? response.statusText);
  return body as T;
}

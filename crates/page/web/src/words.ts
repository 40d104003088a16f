// Times, counts and lists, as people read them.

import type { Moment } from "./api";

/** As the terminal writes it. */
export function duration(micros: number): string {
  const whole = Math.floor;
  const seconds = whole(micros / 1_000_000);
  if (micros <= 0) return "0 ms";
  if (micros < 10_000) return `${whole(micros / 1_000)}.${whole((micros % 1_000) / 100)} ms`;
  if (micros < 1_000_000) return `${whole(micros / 1_000)} ms`;
  if (seconds < 60) return `${seconds}.${whole((micros % 1_000_000) / 100_000)} s`;
  if (seconds < 3_600) return `${whole(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${whole(seconds / 3_600)} h ${whole(seconds / 60) % 60} min`;
  return `${whole(seconds / 86_400)} d ${whole(seconds / 3_600) % 24} h`;
}

/** A moment of the run, all of one run with the same number of digits. */
export function moment(micros: number, end: number): string {
  if (end < 600_000_000) return `${(micros / 1_000_000).toFixed(3)} s`;
  const seconds = Math.floor(micros / 1_000_000);
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const clock = `${two(Math.floor(seconds / 3_600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return days > 0 ? `${days} d ${clock}` : clock;
}

/** A block's last eight digits: the first are zeros. */
export function shortBlock(id: string): string {
  return id.slice(-8);
}

/** A transaction's first eight digits. */
export function shortTx(id: string): string {
  return id.slice(0, 8);
}

export function count(number: number, word: string): string {
  return `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
}

export function percent(share: number): string {
  const value = share * 100;
  return `${value > 0 && value < 10 && value % 1 !== 0 ? value.toFixed(1) : Math.round(value)} %`;
}

/** `n0..n3 and n5`; at most so many, the rest is counted. */
export function list(ranges: string[], most = 6): string {
  if (ranges.length === 0) return "nobody";
  const shown = ranges.slice(0, most);
  const more = ranges.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  const last = shown.pop() as string;
  return shown.length > 0 ? `${shown.join(", ")} and ${last}` : last;
}

/** Where the nodes of a side are, by its index: some may still be on their way to its tip. */
export function heights(now: Moment, side: number): string {
  const height = now.sides[side]!.height;
  const isBehind = now.nodes.some((node) => node.running && node.side === side && node.height < height);
  return `${isBehind ? "up to" : "at"} height ${height}`;
}

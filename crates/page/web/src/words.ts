// Times, counts and lists, as people read them.

export function duration(micros: number): string {
  if (micros < 1_000) return `${micros} µs`;
  if (micros < 1_000_000) return `${significant(micros / 1_000)} ms`;
  if (micros < 60_000_000) return `${significant(micros / 1_000_000)} s`;
  const seconds = Math.round(micros / 1_000_000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

function significant(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toFixed(digits);
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

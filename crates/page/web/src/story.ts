// One sentence that says what is going on at the moment shown.

import type { Mark, Moment } from "./api";
import { el } from "./dom";
import { mark } from "./marks";
import { count, heights, list, moment } from "./words";

export function story(now: Moment, marks: Mark[], end: number, waiting: string | null): (Node | string)[] {
  const parts: (Node | string)[] = [el("b", { class: "when" }, moment(now.t_us, end)), " "];
  const named = now.sides.map((side, index) => ({ ...side, index })).filter((side) => side.letter);
  if (named.length > 1) {
    parts.push(`${count(named.length, "history").replace("historys", "histories")} side by side: `);
    named.forEach((side, index) => {
      if (index > 0) parts.push("; ");
      parts.push(mark(side.letter), ` ${list(side.ranges, 4)} ${heights(now, side.index)}`);
    });
    const neither = now.nodes.filter((node) => node.running && node.side === null).length;
    parts.push(neither > 0 ? `; ${count(neither, "node")} on none of them yet. ` : ". ");
  } else if (now.sides.length > 0) {
    const up = now.nodes.filter((node) => node.running).length;
    const at = now.nodes.filter((node) => node.running && node.height === now.best_height).length;
    parts.push(up === at ? `All ${up} nodes agree at height ${now.best_height}. ` : `${at} of ${up} nodes are at height ${now.best_height}, the others on their way there. `);
  } else {
    parts.push("No node runs. ");
  }
  if (now.cuts.length > 0) parts.push(`The network is cut (${list(now.cuts)}). `);
  const over = marks.filter((it) => it.kind === "fork" && it.to_us !== null && it.to_us <= now.t_us);
  const last = over[over.length - 1];
  if (named.length < 2 && last) parts.push(el("span", { class: "muted" }, `Before: ${last.words}. `));
  if (now.step) parts.push(el("span", { class: "muted" }, `Step ${now.step.number} of ${now.step.of}: `, el("code", {}, now.step.text)));
  else if (waiting) parts.push(el("span", { class: "muted" }, waiting));
  return parts;
}

// What is looked at, kept in the address: a link shows another what one sees.

export type Tab = "events" | "nodes" | "transactions" | "steps";
export const TABS: Tab[] = ["events", "nodes", "transactions", "steps"];

export interface View {
  /** The moment; none follows the end. */
  time: number | null;
  fork: number | null;
  /** A block, transaction or node that was chosen. */
  selected: string | null;
  tab: Tab;
  kind: string;
  node: string;
  text: string;
}

export function fromAddress(search: string): View {
  const query = new URLSearchParams(search);
  const number = (name: string) => {
    const text = query.get(name);
    return text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
  };
  const tab = query.get("tab") as Tab;
  return {
    time: number("t"),
    fork: number("fork"),
    selected: query.get("select"),
    tab: TABS.includes(tab) ? tab : "events",
    kind: query.get("kind") ?? "",
    node: query.get("node") ?? "",
    text: query.get("text") ?? "",
  };
}

export function toAddress(view: View): string {
  const query = new URLSearchParams();
  if (view.time !== null) query.set("t", String(Math.round(view.time)));
  if (view.fork !== null) query.set("fork", String(view.fork));
  if (view.selected) query.set("select", view.selected);
  if (view.tab !== "events") query.set("tab", view.tab);
  if (view.kind) query.set("kind", view.kind);
  if (view.node) query.set("node", view.node);
  if (view.text) query.set("text", view.text);
  const text = query.toString();
  return text ? `?${text}` : location.pathname;
}

// Live control: steps of the scenario language, handed to the run that is going on. Needs the token that `nakanet` printed.

import { order, Refused, type Run } from "./api";
import { button, el, the } from "./dom";

/** The token from the address, kept for this tab only and taken out of the address at once. */
export function takeToken(): string | null {
  const given = /^#token=([0-9a-f]{32})$/.exec(location.hash)?.[1];
  if (given) {
    sessionStorage.setItem("nakanet-token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem("nakanet-token");
}

export function control(run: Run, token: string): void {
  the("panel-control").hidden = false;
  const names = run.participants.map((node) => node.name);
  const half = Math.ceil(names.length / 2);
  const quote = (name: string) => JSON.stringify(name);
  const parts = (list: string[]) => `[${list.map(quote).join(", ")}]`;
  const said = el("p", { role: "status", class: "said" });
  const input = el("input", { type: "text", id: "step", spellcheck: "false", autocomplete: "off", maxlength: 4_000, "aria-label": "A step" });
  const choose = el("select", { "aria-label": "Which node" }, ...names.map((name) => el("option", { value: name }, name)));
  const send = async (step: string) => {
    said.textContent = "asked ...";
    try {
      said.textContent = (await order(step, token)).said;
    } catch (error) {
      said.textContent = error instanceof Refused ? error.message : "the run cannot be reached";
    }
  };
  const node = () => quote(choose.value);
  const other = () => quote(names[(names.indexOf(choose.value) + half) % names.length] ?? choose.value);
  let [cuts, funds, spends] = [0, 0, 0];
  const wallet = () => `by-hand-${Math.max(1, funds)}`;
  const actions: [string, string, () => string][] = [
    ["Cut in two", "The first half of the nodes from the second", () => `{ partition = [${parts(names.slice(0, half))}, ${parts(names.slice(half))}], as = "by-hand-${++cuts}" }`],
    ["Heal", "Undo the last cut made here", () => `{ heal = "by-hand-${Math.max(1, cuts)}" }`],
    ["Mine a block", "On the chosen node", () => `{ mine = 1, on = ${node()} }`],
    ["Fund", "A wallet, by the next blocks of the chosen node; its coins can be spent when they are mature", () => `{ fund = "by-hand-${++funds}", coins = 4, on = ${node()} }`],
    [
      "Double spend",
      "A coin of the last wallet, at the chosen node and at another",
      () => `{ double-spend = "${wallet()}", to = ["one", "other"], via = [${node()}, ${other()}], as = "spend-${++spends}" }`,
    ],
    ["Kill", "The chosen node, without warning", () => `{ kill = ${node()} }`],
    ["Start", "The chosen node again", () => `{ start = ${node()} }`],
  ];
  const buttons = actions.map(([text, title, step]) =>
    button(text, title, () => {
      input.value = step();
      void send(input.value);
    }),
  );
  const form = el("form", { class: "control" }, choose, ...buttons, input, el("button", { type: "submit" }, "Do it"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) void send(input.value.trim());
  });
  the("control").replaceChildren(form, said);
}

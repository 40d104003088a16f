// Keys, and the list of them.

import { el, the } from "./dom";

export interface Binding {
  keys: string;
  words: string;
  matches: (event: KeyboardEvent) => boolean;
  act: () => void;
}

export function bind(bindings: Binding[]): void {
  const dialog = the<HTMLDialogElement>("keys");
  const rows = bindings.map((binding) => el("tr", {}, el("th", { scope: "row" }, el("kbd", {}, binding.keys)), el("td", {}, binding.words)));
  (document.querySelector("#keys-table tbody") as HTMLElement).replaceChildren(...rows);
  the("help").addEventListener("click", () => dialog.showModal());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const target = event.target as HTMLElement;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && target.id !== "seek";
    if (typing) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === "?") {
      event.preventDefault();
      dialog.showModal();
      return;
    }
    // A button that has the focus is pressed by Space and Enter.
    if (event.key === " " && target.tagName === "BUTTON") return;
    const found = bindings.find((binding) => binding.matches(event));
    if (!found) return;
    event.preventDefault();
    found.act();
  });
}

/** Without regard to upper and lower case; with Shift only where it is asked for. */
export function key(name: string, shift = false): (event: KeyboardEvent) => boolean {
  return (event) => event.key.toLowerCase() === name.toLowerCase() && (event.shiftKey === shift || name.length === 1 && !/[a-z]/i.test(name));
}

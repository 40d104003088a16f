// Dark or light: as the system has it, until the user says otherwise.

import { forgetColours } from "./marks";

const KEY = "nakanet-theme";

export function dark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : !matchMedia("(prefers-color-scheme: light)").matches;
}

/** Sets up the switch; `changed` is called when canvases must be drawn anew. */
export function theme(control: HTMLButtonElement, changed: () => void): () => void {
  const label = () => {
    control.textContent = dark() ? "Light" : "Dark";
  };
  const look = () => {
    label();
    forgetColours();
    changed();
  };
  const kept = localStorage.getItem(KEY);
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  const toggle = () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(KEY, next);
    look();
  };
  control.addEventListener("click", toggle);
  matchMedia("(prefers-color-scheme: light)").addEventListener("change", look);
  label();
  return toggle;
}

// Elements. Text is only ever set as text: there is no way in here to make markup of it.

type Child = Node | string | null | undefined | false;

export interface Attributes {
  [name: string]: string | number | boolean | undefined;
}

/** The element with an id, which is there because index.html has it. */
export function the<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element as T;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return furnish(document.createElement(name), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

function furnish<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, String(value));
  }
  for (const child of children) {
    if (child) element.append(child);
  }
  return element;
}

/** A table with a head. Cells are text or elements. */
export function table(caption: string, head: string[], rows: Child[][]): HTMLTableElement {
  return el(
    "table",
    {},
    el("caption", { class: "hidden" }, caption),
    el("thead", {}, el("tr", {}, ...head.map((text) => el("th", { scope: "col" }, text)))),
    el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((cell) => el("td", {}, cell))))),
  );
}

/** A button that does something. */
export function button(text: string, title: string, act: () => void, className = ""): HTMLButtonElement {
  const made = el("button", { type: "button", title, class: className }, text);
  made.addEventListener("click", act);
  return made;
}

/** How much larger than usual text is, on very wide screens: lengths that are drawn in pixels grow with it. */
export function scale(): number {
  return Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 15;
}

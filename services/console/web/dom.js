// Elements from words and numbers: text is only ever text, never markup.

/** An element with properties (`on…` are listeners, others attributes; null and false leave one out) and children. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Show `children` in `place`; what had the keyboard keeps it where an element of the same id is there again. */
export function show(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  place.replaceChildren(...children.flat().filter(Boolean));
  if (focused) document.getElementById(focused)?.focus();
}

/** Have a screen reader say `text`, once. */
export function tell(text) {
  const told = document.getElementById("told");
  if (told.textContent !== text) told.textContent = text;
}

/** A table with a heading for each column; `rows` are lists of cells. On a narrow screen each row is a card. */
export function table(caption, columns, rows) {
  return el("table", {},
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map(({ title, kind }) => el("th", { scope: "col", class: kind }, title)))),
    el("tbody", {}, rows.map((cells) => el("tr", {}, cells.map((cell, place) =>
      el("td", { "data-title": columns[place].title, class: columns[place].kind }, cell))))));
}

/** Names and values, a pair each. */
export function facts(pairs) {
  return el("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** A labelled field, with a hint of what goes into it. */
export function field(text, input, hint = "") {
  if (hint) input.setAttribute("aria-describedby", `${input.id}-hint`);
  return el("div", {}, el("label", { for: input.id }, text), input,
    hint ? el("p", { class: "hint", id: `${input.id}-hint` }, hint) : null);
}

/** An error as the house tells it: what is wrong, and what to do. */
export function trouble(error, title = "") {
  const more = error.details.length - 20;
  return el("section", { class: "notice bad", "aria-label": `Error ${error.code}` },
    title ? el("h2", {}, title) : null,
    el("p", {}, el("strong", {}, error.code), error.row ? ` (row ${error.row})` : "", " ", error.message),
    error.action ? el("p", {}, el("b", {}, "What to do: "), error.action) : null,
    error.details.length ? el("ul", {}, error.details.slice(0, 20).map((each) =>
      el("li", {}, each.row ? `Row ${each.row}: ` : "", `${each.code} ${each.message} ${each.action}`))) : null,
    more > 0 ? el("p", {}, `… and ${more} more`) : null);
}

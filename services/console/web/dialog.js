// A question that has to be answered before anything happens.

import { el } from "./dom.js";

/** Ask; true where the person says yes. Escape is no. */
export function confirmed({ title, text, yes, danger = false }) {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    const answer = (value) => () => dialog.close(value);
    dialog.replaceChildren(
      el("h2", { id: "dialog-title" }, title),
      ...[text].flat().map((line) => (typeof line === "string" ? el("p", {}, line) : line)),
      el("div", { class: "actions" },
        el("button", { type: "button", class: danger ? "danger" : "primary", id: "yes", onclick: answer("yes") }, yes),
        el("button", { type: "button", id: "no", onclick: answer("no") }, "Not now")));
    dialog.returnValue = "no";
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    dialog.showModal();
    document.getElementById("no").focus();
  });
}

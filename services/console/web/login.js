// Logging in by the console's token, once.

import { post } from "./api.js";
import { el, field, show, trouble } from "./dom.js";

export const title = "Log in";

export function open(view, _parts, loggedIn) {
  const failure = el("div");
  const token = el("input", {
    id: "token", name: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: "false",
  });
  const name = el("input", { id: "person", name: "name", type: "text", autocomplete: "name", maxlength: "100" });
  async function logIn(event) {
    event.preventDefault();
    try {
      const session = await post("/session", { token: token.value, name: name.value });
      loggedIn(session);
    } catch (refusal) {
      show(failure, trouble(refusal.body));
      token.select();
    }
  }
  show(view,
    el("h1", {}, "Log in"),
    el("form", { class: "card narrow", onsubmit: logIn },
      field("Token", token, "tally up says where it is. The page does not keep it: it gets a session of twelve hours."),
      field("Your name", name, "What you approve, pause or cancel stands under it in the audit trail."),
      failure,
      el("div", { class: "actions" }, el("button", { class: "primary" }, "Log in"))));
  token.focus();
  return () => {};
}

// Which view is shown: by what stands behind the # of the address.

import { call, get } from "./api.js";
import * as job from "./job.js";
import * as jobs from "./jobs.js";
import * as login from "./login.js";
import * as submit from "./submit.js";

const VIEWS = [[/^#\/jobs\/([a-z0-9-]{1,40})$/, job], [/^#\/new$/, submit], [/^/, jobs]];
const view = document.getElementById("view");
let close = () => {};

function open(module, parts, ...more) {
  close();
  document.title = `${module.title} · Tallyman`;
  close = module.open(view, parts, ...more);
  window.scrollTo(0, 0);
}

function route(event) {
  const [pattern, module] = VIEWS.find(([each]) => each.test(location.hash));
  open(module, pattern.exec(location.hash).slice(1));
  for (const link of document.querySelectorAll("nav a")) {
    const isHere = link.getAttribute("href") === (location.hash || "#/");
    if (isHere) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (event && !view.contains(document.activeElement)) view.focus({ preventScroll: true });
}

function known(session) {
  document.getElementById("nav").hidden = false;
  document.getElementById("who").hidden = !session.needs_login;
  document.getElementById("name").textContent = session.name;
  window.addEventListener("hashchange", route);
  route();
}

function stranger() {
  document.getElementById("nav").hidden = true;
  document.getElementById("who").hidden = true;
  window.removeEventListener("hashchange", route);
  open(login, [], known);
}

window.addEventListener("stranger", stranger);
document.getElementById("log-out").addEventListener("click", async () => {
  await call("DELETE", "/session");
  stranger();
});
get("/session").then(known, (refusal) => {
  if (refusal.status === 401) return;
  view.textContent = refusal.body ? `${refusal.body.message} ${refusal.body.action}` : String(refusal);
});

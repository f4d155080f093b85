// A new job: what is to ship, what it would cost, and only then the order.

import { post } from "./api.js";
import { confirmed } from "./dialog.js";
import { el, facts, field, show, table, trouble } from "./dom.js";
import { count, money, rows as rowsOf, sourceName, words } from "./words.js";

export const title = "New job";

const SERVICES = [
  ["", "as each order says"],
  ["cheapest", "the cheapest for each order"],
  ...["ground", "3_day_select", "2nd_day_air", "2nd_day_air_am", "next_day_air_saver", "next_day_air", "next_day_air_early",
    "standard", "worldwide_express", "worldwide_express_plus", "worldwide_expedited", "worldwide_saver",
  ].map((name) => [name, words(name)]),
];
const KINDS = { csv: "csv", tsv: "csv", txt: "csv", xlsx: "excel", xlsm: "excel", parquet: "parquet" };
const COLUMNS = [
  { title: "Row", kind: "number" }, { title: "To" }, { title: "Service" }, { title: "Estimate", kind: "number" },
  { title: "What to know" },
];

export function open(view) {
  const answer = el("div", { "aria-live": "polite" });
  const form = el("form", { class: "card", onsubmit: preview, oninput: () => show(answer) },
    field("Source", el("input", { id: "source", required: true, placeholder: "orders.csv", spellcheck: "false", autocomplete: "off" }),
      "A CSV, Excel or Parquet file in a folder that the house may read, or a table as connection.table."),
    field("Only rows where", el("input", { id: "where", placeholder: "state = 'CA' AND weight < 20", spellcheck: "false", autocomplete: "off" }),
      "A condition over the source's columns, as in SQL; empty for every row."),
    el("div", { class: "columns" },
      field("Service", el("select", { id: "service" }, SERVICES.map(([value, text]) => el("option", { value }, text)))),
      field("Mapping", el("input", { id: "mapping", value: "auto", required: true, spellcheck: "false", autocomplete: "off" }))),
    el("fieldset", {},
      el("legend", {}, "Once it is taken in"),
      choice("confirm", "wait for my approval", true), choice("auto", "ship at once", false)),
    el("div", { class: "actions" }, el("button", { class: "primary", id: "preview" }, "Preview")));
  show(view, el("h1", {}, "New job"), form, answer);
  document.getElementById("source").focus();

  const value = (id) => document.getElementById(id).value.trim();

  function request() {
    const source = sourceOf(value("source"));
    return {
      source, name: sourceName(source).split("/").at(-1), where: value("where") || null, mapping: value("mapping"),
      service: value("service") || null, mode: form.elements.mode.value,
    };
  }

  async function preview(event) {
    event.preventDefault();
    const button = document.getElementById("preview");
    button.disabled = true;
    show(answer, el("p", { class: "card busy" }, "Reading the source and asking the carrier for prices …"));
    const wanted = request();
    try {
      const found = await post("/preview?limit=20", wanted);
      // The id is this preview's: however often the button is pressed, it is one job.
      show(answer, ...told(found, { ...wanted, request_id: newId(wanted.name) }));
    } catch (refusal) {
      if (!refusal.body) throw refusal;
      show(answer, trouble(refusal.body));
    } finally {
      button.disabled = false;
    }
  }

  async function submit(wanted, found) {
    const question = {
      title: `Ship ${rowsOf(found.to_ship)} for about ${money(found.estimate)}?`,
      text: "Labels are bought as soon as the job is taken in.", yes: `Ship for ${money(found.estimate)}`,
    };
    if (wanted.mode === "auto" && !(await confirmed(question))) return;
    try {
      const job = await post("/jobs", wanted);
      location.hash = `#/jobs/${job.job_id}`;
    } catch (refusal) {
      if (!refusal.body) throw refusal;
      answer.append(trouble(refusal.body));
    }
  }

  function told(found, wanted) {
    const rest = found.to_ship - found.rows.filter((row) => !row.skipped).length;
    return [
      el("h2", {}, `${rowsOf(found.to_ship)} for about ${money(found.estimate)}`),
      facts([
        ["Rows", count(found.total)], ["To ship", count(found.to_ship)],
        found.skipped ? ["Skipped", count(found.skipped)] : null,
        found.shipped_again ? ["Shipped before, and again", count(found.shipped_again)] : null,
        found.unrated ? ["Without a price", count(found.unrated)] : null,
        found.estimated ? ["Estimated by rows like it", count(found.estimated)] : null,
        found.warned ? ["With warnings", count(found.warned)] : null,
        ["Mapping", found.mapping],
      ]),
      ...found.problems.map((problem) => trouble(problem)),
      ...found.notes.map((note) => el("p", { class: "notice" }, note)),
      el("div", { class: "scroll" }, table("The first rows", COLUMNS, found.rows.map(cells))),
      rest > 0 ? el("p", { class: "hint" }, `… and ${count(rest)} more to ship`) : null,
      el("div", { class: "actions" },
        el("button", { type: "button", class: "primary", id: "submit", disabled: !found.to_ship, onclick: () => submit(wanted, found) },
          wanted.mode === "auto" ? `Ship for ${money(found.estimate)}` : "Submit the job"),
        el("p", { class: "hint" }, wanted.mode === "auto" ? "You are asked once more." : "Nothing ships before it is approved.")),
    ];
  }

  return () => {};
}

function cells(row) {
  return [
    count(row.row_number),
    [row.recipient, el("small", {}, row.destination)],
    words(row.service),
    money(row.estimate),
    [
      row.skipped ? el("p", {}, `skipped: ${row.skipped}`) : null,
      row.error ? el("p", { class: "bad" }, `${row.error.code} ${row.error.message} ${row.error.action}`) : null,
      ...row.warnings.map((warning) => el("p", {}, warning.message, warning.suggestion ? ` Suggested: ${warning.suggestion}` : "")),
    ],
  ];
}

/** A file by its suffix, else a table; what no source is called is left for the house to refuse. */
export function sourceOf(text) {
  const kind = KINDS[text.split(".").at(-1).toLowerCase()];
  const table_ = /^(\w+)\.(\w+(?:\.\w+)?)$/.exec(text);
  if (!kind && table_) return { kind: "database", connection: table_[1], table: table_[2] };
  return { kind: kind ?? "csv", path: text };
}

function newId(name) {
  const random = crypto.getRandomValues(new Uint8Array(8));
  return `${name.slice(0, 80)}-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function choice(value, text, checked) {
  return el("label", { class: "choice" }, el("input", { type: "radio", name: "mode", value, checked }), ` ${text}`);
}

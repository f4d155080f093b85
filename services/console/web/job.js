// One job: how far it is, what went wrong and what to do, its rows, and what a person may order.

import { get, post } from "./api.js";
import { confirmed } from "./dialog.js";
import { el, facts, show, table, tell, trouble } from "./dom.js";
import { badge, progress } from "./jobs.js";
import { every, heard } from "./live.js";
import { count, moment, money, rows as rowsOf, sourceName, words } from "./words.js";

export const title = "Job";

const PAGE = 50;
const ROW_STATES = ["pending", "in_flight", "shipped", "failed", "in_doubt", "skipped", "voiding", "voided"];
const COLUMNS = [
  { title: "Row", kind: "number" }, { title: "State" }, { title: "To" }, { title: "Service" }, { title: "Tracking number" },
  { title: "Cost", kind: "number" }, { title: "Write-back" }, { title: "What to know" },
];
const LIVE = new Set(["pending", "running"]);
const ASKED_AGAIN = new Set(["E-4030", "E-4031"]);

export function open(view, [jobId]) {
  const head = el("div");
  const refused = el("div", { role: "alert" });
  const list = el("div", { class: "scroll" });
  const filter = el("select", { id: "filter", onchange: () => turnTo([0]) },
    el("option", { value: "" }, "every state"), ROW_STATES.map((state) => el("option", { value: state }, words(state))));
  const pages = el("div", { class: "actions" });
  let job = null;
  let starts = [0];
  let stopHearing = null;
  let drawing = 0;
  let listed = "";

  show(view, head, refused,
    el("div", { class: "title" }, el("h2", {}, "Rows"), el("p", {}, el("label", { for: "filter" }, "Rows in "), filter)),
    list, pages);

  function take(now) {
    if (job && job.status !== now.status) tell(`The job is ${words(now.status)}.`);
    job = now;
    if (!drawing) drawing = requestAnimationFrame(draw);
  }

  function draw() {
    drawing = 0;
    show(head, ...heading(job, order));
  }

  async function refreshRows() {
    const state = filter.value ? `&status=${filter.value}` : "";
    const page = await get(`/jobs/${jobId}/rows?limit=${PAGE}&after=${starts.at(-1)}${state}`);
    show(list, page.rows.length
      ? table("Rows of the job", COLUMNS, page.rows.map(cells))
      : el("p", { class: "card empty" }, filter.value ? "No rows in that state." : "No rows yet."));
    show(pages,
      starts.length > 1 ? el("button", { type: "button", id: "back", onclick: () => turnTo(starts.slice(0, -1)) }, "Rows before") : null,
      page.next_after ? el("button", { type: "button", id: "on", onclick: () => turnTo([...starts, page.next_after]) }, "Rows after") : null);
  }

  function turnTo(wanted) {
    starts = wanted;
    refreshRows().catch((refusal) => show(list, trouble(refusal.body)));
  }

  async function refresh() {
    take(await get(`/jobs/${jobId}`));
    const now = JSON.stringify(job);
    if (now !== listed || job.rows.voiding) await refreshRows();
    listed = now;
    if (LIVE.has(job.status)) stopHearing ??= heard(jobId, take, (ended) => { stopHearing = null; take(ended); });
  }

  /** Carry out what a person orders, once they said yes; an approval that is asked for again names what has changed. */
  async function order(name, question, body, why = null) {
    if (!(await confirmed(why ? { ...question, text: [trouble(why), question.text].flat() } : question))) return;
    show(refused);
    try {
      const answer = await post(`/jobs/${jobId}/${name}`, body);
      if (name === "restart") location.hash = `#/jobs/${answer.job_id}`;
      else take(answer);
    } catch (refusal) {
      if (!refusal.body) throw refusal;
      take(await get(`/jobs/${jobId}`));
      if (ASKED_AGAIN.has(refusal.body.code)) {
        await order(name, approval(job), { estimate: job.estimate }, refusal.body);
        return;
      }
      show(refused, trouble(refusal.body));
    }
  }

  const stopAsking = every(refresh, head);
  return () => {
    stopAsking();
    stopHearing?.();
    cancelAnimationFrame(drawing);
  };
}

function heading(job, order) {
  const { rows } = job;
  return [
    el("p", { class: "path" }, el("a", { href: "#/", id: "up" }, "Jobs"), " / ", job.job_id),
    el("div", { class: "title" }, el("h1", {}, job.name || job.job_id), badge(job.status)),
    progress(job),
    el("div", { class: "actions", role: "group", "aria-label": "Orders" }, buttons(job, order)),
    job.error ? trouble(job.error, job.status === "failed" ? "The job stopped" : "") : null,
    facts([
      ["Rows", count(rows.total)],
      ["Shipped", count(rows.shipped)],
      rows.skipped ? ["Skipped", count(rows.skipped)] : null,
      rows.failed ? ["Failed", count(rows.failed)] : null,
      rows.in_doubt ? ["In doubt", count(rows.in_doubt)] : null,
      rows.voided ? ["Voided", count(rows.voided)] : null,
      rows.warned ? ["With warnings", count(rows.warned)] : null,
      job.estimate ? ["Estimate", money(job.estimate)] : null,
      ["Charged", money(job.cost)],
      ["Numbers written back", `${count(job.write_back.written)} of ${count(job.write_back.written + job.write_back.due + job.write_back.failed)}`],
      ["Source", sourceName(job.source)],
      job.where ? ["Where", job.where] : null,
      ["Mapping", job.mapping || "–"],
      ["Asked for by", job.requested_by || "–"],
      ["Made", moment(job.created_at)],
      job.ended_at ? ["Ended", moment(job.ended_at)] : null,
      job.restart_of ? ["Does over", el("a", { href: `#/jobs/${job.restart_of}` }, job.restart_of)] : null,
      job.restarted_as ? ["Done over as", el("a", { href: `#/jobs/${job.restarted_as}` }, job.restarted_as)] : null,
    ]),
    ...job.notes.map((note) => el("p", { class: "notice" }, note)),
  ];
}

/** The question before a job ships, with the total that it is about. */
function approval(job) {
  const ship = job.rows.total - job.rows.skipped;
  const again = job.rows.shipped_again ? ` ${rowsOf(job.rows.shipped_again)} of them were shipped before.` : "";
  return {
    title: `Ship ${rowsOf(ship)} for about ${money(job.estimate)}?`,
    text: `Labels are bought as soon as you say yes.${again}`,
    yes: `Ship for ${money(job.estimate)}`,
  };
}

function buttons(job, order) {
  const { rows, status } = job;
  const left = rows.total - job.cursor;
  const spent = `${rowsOf(rows.shipped)} shipped for ${money(job.cost)}`;
  const able = {
    approve: status === "awaiting_approval",
    reject: status === "awaiting_approval",
    pause: status === "running",
    resume: ["failed", "paused", "interrupted"].includes(status) && job.started_at,
    cancel: ["running", "paused", "interrupted", "failed"].includes(status) && job.started_at,
  };
  const questions = {
    approve: approval(job),
    reject: { title: `Reject these ${rowsOf(rows.total)}?`, text: "Nothing ships.", yes: "Reject", danger: true },
    pause: { title: "Pause the job?", text: `It stops after the row in hand; ${spent} so far.`, yes: "Pause" },
    resume: {
      title: `Go on with ${rowsOf(left)}?`,
      text: `${spent}${job.estimate ? ` of about ${money(job.estimate)}` : ""} so far. Labels are bought as soon as you say yes.`,
      yes: "Resume",
    },
    cancel: {
      title: "Cancel the job for good?",
      text: `${spent}: that stays shipped. ${rowsOf(left)} will not ship.`,
      yes: "Cancel the job", danger: true,
    },
  };
  const looks = { approve: "primary", resume: "primary", cancel: "danger", reject: "danger" };
  const bodies = { approve: { estimate: job.estimate } };
  return Object.keys(able).filter((name) => able[name]).map((name) => el("button", {
    type: "button", id: name, class: looks[name], onclick: () => order(name, questions[name], bodies[name] ?? {}),
  }, name === "approve" ? `Approve ${money(job.estimate)}` : name[0].toUpperCase() + name.slice(1)));
}

function cells(row) {
  return [
    count(row.row_number),
    badge(row.status),
    [row.recipient, el("small", {}, row.destination)],
    words(row.service),
    row.tracking_numbers.map((number) => el("code", {}, number)),
    row.cost || !row.estimate ? money(row.cost) : el("span", { class: "soft" }, `about ${money(row.estimate)}`),
    row.write_back.status === "none" ? "–" : badge(row.write_back.status),
    [
      ...[row.error, row.write_back.error].filter(Boolean).map((error) => el("details", { class: "bad" },
        el("summary", {}, `${error.code} ${error.message}`), el("p", {}, error.action))),
      ...row.warnings.map((warning) => el("p", {}, warning.message, warning.suggestion ? ` Suggested: ${warning.suggestion}` : "")),
    ],
  ];
}

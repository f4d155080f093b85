// The jobs, newest first, as they are at this moment.

import { get } from "./api.js";
import { el, show, table, trouble } from "./dom.js";
import { every } from "./live.js";
import { count, moment, money, settled, tone, words } from "./words.js";

export const title = "Jobs";

const PAGE = 25;
const COLUMNS = [
  { title: "Job" }, { title: "State" }, { title: "Progress" }, { title: "Cost", kind: "number" }, { title: "Made" },
];

export function open(view) {
  const list = el("div", { class: "scroll" });
  const more = el("div", { class: "actions" });
  let older = [];
  show(view, el("div", { class: "title" }, el("h1", {}, "Jobs"), el("a", { class: "button primary", href: "#/new" }, "New job")), list, more);

  async function refresh() {
    const page = await get(`/jobs?limit=${PAGE}`);
    const seen = new Set(page.jobs.map((job) => job.job_id));
    const jobs = [...page.jobs, ...older.filter((job) => !seen.has(job.job_id))];
    if (!jobs.length) {
      show(list, el("div", { class: "card empty" }, el("p", {}, "No jobs yet."),
        el("p", {}, el("a", { href: "#/new" }, "Preview and ship a file"), ".")));
      return;
    }
    show(list, table("Jobs, newest first", COLUMNS, jobs.map(cells)));
    show(more, page.next_before && !older.length ? moreFrom(page.next_before) : null);
  }

  function moreFrom(before) {
    return el("button", {
      type: "button", id: "more",
      onclick: async () => {
        try {
          const page = await get(`/jobs?limit=${PAGE}&before=${encodeURIComponent(before)}`);
          older = [...older, ...page.jobs];
          await refresh();
          show(more, page.next_before ? moreFrom(page.next_before) : null);
        } catch (refusal) {
          show(more, trouble(refusal.body));
        }
      },
    }, "Older jobs");
  }

  return every(refresh, list);
}

function cells(job) {
  return [
    el("a", { href: `#/jobs/${job.job_id}`, id: `job-${job.job_id}` }, job.name || job.job_id),
    badge(job.status),
    progress(job),
    money(job.started_at ? job.cost : job.estimate),
    moment(job.created_at),
  ];
}

export const badge = (state) => el("span", { class: `badge ${tone(state)}` }, words(state));

export function progress(job) {
  const { total, failed, in_doubt: inDoubt } = job.rows;
  if (!total) return "–";
  const text = `${count(settled(job))} of ${count(total)}`;
  const wrong = failed + inDoubt;
  return el("div", { class: "progress" },
    el("progress", { max: total, value: settled(job), "aria-label": `${text} rows are done` }),
    el("span", {}, text, wrong ? el("b", { class: "bad" }, ` · ${count(wrong)} wrong`) : null));
}

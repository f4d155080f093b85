// What keeps a view as the house is: asked anew while somebody looks, or told by its events.

import { show, trouble } from "./dom.js";

const EVERY = 2000;

/** Do `refresh` at once and again every two seconds while the page is seen; returns what stops it. */
export function every(refresh, place) {
  let timer = 0;
  let stopped = false;
  const offline = document.getElementById("offline");
  async function round() {
    clearTimeout(timer);
    try {
      if (!document.hidden) await refresh();
      offline.hidden = true;
    } catch (refusal) {
      if (stopped) return;
      if (!refusal.body) throw refusal;
      if (place.childElementCount) {
        offline.textContent = `${refusal.body.message} What you see is as it was before.`;
        offline.hidden = false;
      } else show(place, trouble(refusal.body));
    }
    if (!stopped) timer = setTimeout(round, EVERY);
  }
  document.addEventListener("visibilitychange", round);
  round();
  return () => {
    stopped = true;
    clearTimeout(timer);
    offline.hidden = true;
    document.removeEventListener("visibilitychange", round);
  };
}

const TYPES = [
  "accepted", "rejected", "progress", "awaiting_approval", "running", "paused", "interrupted", "completed",
  "completed_with_warnings", "failed", "cancelled",
];

/** Hear of a job's events from here on, each with the job as it then is; returns what stops it. */
export function heard(jobId, onJob, onEnd) {
  const source = new EventSource(`/api/v1/jobs/${jobId}/events?replay=false`);
  const hear = (event) => {
    const { job } = JSON.parse(event.data);
    if (job) onJob(job);
  };
  for (const type of TYPES) source.addEventListener(type, hear);
  source.addEventListener("end", (event) => {
    source.close();
    onEnd(JSON.parse(event.data));
  });
  return () => source.close();
}

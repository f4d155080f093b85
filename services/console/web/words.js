// Amounts, times and states as a person reads them.

const COUNT = new Intl.NumberFormat();
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const TONES = {
  completed: "good", shipped: "good", written: "good",
  running: "busy", in_flight: "busy", pending: "busy", voiding: "busy", due: "busy",
  failed: "bad", in_doubt: "bad",
  awaiting_approval: "ask", paused: "ask", interrupted: "ask", completed_with_warnings: "ask",
};

export const count = (number) => COUNT.format(number);

export const rows = (number) => `${count(number)} ${number === 1 ? "row" : "rows"}`;

export const words = (name) => name.replaceAll("_", " ");

export const tone = (state) => TONES[state] ?? "calm";

export const moment = (text) => (text ? MOMENT.format(new Date(text)) : "–");

/** An amount with its currency; of its decimal digits none is lost, for no number is made of it but to be shown. */
export function money(amount) {
  if (!amount) return "–";
  return new Intl.NumberFormat(undefined, { style: "currency", currency: amount.currency }).format(amount.amount);
}

/** A source as a person calls it. */
export function sourceName(source) {
  if (!source) return "–";
  return source.kind === "database" ? `${source.connection}.${source.table}` : source.path;
}

/** How many of a job's rows have come to an end. */
export const settled = (job) => Math.min(job.cursor, job.rows.total);

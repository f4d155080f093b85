// The house over HTTP. The session is a cookie that this page cannot read; every call is JSON.

/** What the console answered a call with in place of its document. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

const AWAY = {
  code: "", message: "The console does not answer.", action: "This page goes on by itself when it does.",
  row: null, details: [],
};

/** Make a call; its document. Throws a Refusal, of status 0 where nobody answers. */
export async function call(method, path, body) {
  const options = { method, headers: {}, credentials: "same-origin", cache: "no-store" };
  if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, options);
  } catch {
    throw new Refusal(0, AWAY);
  }
  if (answer.status === 204) return null;
  const document_ = await answer.json().catch(() => null);
  if (answer.ok && document_ !== null) return document_;
  const refusal = new Refusal(answer.status, document_?.code ? document_ : AWAY);
  const isLogin = method === "POST" && path === "/session";
  if (refusal.status === 401 && !isLogin) window.dispatchEvent(new Event("stranger"));
  throw refusal;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

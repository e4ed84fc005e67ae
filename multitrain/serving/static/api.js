// Requests to the server. The cookie lets look; the key, which only this page has, lets change.

const KEY = "multitrain-key";

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answered(response) {
  const isJson = (response.headers.get("content-type") || "").startsWith("application/json");
  const body = isJson ? await response.json() : await response.text();
  if (!response.ok) throw new ApiError(response.status, (isJson && body.error) || response.statusText);
  return body;
}

export async function get(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined);
  const text = new URLSearchParams(known).toString();
  return answered(await fetch(`/api/${path}${text && `?${text}`}`, { credentials: "same-origin" }));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  const key = localStorage.getItem(KEY);
  if (key) headers["X-Multitrain-Key"] = key;
  const options = { method: "POST", headers, credentials: "same-origin", body: JSON.stringify(body) };
  return answered(await fetch(`/api/${path}`, options));
}

export async function enter(link) {
  const token = link.includes("token=") ? link.split("token=").pop() : link;
  const { key } = await post("enter", { token: token.trim() });
  localStorage.setItem(KEY, key);
}

export const hasKey = () => Boolean(localStorage.getItem(KEY));

// The address of a file of a job; `version` changes with the file, so that it may be kept.
export function media(job, kind, version, more = {}) {
  const query = new URLSearchParams({ job, kind, ...more });
  if (version) query.set("v", version);
  return `/media?${query}`;
}

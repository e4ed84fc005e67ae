// When the night is done: the tab's title says so, and, where somebody has rung for it, the system.

import { byId } from "./dom.js";
import { toast } from "./notices.js";

const KEY = "multitrain-bell";
const canNotify = () => "Notification" in window && isSecureContext;

let subject = "multitrain"; // what the title says without a bell
let rung = "";
let isAtWork = null; // null: nothing was heard yet, so nothing has ended

function showTitle() {
  document.title = rung ? `✓ ${rung} · ${subject}` : subject;
}

export function title(text) {
  subject = text;
  showTitle();
}

const isOn = () => canNotify() && localStorage.getItem(KEY) === "on" && Notification.permission === "granted";

export function heard({ counts, total }) {
  const now = counts.running + counts.rendering + counts.queued > 0;
  if (isAtWork && !now && total) ring(counts);
  isAtWork = now;
}

function ring({ done, failed, paused }) {
  const parts = [`${done} ${done === 1 ? "film" : "films"}`, failed && `${failed} failed`, paused && `${paused} paused`];
  const said = parts.filter(Boolean).join(", ");
  toast(`The night is done: ${said}`);
  rung = said;
  showTitle();
  if (isOn()) new Notification("The night is done", { body: said, icon: "/static/icon.svg", tag: "multitrain" });
  if (!document.hidden && document.hasFocus()) forgetSoon();
}

function forgetSoon() {
  setTimeout(() => {
    rung = "";
    showTitle();
  }, 4000);
}

export function watchBell() {
  const button = byId("bell");
  button.hidden = !canNotify();
  const show = () => button.setAttribute("aria-pressed", String(isOn()));
  // The browser asks for its permission here only: somebody has pressed the bell.
  button.addEventListener("click", async () => {
    if (isOn()) localStorage.setItem(KEY, "off");
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "on");
    else toast("this browser does not let the page notify you; see its settings of this site", "wrong");
    show();
  });
  for (const event of ["focus", "visibilitychange"]) addEventListener(event, () => !document.hidden && rung && forgetSoon());
  if (canNotify()) show();
}

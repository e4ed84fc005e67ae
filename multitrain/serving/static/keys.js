// The keyboard.

import { byId, template } from "./dom.js";
import { ask } from "./notices.js";

const PLACES = ["wall", "queue", "films", "cuts", "farm"];
const THEMES = ["", "dark", "light"];

export function fullScreen(element = document.documentElement) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen?.().catch(() => {});
}

export function size(change) {
  const now = Number(localStorage.getItem("multitrain-size") || 0);
  const next = Math.max(-3, Math.min(4, now + change));
  localStorage.setItem("multitrain-size", String(next));
  document.documentElement.style.setProperty("--zoom", String(1.25 ** next));
}

function theme(step) {
  const now = THEMES.indexOf(localStorage.getItem("multitrain-theme") || "");
  const next = THEMES[(Math.max(0, now) + step) % THEMES.length];
  localStorage.setItem("multitrain-theme", next);
  document.documentElement.dataset.theme = next;
}

function move(step) {
  const all = [...document.querySelectorAll("#view [data-open]")];
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))].focus();
}

export function watchKeys(place, view) {
  size(0);
  theme(0);
  addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey || byId("dialog").open) return;
    if (event.key === "Escape") {
      if (isTyping) event.target.blur();
      else if (place().view === "screen" || place().view === "job") history.length > 1 ? history.back() : (location.hash = "#/wall");
      return;
    }
    if (isTyping) return;
    if (view()?.key?.(event)) {
      event.preventDefault();
      return;
    }
    const number = Number(event.key);
    if (number >= 1 && number <= PLACES.length) location.hash = `#/${PLACES[number - 1]}`;
    else if (event.key === "/") focusSearch();
    else if (event.key === "+" || event.key === "=") size(1);
    else if (event.key === "-") size(-1);
    else if (event.key === "f") fullScreen();
    else if (event.key === "t") theme(1);
    else if (event.key === "?") ask(template("help"), ["", "Close"]);
    else if (event.key === "ArrowRight" && !event.target.matches("input")) move(1);
    else if (event.key === "ArrowLeft" && !event.target.matches("input")) move(-1);
    else return;
    event.preventDefault();
  });
}

function focusSearch() {
  const field = () => document.querySelector("#view input[type=search]");
  if (field()) field().focus();
  else {
    addEventListener("hashchange", () => field()?.focus(), { once: true });
    location.hash = "#/queue";
  }
}

// The moments of a film that are most worth seeing, as stills; and the loops that are made of them.

import { get, media, post } from "./api.js";
import { h } from "./dom.js";
import { later } from "./later.js";
import { toast } from "./notices.js";
import { forget, player } from "./player.js";
import { bytes, moment } from "./words.js";

const LOOK_MS = 2000; // while something is being looked for, or made
const LABELS = { best: "Best loop", pingpong: "Ping-pong", walk: "Walk" };
const TITLES = {
  best: "Fades into itself, where both are most alike, from here or up to ten seconds later",
  pingpong: "Forth and back, from here",
  walk: "Drawn anew by the network as it was then",
};

const stillOf = (name, each) => media(name, "still", each.version, { number: each.frame });

// One still; `onPlay` is told the seconds of the film.
function still(name, each, onPlay, more = []) {
  return h(
    "figure",
    { class: each.is_best ? "best" : "", data: { frame: String(each.frame) } },
    h(
      "button",
      { type: "button", class: "still", title: "Play from here", "aria-label": `Play ${name} from ${moment(each.seconds)}`, onclick: () => onPlay(each.seconds) },
      h("img", { src: stillOf(name, each), alt: "", loading: "lazy" }),
      h("span", {}, moment(each.seconds)),
    ),
    more,
  );
}

// A row of stills of a film, for lists of many; looked for when it is first seen.
export function strip(name) {
  const element = h("div", { class: "moments strip" });
  let forgo = () => {};
  async function show() {
    const found = await get("moments", { name });
    if (!element.isConnected) return;
    if (found.moments) {
      element.replaceChildren(...found.moments.map((each) => still(name, each, (seconds) => (location.hash = `#/job/${encodeURIComponent(name)}?at=${seconds}`))));
    } else if (found.is_looking) forgo = later(() => show().catch(() => {}), LOOK_MS);
    else if (found.trouble || !found.film) element.replaceChildren(h("span", { class: "quiet" }, found.trouble || "no film"));
    else if ((await post("find-moments", { name })).is_looking) {
      element.replaceChildren(h("span", { class: "quiet" }, "looking for moments …"));
      forgo = later(() => show().catch(() => {}), LOOK_MS);
    }
  }
  const seen = new IntersectionObserver(([{ isIntersecting }]) => {
    if (!isIntersecting) return;
    seen.disconnect();
    show().catch(() => {});
  });
  seen.observe(element);
  element.stop = () => (forgo(), seen.disconnect());
  return element;
}

// The part of a job's page: stills, what can be made of each, and what was made.
export function moments(name, onPlay) {
  const stills = h("div", { class: "moments" });
  const length = h("input", { type: "number", min: 1, max: 120, step: 1, value: 10, "aria-label": "Seconds of a loop" });
  const heading = h("h2", {}, "Moments", h("label", { class: "quiet" }, "loops of ", length, " s"));
  const message = h("p", { class: "quiet" });
  const made = h("div", { class: "loops" });
  const element = h("section", { class: "highlights", hidden: true }, heading, message, stills, made);
  let forgo = () => {};
  let shown = "";

  async function make(mode, each) {
    const seconds = Math.min(120, Math.max(1, Math.round(Number(length.value)) || 10));
    try {
      const { done } = await post("loop", { name, mode, seconds, frame: each.frame });
      done.forEach((line) => toast(line));
    } catch (error) {
      toast(error.message, "wrong");
    }
    await refresh();
  }

  const buttons = (each) =>
    h(
      "figcaption",
      {},
      ["best", "pingpong", each.walk_step !== null && "walk"].filter(Boolean).map((mode) =>
        h(
          "button",
          { class: "button", type: "button", title: mode === "walk" ? `${TITLES.walk}, at step ${each.walk_step.toLocaleString("en")}` : TITLES[mode], data: { loop: mode }, onclick: () => make(mode, each) },
          LABELS[mode],
        ),
      ),
    );

  function clip(each) {
    const where = each.mode === "walk" ? `step ${each.at.toLocaleString("en")}` : `from ${moment(each.at)}`;
    const what = `${LABELS[each.mode]}, ${each.seconds} s, ${where}`;
    if (!each.version) return h("figure", { class: "making" }, h("p", {}, each.trouble || "being made …"), h("figcaption", { class: "quiet" }, what));
    const source = media(name, "clip", each.version, { file: each.file });
    return h("figure", { data: { clip: each.file } }, player({ source }), h("figcaption", { class: "quiet" }, h("a", { href: `${source}&download=1`, title: "Download" }, `${what} · ${bytes(each.bytes)}`)));
  }

  async function refresh() {
    forgo();
    const found = await get("moments", { name });
    if (!element.isConnected) return;
    const seen = JSON.stringify(found);
    if (seen !== shown) {
      shown = seen;
      element.hidden = !found.film;
      message.textContent = found.moments ? "" : found.trouble || "Looking for the moments that are most worth seeing …";
      stills.replaceChildren(...(found.moments || []).map((each) => still(name, each, onPlay, buttons(each))));
      for (const video of made.querySelectorAll("video")) forget(video);
      made.replaceChildren(...found.clips.map(clip));
    }
    if (found.film && !found.moments && !found.is_looking && !found.trouble) found.is_looking = (await post("find-moments", { name })).is_looking;
    if (found.is_looking || found.clips.some((each) => !each.version && !each.trouble)) forgo = later(() => refresh().catch(() => {}), LOOK_MS);
  }

  element.refresh = () => refresh().catch(() => {});
  element.stop = () => forgo();
  return element;
}

// The bar: how many jobs are in which state, and how long the night will take.

import { byId, h, text } from "./dom.js";
import { STATES, clock, duration } from "./words.js";

export function showBar(news) {
  showNight(news);
  const bar = byId("states");
  if (!bar.children.length) {
    bar.append(
      h("div", { class: "share", "aria-hidden": "true" }, STATES.map((state) => h("i", { class: state }))),
      h(
        "div",
        { class: "counts" },
        STATES.map((state) =>
          h("a", { class: state, href: `#/queue?state=${state}`, title: `Show what is ${state}` }, h("b"), ` ${state}`),
        ),
      ),
    );
  }
  for (const state of STATES) {
    const count = news.counts[state] || 0;
    const chip = bar.querySelector(`a.${state}`);
    chip.hidden = !count;
    text(chip.firstChild, String(count));
    bar.querySelector(`i.${state}`).style.flexGrow = String(count);
  }
}

function showNight({ farm, night, counts, total }) {
  let said = "";
  if (!farm.is_here) said = total ? "no farm is running" : "no jobs yet";
  else if (farm.is_draining) said = "draining";
  else if (night.seconds >= 1) {
    said = `${duration(night.seconds)} left · until ${clock(new Date(Date.now() + night.seconds * 1000))}`;
  } else said = counts.running + counts.rendering ? "at work" : "waiting for sheets";
  const place = byId("night");
  text(place, said);
  place.dataset.farm = farm.is_here ? "here" : "away";
}

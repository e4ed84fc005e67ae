// One training as a picture that plays, with a line of text.

import { media } from "./api.js";
import { h, text } from "./dom.js";
import { forget, player, show } from "./player.js";
import { buttons, possible } from "./steering.js";
import { fraction, situation } from "./words.js";

export function posterOf(job) {
  if (job.poster) return media(job.name, "poster", job.poster, job.boxes ? { box: 1 } : {});
  return job.latest ? media(job.name, "latest", job.latest) : "";
}

export const previewOf = (job) => (job.preview ? media(job.name, "preview", job.preview) : "");

export function tile(job, more = () => []) {
  const aspect = (value) => {
    if (value <= 0.2 || value >= 8) return;
    element.style.setProperty("--aspect", value.toFixed(4));
    element.dispatchEvent(new Event("aspect", { bubbles: true }));
  };
  const video = player({ source: previewOf(job), poster: posterOf(job), onAspect: aspect });
  const element = h(
    "a",
    { class: "tile", href: `#/job/${encodeURIComponent(job.name)}`, data: { open: "1" } },
    video,
    h("span", { class: "empty" }, "no picture yet"),
    h("span", { class: "caption" }, h("b", { class: "name" }), h("span", { class: "situation" })),
    h("span", { class: "orders" }),
    h("i", { class: "progress" }),
  );
  element.showJob = (now) => {
    show(video, previewOf(now), posterOf(now), aspect);
    element.className = `tile ${now.state}${previewOf(now) || posterOf(now) ? "" : " bare"}`;
    text(element.querySelector(".name"), now.name);
    text(element.querySelector(".situation"), situation(now));
    element.querySelector(".progress").style.transform = `scaleX(${fraction(now)})`;
    const wanted = possible(now).join();
    const orders = element.querySelector(".orders");
    if (orders.dataset.for !== wanted) {
      orders.dataset.for = wanted;
      orders.replaceChildren(...buttons(now).slice(0, 2), ...more(now));
    }
  };
  element.addEventListener("gone", () => forget(video));
  element.showJob(job);
  return element;
}

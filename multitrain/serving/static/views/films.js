// Films that are done: posters that play under the pointer, stars, downloads.

import { get, media, post } from "../api.js";
import { h, reconcile } from "../dom.js";
import { strip } from "../moments.js";
import { toast } from "../notices.js";
import { forget } from "../player.js";
import { tile } from "../tile.js";

const COUNT = 60;

export async function giveStar(job, button) {
  try {
    const { is_starred } = await post("star", { name: job.name, starred: button.getAttribute("aria-pressed") !== "true" });
    button.setAttribute("aria-pressed", String(is_starred));
  } catch (error) {
    toast(error.message, "wrong");
  }
}

export function star(job) {
  return h(
    "button",
    {
      class: "star",
      type: "button",
      title: "A star for this film",
      "aria-label": `A star for ${job.name}`,
      "aria-pressed": String(Boolean(job.is_starred)),
      onclick: (event) => {
        event.preventDefault();
        event.stopPropagation();
        giveStar(job, event.currentTarget);
      },
    },
    "★",
  );
}

export function open(root) {
  let start = 0;
  let timer = 0;
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search films" });
  const only = h("button", { class: "button", type: "button", "aria-pressed": "false" }, "★ only");
  const best = h("button", { class: "button", type: "button", "aria-pressed": "false", title: "The moments of each film that are most worth seeing" }, "Moments");
  const list = h("section", { class: "tiles" });
  const rows = h("section", { class: "rows", hidden: true });
  const message = h("p", { class: "quiet message" });
  const pages = h("div", { class: "pages" });
  root.append(h("div", { class: "tools" }, search, only, best, pages), message, list, rows);

  const download = (job) =>
    job.film
      ? h(
          "a",
          {
            class: "button",
            title: "Download the film",
            href: `${media(job.name, "film", job.film, job.boxes ? { box: 1 } : {})}&download=1`,
            onclick: (event) => event.stopPropagation(),
          },
          "Download",
        )
      : null;

  function make(job) {
    const element = tile(job);
    const extras = h("span", { class: "extras" }, star(job), download(job));
    element.append(extras);
    return element;
  }

  // A film as a row of its moments.
  function row(job) {
    const stills = strip(job.name);
    const element = h("article", {}, h("header", {}, star(job), h("a", { href: `#/job/${encodeURIComponent(job.name)}`, data: { open: "1" } }, job.name)), stills);
    element.addEventListener("gone", stills.stop);
    return element;
  }

  async function refresh() {
    const areMoments = best.getAttribute("aria-pressed") === "true";
    list.hidden = areMoments;
    rows.hidden = !areMoments;
    const isOnly = only.getAttribute("aria-pressed") === "true";
    const found = await get("status", {
      state: isOnly ? "" : "done",
      starred: isOnly ? 1 : "",
      text: search.value.trim(),
      start,
      count: COUNT,
      newest: 1,
    });
    reconcile(areMoments ? list : rows, [], String, String, () => {});
    reconcile(areMoments ? rows : list, found.jobs, (job) => job.name, areMoments ? row : make, (child, job) => {
      child.showJob?.(job);
      child.querySelector(".star").setAttribute("aria-pressed", String(Boolean(job.is_starred)));
    });
    message.textContent = found.total ? "" : isOnly ? "No film has a star yet." : "No film is done yet.";
    const last = Math.min(start + COUNT, found.total);
    const turn = (by) => () => {
      start += by * COUNT;
      refresh().catch(() => {});
    };
    pages.replaceChildren(
      h("button", { class: "button", type: "button", disabled: !start, "aria-label": "Page before", onclick: turn(-1) }, "‹"),
      h("span", {}, found.total ? `${start + 1}–${last} of ${found.total}` : ""),
      h("button", { class: "button", type: "button", disabled: last >= found.total, "aria-label": "Next page", onclick: turn(1) }, "›"),
    );
  }

  best.addEventListener("click", () => {
    best.setAttribute("aria-pressed", String(best.getAttribute("aria-pressed") !== "true"));
    refresh().catch(() => {});
  });
  search.addEventListener("input", () => {
    start = 0;
    clearTimeout(timer);
    timer = setTimeout(() => refresh().catch(() => {}), 150);
  });
  only.addEventListener("click", () => {
    only.setAttribute("aria-pressed", String(only.getAttribute("aria-pressed") !== "true"));
    start = 0;
    refresh().catch(() => {});
  });
  refresh().catch(() => {});
  let done = -1;
  return {
    update(news) {
      if (done >= 0 && news.counts.done !== done) refresh().catch(() => {});
      done = news.counts.done;
    },
    leave() {
      clearTimeout(timer);
      reconcile(rows, [], String, String, () => {});
      root.querySelectorAll("video").forEach(forget);
    },
  };
}

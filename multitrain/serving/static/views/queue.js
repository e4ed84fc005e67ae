// The queue: every job as a line; found by state and text, steered one by one or many at once.

import { get } from "../api.js";
import { h, reconcile, text } from "../dom.js";
import { LABELS, buttons, order, possible, send } from "../steering.js";
import { posterOf } from "../tile.js";
import { STATES, duration, fraction, percent, situation } from "../words.js";

const ROWS = 100;
const FOR_MANY = ["pause", "resume", "top", "requeue", "cancel", "forget"];

export function open(root, { query }) {
  const chosen = new Set();
  let start = 0;
  let shown = [];
  let timer = 0;

  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search jobs", value: query.get("text") || "" });
  const state = h("select", { "aria-label": "State" }, h("option", { value: "" }, "all states"), STATES.map((each) => h("option", { value: each }, each)));
  state.value = STATES.includes(query.get("state")) ? query.get("state") : "";
  const many = h("div", { class: "many", hidden: true });
  const pages = h("div", { class: "pages" });
  const all = h("input", { type: "checkbox", "aria-label": "Choose all of this page" });
  const body = h("tbody");
  const head = h("tr", {}, h("th", {}, all), ["", "job", "progress", "left", "slot", "tries", "priority", ""].map((name) => h("th", {}, name)));
  const failed = h("button", { class: "button", type: "button", onclick: () => send("requeue", { every: "failed" }) }, "Requeue all failed");
  const forgetFailed = h("button", { class: "button", type: "button", onclick: () => send("forget", { every: "failed" }) }, "Forget failed");
  root.append(
    h("div", { class: "tools" }, search, state, failed, forgetFailed, pages),
    many,
    h("table", { class: "jobs" }, h("thead", {}, head), body),
    h("p", { class: "quiet message" }),
  );

  function line(job) {
    const pick = h("input", { type: "checkbox", "aria-label": `Choose ${job.name}` });
    pick.addEventListener("change", () => {
      if (pick.checked) chosen.add(job.name);
      else chosen.delete(job.name);
      showMany();
    });
    const number = h("input", { type: "number", class: "priority", "aria-label": `Priority of ${job.name}`, step: 1 });
    number.addEventListener("change", () => send("priority", { names: [job.name], priority: Math.trunc(Number(number.value)) || 0 }));
    const link = `#/job/${encodeURIComponent(job.name)}`;
    return h(
      "tr",
      {},
      h("td", { class: "pick" }, pick),
      h("td", { class: "thumb" }, h("a", { href: link, tabIndex: -1 }, h("img", { alt: "", loading: "lazy", hidden: true }))),
      h("td", { class: "who" }, h("a", { href: link, data: { open: "1" } }, job.name), h("span", { class: "situation" })),
      h("td", { class: "how" }, h("span"), h("i", { class: "meter" }, h("i"))),
      h("td", { class: "left" }),
      h("td", { class: "slot" }),
      h("td", { class: "tries" }),
      h("td", {}, number),
      h("td", { class: "orders" }),
    );
  }

  function fill(row, job) {
    const picture = posterOf(job);
    const image = row.querySelector("img");
    if (picture && image.getAttribute("src") !== picture) image.src = picture;
    image.hidden = !picture;
    row.className = job.state;
    row.querySelector(".pick input").checked = chosen.has(job.name);
    text(row.querySelector(".situation"), ["running", "rendering"].includes(job.state) && !job.is_stopping ? job.state : situation(job));
    text(row.querySelector(".how span"), percent(job));
    row.querySelector(".meter i").style.transform = `scaleX(${fraction(job)})`;
    text(row.querySelector(".left"), duration(job.seconds_left));
    text(row.querySelector(".slot"), job.slot);
    text(row.querySelector(".tries"), job.attempts > 1 ? String(job.attempts) : "");
    const number = row.querySelector(".priority");
    if (document.activeElement !== number) number.value = job.priority;
    number.disabled = ["done", "failed", "cancelled"].includes(job.state);
    const orders = row.querySelector(".orders");
    const wanted = possible(job).join();
    if (orders.dataset.for !== wanted) {
      orders.dataset.for = wanted;
      orders.replaceChildren(...buttons(job));
    }
  }

  function showMany() {
    many.hidden = !chosen.size;
    many.replaceChildren(
      h("span", {}, chosen.size === 1 ? "1 job" : `${chosen.size} jobs`),
      ...FOR_MANY.map((what) =>
        h(
          "button",
          {
            class: "button",
            type: "button",
            data: { many: what },
            onclick: async () => {
              if (await order(what, [...chosen])) {
                chosen.clear();
                showMany();
                refresh();
              }
            },
          },
          LABELS[what],
        ),
      ),
      h("button", { class: "button", type: "button", onclick: () => (chosen.clear(), showMany(), refresh()) }, "None"),
    );
    all.checked = shown.length > 0 && shown.every((job) => chosen.has(job.name));
  }

  async function refresh() {
    const found = await get("status", { state: state.value, text: search.value.trim(), start, count: ROWS });
    if (start && start >= found.total) {
      start = Math.max(0, Math.floor((found.total - 1) / ROWS) * ROWS);
      return refresh();
    }
    shown = found.jobs;
    reconcile(body, shown, (job) => job.name, line, fill);
    text(root.querySelector(".message"), found.total ? "" : "No such jobs.");
    const last = Math.min(start + ROWS, found.total);
    pages.replaceChildren(
      h("button", { class: "button", type: "button", disabled: !start, "aria-label": "Page before", onclick: () => turn(-1) }, "‹"),
      h("span", {}, found.total ? `${start + 1}–${last} of ${found.total.toLocaleString("en")}` : ""),
      h("button", { class: "button", type: "button", disabled: last >= found.total, "aria-label": "Next page", onclick: () => turn(1) }, "›"),
    );
    showMany();
    return null;
  }

  function turn(by) {
    start = Math.max(0, start + by * ROWS);
    scrollTo(0, 0);
    refresh().catch(() => {});
  }

  all.addEventListener("change", () => {
    for (const job of shown) all.checked ? chosen.add(job.name) : chosen.delete(job.name);
    refresh().catch(() => {});
  });
  for (const field of [search, state]) {
    field.addEventListener("input", () => {
      start = 0;
      clearTimeout(timer);
      timer = setTimeout(() => refresh().catch(() => {}), 150);
    });
  }
  refresh().catch(() => {});
  let version = "";
  return {
    update(news) {
      failed.hidden = forgetFailed.hidden = !news.counts.failed;
      if (news.version !== version) refresh().catch(() => {});
      version = news.version;
    },
    leave: () => clearTimeout(timer),
  };
}

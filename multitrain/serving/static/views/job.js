// One job: its picture, what it does, settings, losses, layers, log, files.

import { get, media } from "../api.js";
import { curves } from "../curves.js";
import { h, text } from "../dom.js";
import { moments } from "../moments.js";
import { forget, player, show } from "../player.js";
import { buttons, order } from "../steering.js";
import { posterOf, previewOf } from "../tile.js";
import { wipe } from "../wipe.js";
import { bytes, duration, filmLength, percent, situation } from "../words.js";
import { star } from "./films.js";

const KINDS = { film: "Film", export: "Export", loop: "Loop", applied: "Video through the network", timecut: "Timecut", poster: "Poster", contact: "Contact sheet" };

export function open(root, { name, query }) {
  let job = null;
  let version = "";
  let video = null;
  let seenFilm = "";
  const hero = h("div", { class: "hero" });
  let laid = null;
  const compare = h("button", { class: "button lay", type: "button", title: "Two pictures of each cell, on either side of a line (w)", "aria-pressed": "false", hidden: true, onclick: lay }, "Before | after");
  const heading = h("h1", {}, name);
  const line = h("p", { class: "situation" });
  const orders = h("div", { class: "orders" });
  const facts = h("dl", { class: "facts" });
  const error = h("p", { class: "error", hidden: true });
  const losses = h("section");
  const files = h("section", { class: "files" });
  const highlights = moments(name, playFrom);
  const settings = h("details", { open: innerWidth > 900 }, h("summary", {}, "Settings"), h("div"));
  const layers = h("details", {}, h("summary", {}, "Layers"), h("div"));
  const log = h("details", { class: "log" }, h("summary", {}, "Log"), h("pre"));
  root.append(
    h("div", { class: "left" }, hero, highlights, losses, files),
    h("aside", {}, h("header", {}, heading, line), orders, error, facts, settings, layers, log),
  );

  layers.addEventListener("toggle", async () => {
    if (!layers.open || layers.dataset.filled) return;
    layers.dataset.filled = "1";
    const found = await get("layers", { name }).catch(() => ({}));
    layers.querySelector("div").replaceChildren(...layerTables(found));
  });
  const readLog = async () => {
    const lines = await get("logs", { name }).catch(() => "");
    const place = log.querySelector("pre");
    const isAtEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
    text(place, lines || "nothing said yet");
    if (isAtEnd) place.scrollTop = place.scrollHeight;
  };
  log.addEventListener("toggle", () => log.open && readLog());

  function playFrom(seconds) {
    if (!video) return;
    video.muted = true;
    if (!video.getAttribute("src")) video.src = video.dataset.source;
    video.currentTime = seconds + 0.001;
    video.play().catch(() => {});
    hero.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  function lay() {
    if (!job?.cells) return;
    if (laid) laid.stop();
    laid = laid ? null : wipe(video, job.cells);
    if (laid) hero.append(laid);
    hero.classList.toggle("laid", Boolean(laid));
    compare.setAttribute("aria-pressed", String(Boolean(laid)));
    if (laid) laid.querySelector("input").focus();
  }

  function picture() {
    const box = job.boxes ? { box: 1 } : {};
    const isDone = job.state === "done" && job.film;
    const source = isDone ? media(name, "film", job.film, box) : previewOf(job);
    if (!video) {
      video = player({ source, poster: posterOf(job) });
      hero.append(video, compare, h("a", { class: "button enlarge", href: `#/screen/${encodeURIComponent(name)}`, title: "Alone on the screen" }, "Full screen"));
    } else show(video, source, posterOf(job));
    video.controls = Boolean(isDone);
    compare.hidden = !job.cells;
    hero.classList.toggle("bare", !source && !posterOf(job));
    if (isDone && seenFilm !== job.film) {
      seenFilm = job.film;
      highlights.refresh();
      if (query.get("at")) playFrom(Number(query.get("at")) || 0);
      query.delete("at");
    }
  }

  async function refresh() {
    job = await get("show", { name });
    picture();
    root.dataset.state = job.state;
    text(line, situation(job));
    const key = [job.state, job.is_stopping, job.is_starred].join();
    if (orders.dataset.for !== key) {
      orders.dataset.for = key;
      orders.replaceChildren(star(job), ...buttons(job));
    }
    error.hidden = !(job.error || job.trouble);
    text(error, job.error || job.trouble);
    const rows = [
      ["state", job.state],
      ["frames", `${job.frames_done.toLocaleString("en")} of ${job.frames_total.toLocaleString("en")} · ${percent(job)}`],
      ["film", job.film_seconds ? `${filmLength(job.film_seconds)}${job.size ? ` · ${job.size.join("×")}` : ""}` : ""],
      ["left", job.seconds_left ? `${duration(job.seconds_left)}, ± ${Math.round((job.seconds_left_spread || 0) * 100)} %` : ""],
      ["slot", job.slot],
      ["waits for", job.waits_for],
      ["tries", job.attempts ? String(job.attempts) : ""],
      ["priority", job.priority ? String(job.priority) : ""],
    ];
    facts.replaceChildren(...rows.filter(([, value]) => value).flatMap(([what, value]) => [h("dt", {}, what), h("dd", {}, value)]));
    losses.replaceChildren(curves(job.losses), ...job.measures.map(curves));
    settings.querySelector("div").replaceChildren(tree(job.settings));
    showFiles();
    if (log.open) readLog();
  }

  function showFiles() {
    const rank = Object.keys(KINDS);
    const sorted = [...job.files].sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind) || a.number - b.number || a.box - b.box);
    const seen = sorted.map((each) => `${each.file}${each.version}`).join();
    if (files.dataset.for === seen) return;
    files.dataset.for = seen;
    const address = (each) => media(name, each.kind, each.version, { number: each.number, box: each.box, format: each.format });
    const loops = sorted.filter((each) => ["loop", "applied"].includes(each.kind) && /\.(mp4|webm|gif)$/.test(each.file));
    for (const video of files.querySelectorAll("video")) forget(video);
    const pictures = sorted.filter((each) => each.kind === "contact").slice(0, 1);
    files.replaceChildren(
      ...[loops.length && h("div", { class: "loops" }, loops.map((each) => loop(each, address(each))))].filter(Boolean),
      ...pictures.map((each) => h("img", { class: "contact", src: address(each), alt: `Contact sheet of ${name}`, loading: "lazy" })),
      h(
        "ul",
        {},
        sorted.map((each) =>
          h(
            "li",
            {},
            h("a", { href: `${address(each)}&download=1`, title: "Download" }, each.file),
            h("span", { class: "quiet" }, `${KINDS[each.kind]}${each.number ? ` ${each.number}` : ""}`),
            h("span", { class: "quiet size" }, bytes(each.bytes)),
          ),
        ),
      ),
    );
  }

  refresh().catch((problem) => {
    heading.textContent = name;
    line.textContent = problem.message;
  });
  let looked = Date.now();
  return {
    update(news) {
      const isOld = Date.now() - looked > 3000 && job && ["running", "rendering"].includes(job.state);
      if (news.version === version && !isOld) return;
      version = news.version;
      looked = Date.now();
      refresh().catch(() => {});
    },
    leave() {
      highlights.stop();
      if (laid) laid.stop();
      root.querySelectorAll("video").forEach(forget);
    },
    key(event) {
      if (event.key === "p" && job) {
        const what = { running: "pause", queued: "pause", paused: "resume" }[job.state];
        if (what) order(what, [name]);
        return Boolean(what);
      }
      if (event.key === "w" && job?.cells) {
        lay();
        return true;
      }
      if (event.key === "f") {
        location.hash = `#/screen/${encodeURIComponent(name)}`;
        return true;
      }
      return false;
    },
  };
}

function loop(each, source) {
  const picture = each.file.endsWith(".gif") ? h("img", { src: source, alt: "", loading: "lazy" }) : player({ source });
  return h("figure", {}, picture, h("figcaption", { class: "quiet" }, `Loop ${each.number}${each.box ? `, box ${each.box}` : ""}`));
}

function tree(value) {
  if (Array.isArray(value)) return h("span", {}, value.map((each) => (each !== null && typeof each === "object" ? JSON.stringify(each) : String(each))).join(", "));
  if (value === null || typeof value !== "object") return h("span", {}, String(value));
  return h(
    "dl",
    { class: "settings" },
    Object.entries(value).flatMap(([key, each]) => [h("dt", {}, key), h("dd", {}, tree(each))]),
  );
}

function layerTables(networks) {
  const names = Object.keys(networks);
  if (!names.length) return [h("p", { class: "quiet" }, "It has no networks, or its settings are not known.")];
  return names.flatMap((network) => [
    h("h3", {}, network),
    h(
      "table",
      { class: "layers" },
      h("thead", {}, h("tr", {}, ["", "kind", "kernel", "output", "activation", "parameters"].map((each) => h("th", {}, each)))),
      h(
        "tbody",
        {},
        networks[network].map((layer) =>
          h(
            "tr",
            {},
            h("td", {}, String(layer.layer)),
            h("td", {}, layer.kind),
            h("td", {}, layer.kernel ? `${layer.kernel.join("×")}${layer.stride > 1 ? ` /${layer.stride}` : ""}` : ""),
            h("td", {}, layer.output),
            h("td", {}, [layer.activation, layer.normalization !== "none" && layer.normalization].filter(Boolean).join(", ")),
            h("td", { class: "number" }, layer.parameters.toLocaleString("en")),
          ),
        ),
      ),
    ),
  ]);
}

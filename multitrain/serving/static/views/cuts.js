// Several jobs at the same step, under one slider; they play together from there.

import { get, media } from "../api.js";
import { h, text } from "../dom.js";
import { toast } from "../notices.js";

const MOST = 9; // videos of full size that play side by side
const AT_FIRST = 4;

export function open(root, { query }) {
  const slider = h("input", { type: "range", min: 0, max: 1000, value: 1000, step: 1, "aria-label": "Training step" });
  const label = h("output", { class: "step" });
  const play = h("button", { class: "button main", type: "button" }, "Play");
  const search = h("input", { type: "search", placeholder: "Add a job", "aria-label": "Add a job", list: "known-jobs" });
  search.setAttribute("list", "known-jobs");
  const known = h("datalist", { id: "known-jobs" });
  const grid = h("section", { class: "compare" });
  const message = h("p", { class: "quiet message" });
  root.append(h("div", { class: "tools" }, play, slider, label, search, known), message, grid);
  const shown = new Map(); // by name: its cuts and its video
  let playing = false;
  let timer = 0;
  let left = false; // what comes later must not change the address of another view

  const last = () => Math.max(1, ...[...shown.values()].map(({ cuts }) => cuts.cuts.at(-1)?.steps[1] || 0));
  const step = () => Math.round((Number(slider.value) / 1000) * last());

  async function add(name) {
    if (shown.has(name)) return;
    if (shown.size >= MOST) {
      toast(`${MOST} at once are as many as a browser plays; take one away first`);
      return;
    }
    try {
      const cuts = await get("cuts", { name });
      if (left) return;
      const video = h("video", { muted: true, playsInline: true, preload: "auto" });
      video.setAttribute("muted", "");
      const note = h("span", { class: "note" });
      const remove = h("button", { class: "button", type: "button", title: "Take away", "aria-label": `Take ${name} away` }, "×");
      const figure = h("figure", { data: { job: name } }, video, h("figcaption", {}, h("a", { href: `#/job/${encodeURIComponent(name)}` }, name), note, remove));
      remove.addEventListener("click", () => {
        shown.delete(name);
        figure.remove();
        remember();
      });
      shown.set(name, { cuts, video, note, cut: null });
      grid.append(figure);
      remember();
      seek();
    } catch (error) {
      toast(error.message, "wrong");
    }
  }

  function remember() {
    if (left) return;
    const names = [...shown.keys()].map(encodeURIComponent).join(",");
    history.replaceState(null, "", `#/cuts?jobs=${names}`);
    message.textContent = shown.size ? "" : "Add jobs to see them at the same step.";
    grid.dataset.count = String(shown.size);
  }

  // Every video to the frame that was made at the step of the slider.
  function seek() {
    const wanted = step();
    text(label, `step ${wanted.toLocaleString("en")}`);
    for (const [name, each] of shown) {
      const { cuts, fps } = each.cuts;
      const cut = cuts.findLast((one) => one.steps[0] <= wanted);
      each.video.classList.toggle("absent", !cut);
      text(each.note, cut ? "" : cuts.length ? "not begun at this step" : "no timecut yet");
      if (!cut) continue;
      const share = (wanted - cut.steps[0]) / Math.max(1, cut.steps[1] - cut.steps[0]);
      const frames = cut.frames[1] - cut.frames[0];
      const moment = Math.min(frames - 1, Math.max(0, Math.round(share * (frames - 1)))) / fps;
      if (share > 1) text(each.note, `its last: step ${cut.steps[1].toLocaleString("en")}`);
      if (each.cut !== cut.number) {
        each.cut = cut.number;
        each.video.src = media(name, "timecut", cut.version, { number: cut.number, box: cut.box });
      }
      each.video.currentTime = moment + 0.001;
    }
  }

  function setPlaying(value) {
    playing = value;
    text(play, playing ? "Pause" : "Play");
    for (const { video } of shown.values()) playing ? video.play().catch(() => {}) : video.pause();
  }

  // Cut after cut would be fetched for a page that nobody sees.
  function rest() {
    for (const { video } of playing ? shown.values() : []) document.hidden ? video.pause() : video.play().catch(() => {});
  }

  // While it plays, the slider follows the first video, and each goes on into its next cut.
  function follow() {
    const entry = [...shown.values()].find(({ video }) => !video.classList.contains("absent"));
    if (!playing || !entry || document.hidden) return;
    const cut = entry.cuts.cuts.find((one) => one.number === entry.cut);
    if (!cut) return;
    const frames = cut.frames[1] - cut.frames[0];
    const share = Math.min(1, (entry.video.currentTime * entry.cuts.fps) / Math.max(1, frames - 1));
    const now = cut.steps[0] + share * (cut.steps[1] - cut.steps[0]);
    slider.value = String(Math.round((now / last()) * 1000));
    text(label, `step ${Math.round(now).toLocaleString("en")}`);
    if (entry.video.ended) {
      const next = entry.cuts.cuts.find((one) => one.number > entry.cut);
      slider.value = String(next ? Math.ceil((next.steps[0] / last()) * 1000) : 0);
      seek();
      setPlaying(true);
    }
  }

  slider.addEventListener("input", () => {
    setPlaying(false);
    seek();
  });
  play.addEventListener("click", () => setPlaying(!playing));
  document.addEventListener("visibilitychange", rest);
  search.addEventListener("change", () => {
    if (search.value) add(search.value);
    search.value = "";
  });
  search.addEventListener("input", async () => {
    const found = await get("status", { text: search.value.trim(), count: 20 }).catch(() => ({ jobs: [] }));
    known.replaceChildren(...found.jobs.map((job) => h("option", { value: job.name })));
  });
  timer = setInterval(follow, 100);

  async function begin() {
    let names = (query.get("jobs") || "").split(",").filter(Boolean);
    if (!names.length) {
      const found = await get("status", { state: "running,rendering,done", count: 100 });
      names = found.jobs.filter((job) => job.timecuts).slice(0, AT_FIRST).map((job) => job.name);
    }
    for (const name of names.slice(0, MOST)) await add(name);
    remember();
  }
  begin().catch(() => {});
  return {
    key(event) {
      if (event.key !== " ") return false;
      setPlaying(!playing);
      return true;
    },
    leave() {
      left = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", rest);
      for (const { video } of shown.values()) video.removeAttribute("src");
    },
  };
}

// One training alone, as large as the screen: for a projector, or the second one.

import { get, media } from "../api.js";
import { h } from "../dom.js";
import { fullScreen } from "../keys.js";
import { situation } from "../words.js";

const FADE_MS = 1200;
const IDLE_MS = 2500;

export function open(root, { name }) {
  const caption = h("p", { class: "caption" });
  const stage = h("div", { class: "stage", ondblclick: () => fullScreen() });
  root.append(stage, caption);
  let shown = "";
  let idle = 0;
  let version = "";
  let others = [];

  function wake() {
    root.classList.remove("idle");
    clearTimeout(idle);
    idle = setTimeout(() => root.classList.add("idle"), IDLE_MS);
  }

  // The newer cut fades in over the older one, which goes only when the newer one plays.
  function fade(sources, poster) {
    if (!sources.length || sources[0] === shown) return;
    shown = sources[0];
    const video = h("video", { muted: true, loop: true, playsInline: true, autoplay: true, poster });
    video.setAttribute("muted", "");
    let at = 0;
    video.addEventListener("error", () => {
      at += 1;
      if (sources[at]) video.src = sources[at];
    });
    video.addEventListener(
      "playing",
      () => {
        video.classList.add("shown");
        setTimeout(() => [...stage.children].forEach((each) => each !== video && each.remove()), FADE_MS);
      },
      { once: true },
    );
    video.src = sources[0];
    stage.append(video);
    if (stage.children.length === 1) video.classList.add("shown");
  }

  async function refresh() {
    const [job, { cuts }] = await Promise.all([get("show", { name }), get("cuts", { name })]);
    const box = job.boxes ? { box: 1 } : {};
    const newest = cuts.at(-1);
    const poster = job.latest ? media(name, "latest", job.latest) : "";
    const sources = [
      job.state === "done" && job.film && media(name, "film", job.film, box),
      newest && media(name, "timecut", newest.version, { number: newest.number, box: newest.box }),
      job.preview && media(name, "preview", job.preview),
    ].filter(Boolean);
    if (sources.length) fade(sources, poster);
    else if (poster) stage.replaceChildren(h("img", { src: poster, alt: "", class: "shown" }));
    caption.replaceChildren(h("b", {}, name), " ", situation(job));
    const running = await get("status", { state: "running,rendering" });
    others = running.jobs.map((each) => each.name);
  }

  wake();
  addEventListener("mousemove", wake);
  refresh().catch((error) => caption.replaceChildren(error.message));
  return {
    update(news) {
      if (news.version !== version) refresh().catch(() => {});
      version = news.version;
    },
    key(event) {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by || !others.length) return false;
      const next = others[(others.indexOf(name) + by + others.length) % others.length];
      location.replace(`#/screen/${encodeURIComponent(next)}`);
      return true;
    },
    leave() {
      removeEventListener("mousemove", wake);
      clearTimeout(idle);
    },
  };
}

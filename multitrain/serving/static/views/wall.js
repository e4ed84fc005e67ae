// The wall: all running trainings, each playing its newest cut.

import { get } from "../api.js";
import { h, reconcile } from "../dom.js";
import { fit } from "../fit.js";
import { forget } from "../player.js";
import { tile } from "../tile.js";

const MOST = 200;
const MOST_FINISHED = 24;

export function open(root) {
  const running = h("section", { class: "tiles fitted" });
  const message = h("p", { class: "quiet message" });
  const finished = h("section", { class: "tiles small" });
  const heading = h("h2", {}, "Finished");
  root.append(message, running, heading, finished);
  let version = null;
  let busy = false;

  async function refresh(news) {
    if (busy) return;
    busy = true;
    try {
      const [now, done] = await Promise.all([
        get("status", { state: "running,rendering", count: MOST }),
        get("status", { state: "done", count: MOST_FINISHED, newest: 1 }),
      ]);
      const update = (child, job) => child.showJob(job);
      reconcile(running, now.jobs, (job) => job.name, (job) => tile(job), update);
      reconcile(finished, done.jobs, (job) => job.name, (job) => tile(job), update);
      heading.hidden = !done.jobs.length;
      const { queued, paused } = news.counts;
      const waiting = queued + paused;
      message.hidden = now.jobs.length > 0;
      message.textContent = !news.total
        ? "Drop a sheet here, and the night begins."
        : waiting
          ? `Nothing is running; ${waiting} wait.`
          : "Nothing is running.";
      fit(running);
    } finally {
      busy = false;
    }
  }

  const refit = () => fit(running);
  addEventListener("resize", refit);
  running.addEventListener("aspect", refit);
  return {
    leave() {
      removeEventListener("resize", refit);
      root.querySelectorAll("video").forEach(forget);
    },
    update(news) {
      const seen = `${news.version} ${news.farm.is_here}`;
      // Pictures come without a change of the store, so the wall looks every few seconds, too.
      const isOld = Date.now() - (version?.at || 0) > 3000;
      if (seen === version?.seen && !isOld) return;
      version = { seen, at: Date.now() };
      refresh(news).catch(() => {});
    },
  };
}

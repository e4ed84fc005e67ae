// The farm: its slots and who holds them, the disk, the spool.

import { h, reconcile, text } from "../dom.js";
import { ask } from "../notices.js";
import { send } from "../steering.js";
import { bytes, clock } from "../words.js";

export function open(root) {
  const said = h("p", { class: "said" });
  const drain = h("button", { class: "button", type: "button" }, "Drain");
  const pauseAll = h("button", { class: "button", type: "button", onclick: () => send("pause", { every: "all" }) }, "Pause all");
  const resumeAll = h("button", { class: "button", type: "button", onclick: () => send("resume", { every: "all" }) }, "Resume all");
  drain.addEventListener("click", async () => {
    const question = h("p", {}, "Drain the farm? Every job stops at a checkpoint, and the farm ends; `multitrain run` goes on.");
    if ((await ask(question, ["", "No"], ["yes", "Drain", "main"])) === "yes") send("drain", {});
  });
  const slots = h("section", { class: "slots" });
  const waiting = h("ul", { class: "waiting" });
  const disk = h("section", { class: "disk" });
  root.append(h("div", { class: "tools" }, said, pauseAll, resumeAll, drain), slots, waiting, disk);

  const slot = () =>
    h("article", {}, h("h3"), h("p", { class: "model" }), h("p", { class: "holder" }), h("p", { class: "load" }));

  function fill(element, each) {
    element.className = each.job ? "held" : each.obstacle ? "taken" : "free";
    text(element.querySelector("h3"), each.label);
    text(element.querySelector(".model"), each.model);
    element
      .querySelector(".holder")
      .replaceChildren(each.job ? h("a", { href: `#/job/${encodeURIComponent(each.job)}` }, each.job) : each.obstacle || "free");
    const known = (value) => value !== null && value !== undefined;
    const load = [];
    if (known(each.load)) load.push(`${each.load} %`);
    if (known(each.memory_total) && known(each.memory_free)) {
      load.push(`${bytes(each.memory_total - each.memory_free)} of ${bytes(each.memory_total)}`);
    }
    if (known(each.temperature)) load.push(`${each.temperature} °C`);
    text(element.querySelector(".load"), load.join(" · "));
  }

  function gauge(name, used, whole, note) {
    const fill = h("i");
    fill.style.transform = `scaleX(${Math.min(1, used / (whole || 1))})`;
    return h("div", { class: "gauge" }, h("p", {}, h("b", {}, name), " ", note), h("i", { class: "meter" }, fill));
  }

  return {
    update(news) {
      const { farm } = news;
      text(
        said,
        !farm.is_here
          ? "No farm is running here: `multitrain run` starts one."
          : `${farm.is_draining ? "Draining" : "At work"} since ${clock(new Date(farm.since * 1000))}`,
      );
      for (const button of [drain, pauseAll, resumeAll]) button.disabled = !farm.is_here;
      reconcile(slots, news.slots, (each) => each.label, slot, fill);
      waiting.replaceChildren(...Object.entries(news.waiting).map(([what, why]) => h("li", {}, h("b", {}, what), ` ${why}`)));
      const room = news.disk;
      disk.replaceChildren(
        ...(room
          ? [
              gauge("Spool", room.spool, room.spool_share * (news.slots.length + 1), `${bytes(room.spool)} of ${bytes(room.spool_share * (news.slots.length + 1))}`),
              h("p", {}, h("b", {}, "Disk"), ` ${bytes(room.free)} free; below ${bytes(room.keep_free)} nothing starts`),
            ]
          : []),
      );
    },
  };
}

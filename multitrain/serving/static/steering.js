// Orders to jobs: which are possible in which state, and how they are given.

import { post } from "./api.js";
import { h } from "./dom.js";
import { ask, toast } from "./notices.js";

// What a person would do first stands first.
const POSSIBLE = {
  running: ["pause", "cancel"],
  rendering: ["cancel"],
  queued: ["top", "top now", "pause", "cancel"],
  paused: ["resume", "top", "cancel", "forget"],
  failed: ["requeue", "requeue fresh", "forget"],
  cancelled: ["requeue", "requeue fresh", "forget"],
  done: ["requeue fresh", "forget"],
};

export const LABELS = {
  pause: "Pause",
  resume: "Resume",
  cancel: "Cancel",
  requeue: "Requeue",
  "requeue fresh": "Start over",
  top: "To the top",
  "top now": "Run now",
  forget: "Forget",
};

const TITLES = {
  pause: "Stop at a checkpoint and keep the place in the queue",
  resume: "Queue again; goes on where it stopped",
  cancel: "Stop at a checkpoint and leave it; all files stay",
  requeue: "Queue again from the newest checkpoint, with all tries",
  "requeue fresh": "From the start; the film that is there is kept",
  top: "Before all others in the queue",
  "top now": "First, and the least important running job makes room",
  forget: "Leave it out of the list; all files stay",
};

const QUESTIONS = {
  cancel: "Cancel %? It stops at a checkpoint; its files stay, and it can be requeued.",
  "requeue fresh": "Start % over? What was trained is made anew; the film that is there is kept.",
  forget: "Leave % out of the list? All files stay.",
  "top now": "Run % now? The least important running job stops at a checkpoint and waits.",
};

export const possible = (job) => (job.is_stopping && job.state === "paused" ? ["resume"] : POSSIBLE[job.state] || []);

export async function order(what, names, fields = {}) {
  const question = QUESTIONS[what];
  const whom = names.length === 1 ? names[0] : `${names.length} jobs`;
  if (question && (await ask(h("p", {}, question.replace("%", whom)), ["", "No"], ["yes", LABELS[what], "main"])) !== "yes") {
    return false;
  }
  const [path, flag] = what.split(" ");
  const flags = flag ? { [flag]: true } : {};
  return send(path, names.length ? { names, ...flags, ...fields } : { ...flags, ...fields });
}

export async function send(path, body) {
  try {
    const { done, refused } = await post(path, body);
    const few = (lines) => (lines.length > 3 ? [...lines.slice(0, 3), `and ${lines.length - 3} more`] : lines);
    few(done).forEach((line) => toast(line));
    few(refused).forEach((line) => toast(line, "wrong"));
    if (!done.length && !refused.length) toast("there is no job that this concerns");
    return !refused.length;
  } catch (error) {
    toast(error.message, "wrong");
    return false;
  }
}

export function buttons(job, which = possible(job)) {
  return which.map((what) =>
    h(
      "button",
      {
        class: `button order ${what.replace(" ", "-")}`,
        type: "button",
        title: TITLES[what],
        data: { order: what },
        onclick: (event) => {
          event.stopPropagation();
          event.preventDefault();
          order(what, [job.name]);
        },
      },
      LABELS[what],
    ),
  );
}

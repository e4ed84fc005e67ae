// Numbers and states for people.

export const STATES = ["running", "rendering", "queued", "paused", "done", "failed", "cancelled"];

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.round(hours / 24)} days`;
}

// A moment, such as when the night is over: `06:40`, or `Tue 06:40`.
export function clock(date) {
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
  const today = date.toDateString() === new Date().toDateString();
  return today ? time : `${date.toLocaleDateString([], { weekday: "short" })} ${time}`;
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let place = 0;
  while (count >= 1000 && place < units.length - 1) {
    count /= 1000;
    place += 1;
  }
  return `${count < 10 && place ? count.toFixed(1) : Math.round(count)} ${units[place]}`;
}

export const fraction = (job) => (job.frames_total ? Math.min(1, job.frames_done / job.frames_total) : 0);

export function percent(job) {
  const share = fraction(job) * 100;
  return share > 0 && share < 10 ? `${share.toFixed(1)} %` : `${Math.floor(share)} %`;
}

// A moment of a film: `1:23.4`.
export function moment(seconds) {
  const tenths = Math.round(seconds * 10);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

export function filmLength(seconds) {
  const whole = Math.round(seconds);
  const rest = [Math.floor(whole / 60) % 60, whole % 60].map((each) => String(each).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${rest.join(":")}` : rest.join(":").replace(/^0/, "");
}

// One short line: what the job does now, or why it does not.
export function situation(job) {
  if (job.is_stopping) return job.state === "paused" ? "pausing at a checkpoint" : "stopping at a checkpoint";
  if (job.state === "running" || job.state === "rendering") {
    const left = job.seconds_left ? `${duration(job.seconds_left)} left` : "";
    return [job.state === "rendering" ? "finishing its film" : percent(job), left].filter(Boolean).join(" · ");
  }
  if (job.state === "queued") return job.waits_for ? `waits: ${job.waits_for}` : "waits for a slot";
  if (job.state === "failed") return job.error || "failed";
  return job.state === "done" ? "done" : `${job.state} at ${percent(job)}`;
}

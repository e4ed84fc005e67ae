// Sheets that are dropped anywhere: checked, their mistakes shown at their lines, then submitted.

import { post } from "./api.js";
import { byId, h } from "./dom.js";
import { ask, toast } from "./notices.js";
import { duration } from "./words.js";

const AROUND = 1; // lines shown before and after a mistake
const MOST_SHOWN = 200; // mistakes

export function watchDrops() {
  const zone = byId("dropzone");
  let depth = 0;
  const hasFile = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  addEventListener("dragenter", (event) => {
    if (hasFile(event)) zone.hidden = ++depth <= 0;
  });
  addEventListener("dragleave", (event) => {
    if (hasFile(event)) zone.hidden = --depth <= 0;
  });
  addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    depth = 0;
    zone.hidden = true;
    take(event.dataTransfer.files);
  });
  const input = byId("add").querySelector("input");
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
}

async function take(files) {
  for (const file of files) await checkAndSubmit(file);
}

async function checkAndSubmit(file) {
  toast(`checking ${file.name} …`);
  try {
    const buffer = await file.arrayBuffer();
    const body = { name: file.name, content: base64(new Uint8Array(buffer)) };
    const found = await post("check", body);
    if (found.mistakes.length || !found.jobs.length) {
      const isText = !/\.xlsx$/i.test(file.name);
      await ask(mistakes(file.name, found, isText ? new TextDecoder().decode(buffer) : ""), ["", "Close"]);
      return;
    }
    if ((await ask(summary(file.name, found), ["", "No"], ["yes", submitLabel(found.jobs), "main"])) !== "yes") return;
    const answer = await post("submit", body);
    if (answer.mistakes.length) await ask(mistakes(file.name, answer, ""), ["", "Close"]);
    answer.done.slice(0, 4).forEach((line) => toast(line));
    answer.refused.forEach((line) => toast(line, "wrong"));
  } catch (error) {
    toast(`${file.name}: ${error.message}`, "wrong");
  }
}

const submitLabel = (jobs) => (jobs.length === 1 ? "Submit 1 job" : `Submit ${jobs.length} jobs`);

function base64(content) {
  let text = "";
  for (let at = 0; at < content.length; at += 0x8000) text += String.fromCharCode(...content.subarray(at, at + 0x8000));
  return btoa(text);
}

function summary(name, { jobs, notes }) {
  const seconds = jobs.reduce((sum, job) => sum + (job.seconds || 0), 0);
  return [
    h("h2", {}, name),
    h("p", {}, jobs.length === 1 ? "1 job" : `${jobs.length} jobs`, seconds ? `, about ${duration(seconds)} of work` : ""),
    h("ul", { class: "names" }, jobs.slice(0, 60).map((job) => h("li", {}, job.name)), jobs.length > 60 && h("li", {}, "…")),
    notes.map((note) => h("p", { class: "note" }, note)),
  ];
}

function mistakes(name, { mistakes: found, notes = [], refused = [] }, sheet) {
  const lines = sheet.split(/\r?\n/);
  const count = found.length === 1 ? "1 mistake" : `${found.length} mistakes`;
  return [
    h("h2", {}, found.length ? `${name}: ${count}` : name),
    h("ol", { class: "mistakes" }, found.slice(0, MOST_SHOWN).map((each) => mistake(each, lines))),
    found.length > MOST_SHOWN && h("p", {}, `and ${found.length - MOST_SHOWN} more`),
    [...notes, ...refused].map((note) => h("p", { class: "note" }, note)),
  ];
}

function mistake({ line, column, reason }, lines) {
  const shown = [];
  for (let at = Math.max(1, line - AROUND); line && at <= Math.min(lines.length, line + AROUND); at += 1) {
    if (lines[at - 1]) shown.push(h("code", { class: at === line ? "here" : "", data: { line: String(at) } }, lines[at - 1]));
  }
  return h(
    "li",
    { data: { line: String(line) } },
    h("p", {}, line ? h("b", {}, `line ${line}`) : null, line ? " " : null, column && h("em", {}, column), column && " ", reason),
    shown.length && h("pre", {}, shown),
  );
}

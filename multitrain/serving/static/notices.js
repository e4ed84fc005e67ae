// Short messages, and questions before what cannot be taken back at once.

import { byId, h } from "./dom.js";

const SHOWN_MS = 6000;

export function toast(message, kind = "") {
  const line = h("p", { class: `toast ${kind}` }, message);
  byId("toasts").append(line);
  setTimeout(() => line.remove(), kind === "wrong" ? 2 * SHOWN_MS : SHOWN_MS);
}

// A dialog with this content; resolves to the value of the button that was pressed, or "".
export function ask(content, ...buttons) {
  const dialog = byId("dialog");
  if (dialog.open) dialog.close("");
  const row = h(
    "form",
    { method: "dialog", class: "buttons" },
    buttons.map(([value, label, kind]) => h("button", { value, class: `button ${kind || ""}` }, label)),
  );
  dialog.replaceChildren(h("div", { class: "content" }, content), row);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

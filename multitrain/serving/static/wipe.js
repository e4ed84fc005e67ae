// Before and after: two of the pictures that stand side by side in a film's cells, laid over each
// other, on either side of a line that is dragged or moved by the arrow keys.

import { h } from "./dom.js";

const STEPS = 1000; // of the line, from one edge to the other

// `cells` are `columns` x `rows`, each with its `pictures` from left to right, by their names.
export function wipe(video, { columns, rows, pictures }) {
  const canvas = h("canvas");
  const line = h("input", { type: "range", min: 0, max: STEPS, value: STEPS / 2, "aria-label": "Line between before and after" });
  const choice = (side, chosen) =>
    h(
      "select",
      { class: side, "aria-label": `Picture ${side} the line`, onchange: draw },
      pictures.map((name, number) => h("option", { value: number, selected: number === chosen }, name)),
    );
  const last = pictures.includes("output") ? pictures.indexOf("output") : pictures.length - 1;
  const sides = [choice("before", last === 0 ? 1 : 0), choice("after", last)];
  const element = h("div", { class: "wipe" }, canvas, line, sides);
  line.addEventListener("input", draw);
  for (const event of ["loadeddata", "seeked"]) video.addEventListener(event, draw);
  let isOn = true;

  function draw() {
    if (!video.videoWidth || !isOn) return;
    const wide = video.videoWidth / (columns * pictures.length);
    const high = video.videoHeight / rows;
    const size = [Math.round(columns * wide), Math.round(rows * high)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) {
      [canvas.width, canvas.height] = size;
      element.style.setProperty("--aspect", String(size[0] / size[1]));
    }
    const edge = (canvas.width * line.value) / STEPS;
    element.style.setProperty("--edge", `${(100 * line.value) / STEPS}%`);
    const context = canvas.getContext("2d");
    const parts = [
      [Number(sides[0].value), 0, edge],
      [Number(sides[1].value), edge, canvas.width],
    ];
    for (let column = 0; column < columns; column += 1) {
      for (const [picture, from, to] of parts) {
        const begin = Math.max(column * wide, from);
        const width = Math.min((column + 1) * wide, to) - begin;
        if (width <= 0) continue;
        const there = (column * pictures.length + picture) * wide + begin - column * wide;
        context.drawImage(video, there, 0, width, video.videoHeight, begin, 0, width, canvas.height);
      }
    }
  }

  function follow() {
    if (!isOn) return;
    draw();
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(follow);
    else requestAnimationFrame(follow);
  }

  element.stop = () => {
    isOn = false;
    for (const event of ["loadeddata", "seeked"]) video.removeEventListener(event, draw);
    element.remove();
  };
  draw();
  follow();
  return element;
}

// Curves of losses, or of what networks were measured at, drawn as SVG: one colour for each, the last
// value beside its name.

import { h, svg } from "./dom.js";

const WIDTH = 600;
const HEIGHT = 170;

export function curves({ steps, losses }) {
  const names = Object.keys(losses);
  if (steps.length < 2 || !names.length) return h("p", { class: "quiet" }, "no losses yet");
  const known = names.flatMap((name) => losses[name]).filter((value) => value !== null);
  // A few wild values of the beginning would flatten all the rest.
  const sorted = [...known].sort((a, b) => a - b);
  const low = sorted[Math.floor(sorted.length * 0.01)];
  const high = sorted[Math.ceil(sorted.length * 0.99) - 1];
  const span = high - low || 1;
  const [first, last] = [steps[0], steps[steps.length - 1]];
  const x = (step) => ((step - first) / (last - first || 1)) * WIDTH;
  const y = (value) => HEIGHT - 6 - ((Math.min(Math.max(value, low), high) - low) / span) * (HEIGHT - 12);
  const picture = svg("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    class: "curves",
    role: "img",
    "aria-label": `${names.join(", ")} from step ${first} to ${last}`,
  });
  for (const part of [0.25, 0.5, 0.75]) {
    picture.append(svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part, class: "grid" }));
  }
  names.forEach((name, number) => {
    let path = "";
    losses[name].forEach((value, place) => {
      if (value !== null) path += `${path ? "L" : "M"}${x(steps[place]).toFixed(1)} ${y(value).toFixed(1)}`;
    });
    picture.append(svg("path", { d: path, class: `curve c${number % 6}` }));
  });
  const legend = names.map((name, number) => {
    const value = losses[name].findLast((each) => each !== null);
    return h("span", { class: `c${number % 6}` }, `${name} ${value?.toPrecision(3) ?? ""}`);
  });
  return h("figure", { class: "losses" }, picture, h("figcaption", {}, legend, h("span", { class: "quiet" }, `step ${last.toLocaleString("en")}`)));
}

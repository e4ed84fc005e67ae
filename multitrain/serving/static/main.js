// The page: who is let in, which view is shown, and what all views have in common.

import { ApiError, enter, get, hasKey } from "./api.js";
import { showBar } from "./bar.js";
import { heard, title, watchBell } from "./bell.js";
import { byId, template } from "./dom.js";
import { watchDrops } from "./drop.js";
import { watchKeys } from "./keys.js";
import { toast } from "./notices.js";
import { Stream } from "./stream.js";
import * as cuts from "./views/cuts.js";
import * as farm from "./views/farm.js";
import * as films from "./views/films.js";
import * as job from "./views/job.js";
import * as queue from "./views/queue.js";
import * as screen from "./views/screen.js";
import * as wall from "./views/wall.js";

const VIEWS = { wall, queue, films, cuts, farm, job, screen };
let current = null;
let overview = null;
let stream = null;

// `#/job/night?x=1` is view `job`, name `night`, query `x`.
function place() {
  const [path, query = ""] = location.hash.replace(/^#\//, "").split("?");
  const [view, ...rest] = path.split("/");
  return { view: VIEWS[view] ? view : "wall", name: decodeURIComponent(rest.join("/")), query: new URLSearchParams(query) };
}

function route() {
  const where = place();
  current?.leave?.();
  const root = byId("view");
  root.replaceChildren();
  root.className = where.view;
  document.body.dataset.view = where.view;
  for (const link of document.querySelectorAll("#places a")) {
    link.toggleAttribute("aria-current", link.dataset.place === where.view);
  }
  title(where.name ? `${where.name} · multitrain` : "multitrain");
  current = VIEWS[where.view].open(root, where);
  if (overview) current.update?.(overview);
}

function told(news) {
  if (news.trouble) {
    toast(news.trouble, "wrong");
    return;
  }
  document.body.classList.remove("broken");
  overview = news;
  heard(news);
  showBar(news);
  if (!document.hidden) current?.update?.(news); // what the stream tells first when it is seen again does that
}

function begin() {
  byId("bar").hidden = byId("states").hidden = false;
  addEventListener("hashchange", route);
  watchDrops();
  watchKeys(place, () => current);
  watchBell();
  stream = new Stream(told, (error) => {
    document.body.classList.add("broken");
    if (error) welcome(error.message);
  });
  route();
  stream.begin();
}

function welcome(message = "") {
  stream?.close();
  byId("bar").hidden = byId("states").hidden = true;
  const root = byId("view");
  root.replaceChildren(template("welcome"));
  root.querySelector(".wrong").textContent = message;
  root.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await enter(root.querySelector("input").value);
      location.reload();
    } catch (error) {
      root.querySelector(".wrong").textContent = error.message;
    }
  });
}

async function start() {
  try {
    if (location.hash.startsWith("#token=")) {
      const link = location.hash;
      history.replaceState(null, "", "#/wall"); // neither in the history nor over a shoulder
      await enter(link);
    }
    await get("session");
    if (!hasKey()) throw new ApiError(401, "");
    begin();
  } catch (error) {
    welcome(error.message);
  }
}

start();

// The one stream of events. Closed while the page is hidden: a browser has six connections to a host.
// A hidden page asks now and then instead, for its title says when the night is done.

import { get } from "./api.js";

const RETRY_MS = 1500;
const HIDDEN_MS = 20_000;

export class Stream {
  constructor(onOverview, onBroken) {
    this.onOverview = onOverview;
    this.onBroken = onBroken;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.rest() : this.open()));
    addEventListener("pagehide", () => this.close());
    addEventListener("pageshow", () => document.hidden || this.open());
  }

  open() {
    if (this.source) return;
    clearTimeout(this.retry);
    clearInterval(this.asking);
    this.source = new EventSource("/api/events");
    this.source.addEventListener("overview", (event) => {
      this.onOverview(JSON.parse(event.data));
    });
    this.source.onerror = () => {
      this.close();
      this.onBroken();
      this.retry = setTimeout(() => this.again(), RETRY_MS);
    };
  }

  // An EventSource does not say why it failed: whether nobody is there, or we are not let in.
  async again() {
    if (document.hidden) return;
    try {
      await get("session");
      this.open();
    } catch (error) {
      if (error.status === 401) this.onBroken(error);
      else this.retry = setTimeout(() => this.again(), RETRY_MS);
    }
  }

  rest() {
    this.close();
    this.asking = setInterval(() => get("overview").then(this.onOverview, () => {}), HIDDEN_MS);
  }

  close() {
    clearTimeout(this.retry);
    clearInterval(this.asking);
    this.source?.close();
    this.source = null;
  }
}

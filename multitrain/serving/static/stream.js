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
    addEventListener("pageshow", () => this.begin());
  }

  // A page may begin behind others, and be seen only later.
  begin() {
    if (!document.hidden) return this.open();
    this.rest();
    return this.ask();
  }

  open() {
    if (this.source) return;
    this.close();
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
    try {
      await get("session");
      if (!document.hidden) this.open();
    } catch (error) {
      if (error.status === 401) this.onBroken(error);
      else if (!document.hidden) this.retry = setTimeout(() => this.again(), RETRY_MS);
    }
  }

  rest() {
    this.close();
    this.asking = setInterval(() => this.ask(), HIDDEN_MS);
  }

  // Once the page is seen again, its stream knows more than an answer that is still on its way.
  async ask() {
    const { asking } = this;
    const news = await get("overview").catch(() => null);
    if (news && asking && asking === this.asking) this.onOverview(news);
  }

  close() {
    clearTimeout(this.retry);
    clearInterval(this.asking);
    this.asking = 0;
    this.source?.close();
    this.source = null;
  }
}

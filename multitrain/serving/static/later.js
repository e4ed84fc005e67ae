// Looks that are repeated, such as at something in the making: a page that nobody sees waits with them.

// Calls `look` in so many milliseconds, or when the page is seen again; returns what calls that off.
export function later(look, ms) {
  const seen = () => document.hidden || off() || look();
  const due = () => (document.hidden ? document.addEventListener("visibilitychange", seen) : look());
  const timer = setTimeout(due, ms);
  function off() {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", seen);
  }
  return off;
}

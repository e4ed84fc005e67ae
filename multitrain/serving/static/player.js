// Videos that play while somebody sees them: silent, over and over.

import { h } from "./dom.js";

const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      target.dataset.seen = isIntersecting ? "1" : "";
      if (isIntersecting) start(target);
      else target.pause();
    }
  },
  { rootMargin: "60px" },
);

function start(video) {
  if (document.hidden || video.dataset.still) return;
  if (!video.getAttribute("src") && video.dataset.source) video.src = video.dataset.source;
  video.play().catch(() => {}); // a browser that lets nothing play by itself shows the poster
}

document.addEventListener("visibilitychange", () => {
  for (const video of document.querySelectorAll("video[data-seen='1']")) {
    if (document.hidden) video.pause();
    else start(video);
  }
});

// A video that begins when it is seen. `onAspect` is told width / height once that is known.
export function player({ source, poster, onAspect, still = false }) {
  const video = h("video", { muted: true, loop: true, playsInline: true, preload: "none" });
  video.setAttribute("muted", "");
  video.setAttribute("playsinline", "");
  video.disableRemotePlayback = true;
  if (still) video.dataset.still = "1";
  if (onAspect) {
    video.addEventListener("loadedmetadata", () => onAspect(video.videoWidth / video.videoHeight));
  }
  video.addEventListener("error", () => {
    // A codec that this browser does not know, or a file that has gone: the poster stays.
    if (video.getAttribute("src")) {
      video.removeAttribute("src");
      video.dataset.source = "";
      video.load();
    }
  });
  show(video, source, poster, onAspect);
  seen.observe(video);
  return video;
}

// Show another source, such as a newer cut, and another poster.
export function show(video, source, poster, onAspect) {
  if (poster && video.getAttribute("poster") !== poster) {
    if (!video.getAttribute("src") || !video.getAttribute("poster")) {
      if (onAspect) aspectOf(poster, onAspect);
      video.poster = poster;
    }
  }
  if ((video.dataset.wanted || "") === (source || "")) return;
  video.dataset.wanted = source || "";
  video.dataset.source = source || "";
  video.removeAttribute("src");
  if (!source) video.load();
  else if (video.dataset.seen) start(video);
}

function aspectOf(poster, onAspect) {
  const image = new Image();
  image.onload = () => image.naturalHeight && onAspect(image.naturalWidth / image.naturalHeight);
  image.src = poster;
}

export function forget(video) {
  seen.unobserve(video);
  video.pause();
  video.removeAttribute("src");
  video.load();
}

// Keep the page fresh: soon while things happen, rarely while nothing does. A board with a source
// is a part that is asked for alone; any other is taken out of its page.
import { morph } from "./morph.js";
import { tell } from "./times.js";

const SOON = 2;
const PATIENCE = 5;

export function startBoard(board) {
  const slowest = Math.max(SOON, Number(board.dataset.poll));
  const live = document.getElementById("live");
  const text = document.getElementById("live-text");
  const pause = document.getElementById("pause");
  let paused = false;
  let etag = "";
  let wait = SOON;
  let timer = 0;

  const show = (state, words) => {
    live.dataset.state = state;
    if (text.textContent !== words) text.textContent = words;
  };

  const refresh = async () => {
    const answer = await fetch(`${board.dataset.source ?? location.pathname}${location.search}`, {
      headers: etag ? { "If-None-Match": etag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE * 1000),
    });
    if (answer.status === 304) return false;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const html = await answer.text();
    if (paused) return false;
    etag = answer.headers.get("ETag") ?? "";
    morph(board, html, board.dataset.source ? null : board.id);
    tell(board);
    return true;
  };

  const tick = async () => {
    clearTimeout(timer);
    if (paused || document.hidden) return;
    try {
      wait = (await refresh()) ? SOON : Math.min(wait * 1.2, slowest);
      if (!paused) show("live", "Up to date");
    } catch (error) {
      wait = Math.min(wait * 2, slowest);
      const why = error.name === "TimeoutError" ? "no answer" : error.message;
      show("lost", `Could not refresh (${why}), trying again`);
    }
    timer = setTimeout(tick, wait * 1000);
  };

  const now = () => {
    wait = SOON;
    tick();
  };

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    if (paused) show("paused", "Paused");
    else now();
  });
  window.addEventListener("focus", now);
  document.addEventListener("visibilitychange", () => document.hidden || now());
  for (const change of ["taskflow:retried", "taskflow:cancelled", "taskflow:changed"]) document.addEventListener(change, now);
  document.querySelector("#tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  now();
}

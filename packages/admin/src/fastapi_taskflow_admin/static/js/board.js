// Keep the page fresh: when the stream names something that it shows, and now and then all the
// same. A board with a source is a part that is asked for alone; any other is taken out of its page.
import { API, leaving, look, PAGE, toast } from "./ask.js";
import { concerns, listen } from "./live.js";
import { morph } from "./morph.js";
import { clock, tell } from "./times.js";

const JITTER = 300; // milliseconds, so that many viewers do not ask at once
const STALE = 5_000;
const SLOW = 300;
const GROWS = 2_000; // between two looks at a bar that grows with the time
const columns = () => localStorage.getItem("taskflow-columns") ?? ""; // chosen in columns.js

// What the buttons of a row are about; the server would write it fifty times a second.
function nameButtons() {
  for (const button of document.querySelectorAll("#rows .actions button")) {
    const row = button.closest("tr");
    const name = `${row.querySelector("a").textContent.slice(0, 40)} ${row.id.slice(-6)}`;
    button.setAttribute("aria-label", `${button.textContent || "More on"} ${name}`);
  }
}

export function startBoard(board) {
  const watches = board.dataset.watch ?? "all";
  const source = new URL(board.dataset.source ?? PAGE.pathname, PAGE);
  source.search = PAGE.search;
  const least = watches === "all" ? 2_000 : 1_000;
  const slowest = 1000 * Number(board.dataset.poll);
  const live = document.getElementById("live");
  const [state, detail] = document.getElementById("live-text").children; // the first is announced
  const pause = document.getElementById("pause");
  const next = () => setTimeout(run, document.querySelector("[data-grows]") ? Math.min(GROWS, slowest) : slowest);
  let over = false; // somebody was signed out
  let paused = false;
  let lostSince = 0;
  let heard = false;
  let back = 0;
  let telling = 0;
  let fresh = new Date();
  let asked = 0;
  let missed = 0;
  let etag = "";
  let gap = least; // the server knows how many pages ask
  let due = 0;
  let poll = 0;

  nameButtons();
  const show = (kind, words, more = "") => {
    live.dataset.state = kind;
    if (state.textContent !== words) state.textContent = words;
    detail.textContent = more;
  };

  const tellState = () => {
    if (over) return;
    if (paused) show("paused", "Paused", missed ? ` (+${missed})` : "");
    else if (!lostSince) show(heard ? "live" : "opening", heard ? "Live" : "Connecting");
    else if (Date.now() - lostSince < STALE) show("lost", "Reconnecting", ` in ${Math.max(0, Math.ceil((back - Date.now()) / 1000))} s`);
    else show("lost", `Disconnected since ${clock(new Date(lostSince))}`);
    const stale = lostSince && Date.now() - lostSince >= STALE;
    board.classList.toggle("stale", Boolean(stale));
    if (stale) banner(board, `Showing data from ${clock(fresh)}.`, "Reconnect", stream.retry);
    else banner(board, "");
  };

  // Somebody is at work further down, or has chosen rows: they must not move.
  const held = () => watches === "rows" && (window.scrollY > 200 || board.querySelector("#rows :checked"));

  const refresh = async () => {
    const headers = { "Taskflow-Part": "board", "Taskflow-Columns": columns(), ...(etag && { "If-None-Match": etag }) };
    const answer = await look(source, headers);
    fresh = answer.ok || answer.status === 304 ? new Date() : fresh;
    if (answer.status === 304) return;
    if (answer.status === 401) return signedOut();
    if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
    const html = await answer.text();
    if (paused) return;
    const still = held() ? "rows" : null;
    etag = still ? "" : answer.headers.get("ETag") ?? "";
    const base = location.pathname === PAGE.pathname ? null : PAGE; // a task is shown beside it
    const { rows, left } = morph(board, html, { id: board.dataset.source ? null : board.id, still, base });
    showNew(left, left === rows && board.querySelector("[rel=next]"));
    tell(board);
    nameButtons();
    board.dispatchEvent(new CustomEvent("taskflow:fresh", { bubbles: true }));
  };

  const run = async (why) => {
    clearTimeout(due);
    clearTimeout(poll);
    due = 0;
    if (over || paused || document.hidden) return;
    asked = Date.now();
    document.dispatchEvent(new CustomEvent("taskflow:refresh", { detail: { ticked: why === "tick" } }));
    const slow = setTimeout(() => board.classList.add("slow"), SLOW);
    try {
      await refresh();
      if (!lostSince && !over) banner(board, "");
    } catch (error) {
      const why = error.name === "TimeoutError" ? "no answer" : error.message;
      if (!lostSince) banner(board, `Could not refresh: ${why}. Showing data from ${clock(fresh)}.`, "Try again", run);
    }
    clearTimeout(slow);
    board.classList.remove("slow");
    poll = next();
  };

  const soon = () => {
    due ||= setTimeout(run, Math.max(0, asked + gap - Date.now()) + JITTER * Math.random(), "tick");
  };

  const showNew = (number, orMore) => {
    let button = document.getElementById("unseen");
    if (!number) return button?.remove();
    if (!button) {
      button = document.createElement("button");
      button.id = "unseen";
      button.className = "unseen";
      button.addEventListener("click", () => {
        for (const box of board.querySelectorAll("#rows :checked")) box.click();
        window.scrollTo(0, 0);
        showNew(0);
        etag = "";
        run();
      });
      board.before(button);
    }
    button.textContent = `${number}${orMore ? "+" : ""} new task${number === 1 ? "" : "s"}`;
  };

  const shows = (said) => {
    if (watches === "all" || (watches === "rows" && said.new)) return true;
    return [...document.querySelectorAll("#rows > tr, [data-watch]")].some((each) => concerns(said, each.dataset.watch ?? each.id));
  };

  const end = () => {
    stream.end();
    over = true;
  };

  const signedOut = () => {
    end();
    pause.hidden = true;
    show("lost", "Signed out");
    banner(board, "Signed out. What you see is no longer kept up to date.", "Sign in", () => location.reload());
  };

  const stream = listen(`${API}/dashboard/stream`, {
    live: (restarted) => {
      const away = lostSince;
      lostSince = 0;
      heard = true;
      clearInterval(telling);
      tellState();
      if (away) run();
      if (restarted) toast("The server has restarted.");
    },
    lost: (wait) => {
      lostSince ||= Date.now();
      back = Date.now() + wait;
      clearInterval(telling);
      telling = setInterval(tellState, 1000);
      tellState();
      run(); // it may be that somebody was signed out
    },
    reset: () => {
      etag = "";
      run();
    },
    tick: (said) => {
      document.dispatchEvent(new CustomEvent("taskflow:tick", { detail: said }));
      gap = Math.max(least, 1000 * (said.gap ?? 0));
      if (paused) {
        missed += said.n;
        return tellState();
      }
      if (shows(said)) soon();
    },
  });

  leaving.addEventListener("abort", end);
  pause.addEventListener("click", () => {
    paused = !paused;
    missed = 0;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? "Resume" : "Pause";
    tellState();
    run();
  });
  document.addEventListener("visibilitychange", () => document.hidden || run());
  for (const change of ["taskflow:retried", "taskflow:cancelled", "taskflow:changed"]) document.addEventListener(change, run);
  document.querySelector("#tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if (watches === "rows" && columns()) run();
  else poll = next();
}

export function banner(place, words, label = "", act = null, id = "banner") {
  let shown = document.getElementById(id);
  if (!words) return shown?.remove();
  if (!shown) {
    shown = document.createElement("p");
    shown.id = id;
    shown.className = "strip";
    shown.setAttribute("role", "alert");
    place.before(shown);
  }
  if (shown.dataset.words === words) return undefined;
  shown.dataset.words = words;
  const button = document.createElement("button");
  button.className = "small";
  button.textContent = label;
  button.addEventListener("click", act);
  shown.replaceChildren(words, button);
  return undefined;
}

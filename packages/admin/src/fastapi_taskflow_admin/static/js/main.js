// Start what the page has a place for; what few visitors need is fetched when they do.
import { startActions } from "./actions.js";
import { PAGE, toast } from "./ask.js";
import { startBoard } from "./board.js";
import { startKeys } from "./keys.js";
import { startTimes } from "./times.js";

for (const kind of ["click", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const sheet = document.querySelector(".sheet[open]");
    if (sheet && !sheet.contains(event.target)) sheet.open = false;
  });
}
document.addEventListener("keydown", (event) => {
  const sheet = document.querySelector(".sheet[open]");
  if (event.key !== "Escape" || !sheet) return;
  sheet.open = false;
  sheet.querySelector("summary").focus();
});

// The whole of what is cut off, for who points at it.
document.addEventListener("pointerover", ({ target }) => {
  const cut = target.scrollWidth > target.clientWidth && getComputedStyle(target).textOverflow === "ellipsis";
  if (cut) target.title = target.textContent.trim();
});

const board = document.querySelector("[data-poll]");
const part = (id, start) => {
  const found = document.getElementById(id);
  if (found) start(found);
};

// A plain click on a task of the list opens it beside the list, where there is room for both.
async function beside(href, step) {
  const patience = new Promise((_, refuse) => setTimeout(refuse, 5_000));
  try {
    const { openTask } = await Promise.race([import("./panel.js"), patience]);
    openTask(href, step);
  } catch {
    // Who is told that nobody answers keeps what they see; else it was something else.
    if (document.querySelector(".stale")) toast("The server does not answer.", { bad: true });
    else location.assign(href);
  }
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("#rows a");
  const other = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
  if (!link || other || !matchMedia("(min-width: 1200px)").matches) return;
  event.preventDefault();
  beside(link.href, true);
});
// The browser may go back or on to the address of a page that this one is not.
window.addEventListener("popstate", () => {
  if (location.pathname === PAGE.pathname) return;
  if (board?.dataset.watch === "rows" && history.state?.beside) beside(location.href, false);
  else location.reload();
});

// Who reloads a task that was beside the list and goes back finds a new list: at the same row.
function comeBack() {
  const row = document.getElementById(sessionStorage.getItem("taskflow-row") ?? "");
  sessionStorage.removeItem("taskflow-row");
  if (!row || performance.getEntriesByType("navigation")[0].type === "navigate") return;
  history.scrollRestoration = "manual"; // rows may have come since
  window.addEventListener("pagehide", () => (history.scrollRestoration = "auto"), { once: true });
  row.scrollIntoView({ block: "center" });
  row.querySelector("a").focus({ preventScroll: true });
}

document.querySelector(".pages [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
startTimes();
startActions();
startKeys();
if (board) startBoard(board);
part("panel", async () => (await import("./charts.js")).startCharts(board));
part("parts", async (it) => (await import("./parts.js")).startParts(it));
part("bulk", async (bar) => (await import("./select.js")).startSelection(board, bar));
part("logs", async (list) => (await import("./logs.js")).startLogs(list));
if (board?.dataset.watch === "rows") comeBack();

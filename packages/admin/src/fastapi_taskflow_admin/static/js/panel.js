// A task beside the list: the page of its own address, kept fresh whenever the list is.
// While it is open the address is the task's, so that a reload shows it as a page; "back" closes it.
import { look, PAGE } from "./ask.js";
import { banner } from "./board.js";
import { concerns } from "./live.js";
import { startLogs } from "./logs.js";
import { morph, settle } from "./morph.js";
import { startParts } from "./parts.js";
import { clock, tell } from "./times.js";

const SLOW = 300;
const BOTH = matchMedia("(min-width: 1200px)"); // whether there is room for both, as in panel.css
const OTHERS = "dialog[open], .menu, .sheet[open], #bulk:not([hidden])"; // what Escape closes first

let side = null;
let shown = ""; // the id of the task
let over = new AbortController(); // when another task is shown, or none
let asked = 0;
const title = document.title;

const rowOf = (id) => document.getElementById(`task-${id}`);

// `step`: whether the address is to change, too; it has when somebody went forward to it.
export async function openTask(href, step = true) {
  const turn = ++asked;
  const slow = setTimeout(() => document.body.classList.add("slow"), SLOW);
  let page;
  try {
    page = await read(href);
  } catch {
    page = message("The server does not answer.", href);
  }
  clearTimeout(slow);
  document.body.classList.remove("slow");
  const elsewhere = !step && location.pathname !== new URL(href).pathname;
  if (turn !== asked || elsewhere) return; // somebody wants to see another one by now, or the list
  if (page) show(href, page, step);
  else location.assign(href); // the login is a page of its own
}

async function read(href) {
  const answer = await look(href);
  if (answer.status === 401) return null;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = parsed.querySelector("#parts, main > .empty");
  content?.querySelector("p:has(> .button)")?.remove(); // it leads to the list
  return content ? { content, title: parsed.title } : message(`The server answers ${answer.status}.`, href);
}

function message(words, href) {
  const content = document.createElement("section");
  const heading = document.createElement("h1");
  const again = document.createElement("button");
  content.className = "card empty";
  heading.tabIndex = -1;
  heading.textContent = "This task cannot be shown";
  again.textContent = "Try again";
  again.addEventListener("click", () => openTask(href));
  content.append(heading, Object.assign(document.createElement("p"), { textContent: words }), again);
  return { content, title };
}

function show(href, page, step) {
  over.abort();
  over = new AbortController();
  shown = decodeURIComponent(new URL(href).pathname.split("/").pop());
  sessionStorage.setItem("taskflow-row", `task-${shown}`); // see comeBack in main.js
  if (step) advance(href);
  if (!side) inPlace(build);
  side.querySelector("a").href = href;
  side.lastElementChild.replaceChildren(page.content);
  side.scrollTop = 0;
  document.title = page.title;
  mark();
  begin(page.content);
  side.querySelector("h1").focus({ preventScroll: true });
}

// What one goes back to is the list, however many tasks were looked at.
function advance(href) {
  if (side) return history.replaceState({ beside: true }, "", href);
  history.scrollRestoration = "manual"; // the list stays where it is
  return history.pushState({ beside: true }, "", href);
}

function build() {
  settle(document.body, PAGE);
  side = document.createElement("aside");
  side.className = "side";
  side.setAttribute("aria-label", "Task");
  const page = Object.assign(document.createElement("a"), { className: "button small plain", textContent: "Open as a page" });
  const close = Object.assign(document.createElement("button"), { className: "plain square", title: "Close (Esc)" });
  const bar = document.createElement("div");
  close.setAttribute("aria-label", "Close");
  close.append(Object.assign(document.createElement("i"), { className: "i-cross" }));
  close.addEventListener("click", leave);
  bar.append(page, close);
  side.append(bar, document.createElement("div"));
  document.querySelector("main").after(side);
  document.body.classList.add("beside");
}

function begin(content) {
  tell(side);
  const task = content.querySelector("[data-watch]");
  if (!task) return;
  startParts(content, over.signal);
  startLogs(content.querySelector("#logs"), over.signal);
  keepFresh(task, over.signal);
  if (content.querySelector("[data-grows]")) document.dispatchEvent(new CustomEvent("taskflow:changed"));
}

function keepFresh(task, signal) {
  let etag = "";
  let fresh = new Date();
  let named = false;

  const refresh = async () => {
    named = false;
    const tellOf = (words) => banner(task, words && `Could not refresh: ${words}. Showing data from ${clock(fresh)}.`, "Try again", refresh, "side-banner");
    let answer;
    let html;
    try {
      answer = await look(location.pathname, { "Taskflow-Part": "board", ...(etag && { "If-None-Match": etag }) });
      html = answer.ok ? await answer.text() : ""; // it may be cut off in the middle, too
    } catch {
      if (!signal.aborted) tellOf("no answer");
      return;
    }
    if (answer.status === 404 && !signal.aborted) return void openTask(location.href, false);
    if (answer.status === 401) return; // the list says so
    if (signal.aborted) return;
    if (!answer.ok && answer.status !== 304) return void tellOf(`the server answers ${answer.status}`);
    tellOf("");
    fresh = new Date();
    if (!html) return;
    etag = answer.headers.get("ETag") ?? "";
    morph(task, html, { id: task.id });
    tell(task);
    task.dispatchEvent(new CustomEvent("taskflow:fresh", { bubbles: true }));
  };
  document.addEventListener("taskflow:tick", ({ detail }) => {
    named ||= concerns(detail, shown);
  }, { signal });
  document.addEventListener("taskflow:refresh", ({ detail }) => (named || !detail.ticked) && refresh(), { signal });
}

function mark() {
  for (const row of document.querySelectorAll("#rows > [aria-current]")) row.removeAttribute("aria-current");
  if (shown) rowOf(shown)?.setAttribute("aria-current", "true");
}

// The list gets narrower or wider, and its rows lower or higher: the one that is meant stays where it is.
function inPlace(change) {
  const row = rowOf(shown);
  const before = row?.getBoundingClientRect().top;
  change();
  if (row) window.scrollBy(0, row.getBoundingClientRect().top - before);
}

function close() {
  asked += 1;
  over.abort();
  const link = rowOf(shown)?.querySelector("a");
  inPlace(() => {
    side.remove();
    side = null;
    document.body.classList.remove("beside");
  });
  shown = "";
  sessionStorage.removeItem("taskflow-row");
  mark();
  document.title = title;
  (link ?? document.querySelector("#rows a"))?.focus({ preventScroll: true });
}

function leave() {
  close();
  if (history.state?.beside) history.back();
  else history.replaceState(null, "", PAGE);
}

window.addEventListener("popstate", () => {
  if (location.pathname !== PAGE.pathname) return;
  if (side) close();
  history.scrollRestoration = "auto";
});
document.addEventListener("keydown", (event) => {
  const busy = event.target.closest("input, select, textarea") || document.querySelector(OTHERS);
  if (side && event.key === "Escape" && !busy) leave();
}, true);
// A window gets narrower, and the task stands in the list's place, or wider, and the list is there again.
BOTH.addEventListener("change", () => {
  if (!side) return;
  if (BOTH.matches) rowOf(shown)?.scrollIntoView({ block: "center" });
  else window.scrollTo(0, 0);
});
document.getElementById("board").addEventListener("taskflow:fresh", mark);

// Plain letters do what the mouse does; off while somebody types, and for whoever wants it so.
import { API } from "./ask.js";

const PLACES = { o: "", t: "tasks", f: "failures", q: "queues", s: "schedules", i: "instances", u: "functions" };
const HELP = [
  ["/", "search"], ["g then o t f u q s i", "overview, tasks, failures, functions, queues, schedules, instances"],
  ["j k", "next and previous row"], ["Enter", "open the row"], ["x", "select the row, with Shift a range"], ["a", "select the page"],
  ["r", "run again what is selected, or the row"], ["c", "cancel it"], ["[ ]", "newer and older page"],
  ["l e", "logs and error of a task"], ["p", "hold the page still"], ["t", "light or dark"], ["Esc", "close, or clear the selection"], ["?", "this list"],
];
const OFF = "taskflow-keys-off";
const click = (selector) => document.querySelector(selector)?.click();

export function startKeys() {
  let going = 0;
  document.getElementById("keys")?.addEventListener("click", help);
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), select, textarea, dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
    if (event.key === "?") return help();
    if (localStorage.getItem(OFF)) return undefined;
    if (Date.now() - going < 1500 && event.key in PLACES) {
      going = 0;
      location.assign(`${API}/dashboard${PLACES[event.key] && "/"}${PLACES[event.key]}`);
      return undefined;
    }
    if (event.key === "g") going = Date.now();
    else if (act(event)) event.preventDefault();
    return undefined;
  });
}

function act(event) {
  switch (event.key) {
    case "/": document.getElementById("q")?.focus(); return true;
    case "j": return move(1);
    case "k": return move(-1);
    case "x": case "X": return choose(event.shiftKey);
    case "a": click("#select-page"); return true;
    case "r": return onRow("retry");
    case "c": return onRow("cancel");
    case "p": click("#pause"); return true;
    case "[": click('.pager [rel="prev"]'); return true;
    case "]": click('.pager [rel="next"]'); return true;
    case "t": click("#theme"); return true;
    case "l": click('#part-tabs a[href="#log"]'); return true;
    case "e": click('#part-tabs a[href="#error"]'); return true;
    case "Escape": document.dispatchEvent(new CustomEvent("taskflow:clear")); return false;
    default: return false;
  }
}

const rows = () => [...document.querySelectorAll("main table tbody tr")];
// Who reads a task beside the list is at its row.
const here = () => document.activeElement.closest("main tbody tr") ?? document.querySelector("#rows > [aria-current]");

function move(by) {
  const all = rows();
  const next = all[here() ? all.indexOf(here()) + by : 0];
  next?.querySelector("a")?.focus();
  return Boolean(next);
}

function choose(range) {
  const box = here()?.querySelector("input[type=checkbox]");
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: range }));
  return Boolean(box);
}

function onRow(what) {
  const bar = document.getElementById("bulk");
  const button = bar && !bar.hidden
    ? bar.querySelector(`[data-bulk="${what}"]`)
    : (here() ?? document.querySelector(".title"))?.querySelector(`[data-action="${what}"]`);
  button?.click();
  return Boolean(button);
}

async function help() {
  if (document.querySelector("dialog[open]")) return;
  const { choice, dialog, paragraph } = await import("./ask.js");
  const list = document.createElement("dl");
  list.className = "keys";
  for (const [key, words] of HELP) {
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = key;
    said.textContent = words;
    list.append(term, said);
  }
  const off = Boolean(localStorage.getItem(OFF));
  const words = off ? [paragraph("They are switched off.")] : [];
  const close = Object.assign(choice("no", "Close", "primary"), { autofocus: true });
  const chosen = await dialog("Keyboard", [...words, list], [choice("switch", off ? "Switch on" : "Switch off"), close]);
  if (chosen !== "switch") return;
  if (off) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "1");
}

// What the buttons of a page do: each says so by its data, and asks first where it cannot be undone.
// Those of data-action change something, those of data-view are everybody's.
import { API, ask, busy, changed, choice, confirmed, dialog, paragraph, tasks, toast } from "./ask.js";

const ACTIONS = { retry, cancel, post, limits, replay, clear };
const LIST = `${API}/dashboard/tasks`;
const FINISHED = ["success", "failed", "interrupted", "cancelled", "rejected"];
const VIEWS = { copy, menu: row, columns };

export function startActions() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action], button[data-view]");
    if (!button || event.detail > 1) return; // a double click is one
    const { action, view } = button.dataset;
    (action ? ACTIONS[action] : VIEWS[view])(button);
  });
}

// What few visitors use is fetched when they do.
async function copy(button) {
  (await import("./copy.js")).copy(button);
}

async function columns(button) {
  (await import("./columns.js")).chooseColumns(button);
}

function taskOf(button) {
  const of = button.closest("[data-task], tr");
  return encodeURIComponent(of.dataset.task ?? of.id.slice("task-".length));
}

// What can be done with a row, and where one may want to look from there.
async function row(button) {
  const { entry, link, menu } = await import("./menu.js");
  const line = button.closest("tr");
  const task = line.querySelector("a");
  const id = line.id.slice("task-".length);
  const same = new URLSearchParams({ func_name: task.textContent });
  menu(button, [
    link("Open", task.href),
    ...[...line.querySelectorAll("button[data-action]")].map((each) => entry(each.textContent, () => each.click())),
    entry("Copy id", async () => (await import("./copy.js")).copyText(id)),
    link("Tasks of this function", `${LIST}?${same}`),
    link("Its failures", `${LIST}?status=failed&${same}`),
    link("About this function", `${API}/dashboard/functions/${encodeURIComponent(task.textContent)}`),
  ]);
}

async function retry(button) {
  await busy(button, async () => {
    const answer = await ask("POST", `${taskOf(button)}/retry`);
    if (!answer) return;
    toast("Runs again as ", { task: answer.task_id });
    changed();
  });
}

async function cancel(button) {
  const sure = await confirmed(
    `Cancel ${button.dataset.name}?`, "A task that is cancelled does not run again by itself.", "Keep it", "Cancel the task",
  );
  if (!sure) return;
  await busy(button, async () => {
    const answer = await ask("POST", `${taskOf(button)}/cancel`);
    if (!answer) return;
    toast(answer.status === "cancelled" ? "Cancelled." : "Cancel requested: it ends as soon as it can.");
    changed();
  });
}

async function post(button) {
  await busy(button, () => change("POST", button.dataset.path, `${button.dataset.done}. `));
}

async function change(method, path, words, body = undefined) {
  const answer = await ask(method, path, body);
  if (!answer) return;
  toast(words, { task: answer.task_id });
  changed();
}

async function limits(button) {
  const { path, name, concurrency, size } = button.dataset;
  const running = number("Tasks that run at once, in each process", concurrency);
  const waiting = number("Tasks that may wait", size);
  const buttons = [choice("no", "Keep them"), choice("yes", "Change", "primary")];
  if ((await dialog(`Limits of ${name}`, [running.label, waiting.label], buttons)) !== "yes") return;
  const limit = (input) => (input.value === "" ? null : Number(input.value));
  const body = { concurrency: limit(running.input), max_size: limit(waiting.input) };
  await busy(button, () => change("PATCH", path, `${name} has other limits. `, body));
}

// Run the failed tasks of a group or a window again; those that already do are left out.
async function replay(button) {
  const { query, words } = button.dataset;
  await busy(button, async () => {
    const found = await ask("GET", `count?status=failed&${query}`);
    if (!found) return;
    const many = tasks(found.count, "failed task") + (found.more ? " or more" : "");
    const sure = await confirmed(
      `Run ${many} again?`, `${words}. Each becomes a new task; those that run again already are left out.`, "Leave them", "Run them again", false,
    );
    if (!sure) return;
    const answer = await ask("POST", `retry-failed?${query}`);
    if (answer) tellOf(answer, "run again");
  });
}

async function clear(button) {
  const age = document.createElement("select");
  for (const days of [1, 7, 30, 90]) age.add(new Option(`${days} day${days === 1 ? "" : "s"} ago or longer`, days, days === 30, days === 30));
  const word = document.createElement("input");
  word.required = true;
  word.pattern = "clear";
  word.autocomplete = "off";
  const fields = [labelled("Tasks that finished", age), labelled("Type clear to confirm", word)];
  const buttons = [choice("no", "Keep them"), choice("yes", "Clear history", "danger")];
  const explained = paragraph("");
  const tell = async () => {
    const found = await ask("GET", `count?until=${age.value}d&status=${FINISHED.join("&status=")}`);
    if (!found) return;
    const most = found.more ? `${tasks(found.count)} or more` : `At most ${tasks(found.count)}`;
    explained.textContent = `${most}, gone for good with their logs. Figures and charts stay.`;
  };
  age.addEventListener("change", tell);
  tell();
  if ((await dialog("Clear history?", [explained, ...fields], buttons)) !== "yes") return;
  await busy(button, async () => {
    const answer = await ask("DELETE", `history?value=${age.value}&unit=day`);
    if (!answer) return;
    toast(`${tasks(answer.deleted)} removed.`);
    changed();
  });
}

function labelled(words, input) {
  const label = document.createElement("label");
  label.append(words, input);
  return label;
}

export function tellOf(answer, done) {
  const skipped = answer.results.find((each) => !each.dispatched);
  const words = skipped ? `, ${answer.skipped} skipped: ${skipped.reason}` : "";
  toast(`${tasks(answer.dispatched)} ${done}${words}.`, { bad: answer.dispatched === 0 });
  changed();
}

function number(words, value) {
  const input = document.createElement("input");
  input.type = "number";
  input.min = "1";
  input.value = value;
  input.placeholder = "any number";
  return { label: labelled(words, input), input };
}

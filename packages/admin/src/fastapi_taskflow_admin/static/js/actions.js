// Run a task again, or cancel it once that is confirmed.
const API = document.documentElement.dataset.api;

export function startActions() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-action], button[data-post], button[data-limits]");
    if (!button) return;
    if (button.dataset.post) return busy(button, () => change("POST", button.dataset.post, button.dataset.done));
    if (button.dataset.limits) return askForLimits(button);
    const { action, name } = button.dataset;
    const id = button.closest('[id^="task-"]').id.slice("task-".length);
    if (action === "cancel" && !(await confirmed(`Cancel ${name}?`, "A task that is cancelled does not run again by itself."))) return;
    await busy(button, () => act(action, id));
  });
}

async function busy(button, work) {
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

async function change(method, path, done, body = undefined) {
  const answer = await ask(method, path, body);
  if (!answer) return;
  toast(`${done}. `, false, answer.task_id);
  document.dispatchEvent(new CustomEvent("taskflow:changed"));
}

async function act(action, id) {
  const answer = await ask("POST", `${encodeURIComponent(id)}/${action}`);
  if (!answer) return;
  if (action === "retry") toast("Runs again as ", false, answer.task_id);
  else toast("Cancelled, or about to be.");
  document.dispatchEvent(new CustomEvent(action === "retry" ? "taskflow:retried" : "taskflow:cancelled"));
}

// The answer as an object; null, and a word to the user, if there is none.
async function ask(method, path, body = undefined) {
  let answer;
  try {
    answer = await fetch(`${API}/${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    toast("The server does not answer.", true);
    return null;
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const detail = typeof said.detail === "string" ? said.detail : said.detail?.map((each) => each.msg).join("; ");
  toast(detail ?? `Refused with status ${answer.status}.`, true);
  return null;
}

function toast(words, bad = false, task = null) {
  const shown = document.createElement("div");
  shown.className = bad ? "toast bad" : "toast";
  shown.textContent = words;
  if (task) {
    const link = document.createElement("a");
    link.href = `${API}/dashboard/tasks/${encodeURIComponent(task)}`;
    link.textContent = task;
    shown.append(link);
  }
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.remove(), bad ? 20000 : 6000);
}

function confirmed(question, explanation) {
  const dialog = document.createElement("dialog");
  const title = document.createElement("h2");
  const text = document.createElement("p");
  const form = document.createElement("form");
  title.textContent = question;
  text.textContent = explanation;
  form.method = "dialog";
  form.className = "buttons";
  form.append(choice("no", "Keep it"), choice("yes", "Cancel the task", "danger"));
  dialog.append(title, text, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

function choice(value, words, style = "") {
  const button = document.createElement("button");
  button.type = "submit";
  button.value = value;
  button.className = style;
  button.textContent = words;
  return button;
}

function askForLimits(button) {
  const { limits, name, concurrency, size } = button.dataset;
  const dialog = document.createElement("dialog");
  const form = document.createElement("form");
  const title = document.createElement("h2");
  const buttons = document.createElement("div");
  title.textContent = `Limits of ${name}`;
  form.method = "dialog";
  buttons.className = "buttons";
  buttons.append(choice("no", "Keep them"), choice("yes", "Change"));
  buttons.firstChild.formNoValidate = true;
  const running = number("Tasks that run at once, in each process", concurrency);
  const waiting = number("Tasks that may wait", size);
  form.append(title, running.label, waiting.label, buttons);
  dialog.append(form);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    button.focus();
    if (dialog.returnValue !== "yes") return;
    const limit = (input) => (input.value === "" ? null : Number(input.value));
    const body = { concurrency: limit(running.input), max_size: limit(waiting.input) };
    busy(button, () => change("PATCH", `queues/${limits}`, `${name} has other limits`, body));
  });
  dialog.showModal();
}

function number(words, value) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = "number";
  input.min = "1";
  input.value = value;
  input.placeholder = "any number";
  label.append(words, input);
  return { label, input };
}

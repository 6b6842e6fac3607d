// Run a task again, or cancel it once that is confirmed.
const API = document.documentElement.dataset.api;

export function startActions() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-action]");
    if (!button) return;
    const { action, id, name } = button.dataset;
    if (action === "cancel" && !(await confirmed(`Cancel ${name}?`, "A task that is cancelled does not run again by itself."))) return;
    button.disabled = true;
    try {
      await act(action, id);
    } finally {
      button.disabled = false;
    }
  });
}

async function act(action, id) {
  let answer;
  try {
    answer = await fetch(`${API}/${encodeURIComponent(id)}/${action}`, { method: "POST" });
  } catch {
    return toast("The server does not answer.", true);
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) return toast(body.detail ?? `Refused with status ${answer.status}.`, true);
  if (action === "retry") toast("Runs again as ", false, body.task_id);
  else toast("Cancelled, or about to be.");
  document.dispatchEvent(new CustomEvent(action === "retry" ? "taskflow:retried" : "taskflow:cancelled"));
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

// What goes to the API and what the user is told about it.

// Where the page was made: its links are relative to that, whatever the address is by now.
export const PAGE = new URL(location.href);
export const API = new URL(document.documentElement.dataset.api, PAGE).href.replace(/\/$/, "");

const PATIENCE = 5_000; // milliseconds

// Who signs out waits for nothing any more: what is still on its way would be refused.
const end = new AbortController();
export const leaving = end.signal;
document.addEventListener("submit", ({ target }) => target.matches(".account form") && end.abort());

// What there is by now.
export function look(href, headers = {}) {
  const signal = AbortSignal.any([leaving, AbortSignal.timeout(PATIENCE)]);
  return fetch(href, { headers, cache: "no-store", signal });
}

// The answer as an object; null, and a word to the user, if there is none.
export async function ask(method, path, body = undefined) {
  const late = setTimeout(toast, 5_000, "The server has not answered yet.");
  let answer;
  try {
    answer = await fetch(`${API}/${path}`, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch {
    toast("The server does not answer.", { bad: true });
    return null;
  } finally {
    clearTimeout(late);
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  const detail = typeof said.detail === "string" ? said.detail : said.detail?.map((each) => each.msg).join("; ");
  toast(detail ?? `Refused with status ${answer.status}.`, { bad: true });
  return null;
}

// As the pages write them: with thin spaces between thousands.
export function number(value) {
  return value.toLocaleString("en").replaceAll(",", "\u202f");
}

export function tasks(many, kind = "task") {
  return `${number(many)} ${kind}${many === 1 ? "" : "s"}`;
}

export function changed() {
  document.dispatchEvent(new CustomEvent("taskflow:changed"));
}

export async function busy(button, work) {
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
  }
}

// `task`: the id of a task to link to. What went wrong stays until somebody has read it.
export function toast(words, { bad = false, task = null } = {}) {
  const shown = document.createElement("div");
  const said = document.createElement("span");
  const close = document.createElement("button");
  shown.className = bad ? "toast bad" : "toast";
  said.textContent = words;
  if (task) {
    const link = document.createElement("a");
    link.href = `${API}/dashboard/tasks/${encodeURIComponent(task)}`;
    link.textContent = task;
    said.append(link);
  }
  close.type = "button";
  close.className = "plain square";
  close.setAttribute("aria-label", "Close");
  close.append(Object.assign(document.createElement("i"), { className: "i-cross" }));
  close.addEventListener("click", () => shown.remove());
  shown.append(said, close);
  document.getElementById("toasts").append(shown);
  if (!bad) setTimeout(() => shown.remove(), 6_000);
}

// A dialog with a form; what it was closed with. The browser takes the focus back to where it
// was, at once: by the time of the event the user may be somewhere else.
export function dialog(heading, content, buttons) {
  const shown = document.createElement("dialog");
  const form = document.createElement("form");
  const title = document.createElement("h2");
  const row = document.createElement("div");
  title.textContent = heading;
  title.id = "dialog-title";
  shown.setAttribute("aria-labelledby", title.id);
  form.method = "dialog";
  row.className = "buttons";
  row.append(...buttons);
  row.addEventListener("click", ({ target }) => target.value === "no" && shown.close("no"));
  form.append(title, ...content, row);
  shown.append(form);
  document.body.append(shown);
  shown.showModal();
  return new Promise((resolve) => {
    shown.addEventListener("close", () => {
      shown.remove();
      resolve(shown.returnValue);
    });
  });
}

export async function confirmed(heading, explanation, no, yes, danger = true) {
  const buttons = [choice("no", no), choice("yes", yes, danger ? "danger" : "primary")];
  return (await dialog(heading, [paragraph(explanation)], buttons)) === "yes";
}

export function paragraph(words) {
  const text = document.createElement("p");
  text.textContent = words;
  return text;
}

export function choice(value, words, style = "") {
  const button = document.createElement("button");
  button.type = value === "no" ? "button" : "submit"; // Enter in a field is a yes
  button.value = value;
  button.className = style;
  button.textContent = words;
  return button;
}

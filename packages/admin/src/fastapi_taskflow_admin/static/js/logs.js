// The log of one task, followed while it grows: as many lines as a browser bears, the latest.
import { API, look, number } from "./ask.js";
import { concerns } from "./live.js";

const MOST = 1_000; // lines, of five nodes each
const BATCH = 1_000;
const NEAR = 24; // pixels from the end that still count as the end

// `signal`: when the list is gone.
export function startLogs(list, signal = undefined) {
  const { task } = list.dataset;
  const follow = document.getElementById("follow");
  const jump = document.getElementById("jump");
  const level = document.getElementById("log-level");
  const words = document.getElementById("log-words");
  const earlier = document.getElementById("earlier");
  const wrap = document.getElementById("log-wrap");
  let seq = Number(list.dataset.seq);
  let attempt = list.dataset.attempt;
  let reading = false;
  let again = false;
  let unseen = 0;

  const toEnd = () => {
    list.scrollTop = list.scrollHeight;
    unseen = 0;
    jump.hidden = true;
  };

  const fits = (line) => {
    const said = line.textContent.toLowerCase();
    return (!level.value || level.value.split(" ").some((each) => line.classList.contains(each)))
      && said.includes(words.value.trim().toLowerCase());
  };

  const add = (entry) => {
    if (String(entry.attempt) !== attempt) {
      attempt = String(entry.attempt);
      list.append(item("divider", `Attempt ${entry.attempt + 1}`));
    }
    const line = item(entry.level);
    const time = document.createElement("time");
    time.dateTime = entry.time;
    time.textContent = entry.time.slice(11, 19);
    const extra = Object.entries(entry.extra ?? {}).map(([name, value]) => `${name}=${value}`).join(" ");
    line.append(time, piece("level", entry.level), message(entry.message));
    if (extra) line.lastChild.append(" ", piece("extra", extra));
    line.hidden = !fits(line);
    list.append(line);
    seq = entry.seq;
  };

  // As the server writes it: what is very long is folded away.
  const message = (words) => {
    const most = Number(list.dataset.told);
    const made = piece("message", words.slice(0, most));
    if (words.length <= most) return made;
    const rest = document.createElement("details");
    const summary = document.createElement("summary");
    rest.className = "rest";
    summary.textContent = `${number(words.length - most)} more characters`;
    rest.append(summary, words.slice(most));
    made.append(rest);
    return made;
  };

  const read = async () => {
    again = reading;
    if (reading) return;
    reading = true;
    try {
      for (;;) {
        const answer = await look(`${API}/${encodeURIComponent(task)}/logs?after=${seq}&limit=${BATCH}`);
        if (!answer.ok) break;
        const entries = await answer.json();
        if (entries.length) document.getElementById("no-logs")?.remove();
        entries.forEach(add);
        const cut = list.childElementCount - MOST;
        if (cut > 0) earlier.hidden = false;
        for (let line = 0; line < cut; line += 1) list.firstElementChild.remove();
        if (entries.length && follow.checked) toEnd();
        else unseen += entries.length;
        jump.hidden = !unseen;
        jump.textContent = `Jump to end (${unseen})`;
        if (entries.length < BATCH) break;
      }
    } catch {
      // The page says that the server does not answer; the next word of it reads on from here.
    }
    reading = false;
    if (again) read();
  };

  list.addEventListener("scroll", () => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
    if (atEnd !== follow.checked && !(atEnd && unseen)) follow.checked = atEnd;
    if (atEnd) toEnd();
  });
  follow.addEventListener("change", () => follow.checked && toEnd());
  jump.addEventListener("click", () => {
    follow.checked = true;
    toEnd();
  });
  for (const filter of [level, words]) {
    filter.addEventListener("input", () => {
      for (const line of list.children) line.hidden = !line.matches(".divider") && !fits(line);
    });
  }
  wrap.addEventListener("change", () => list.classList.toggle("wide", !wrap.checked));
  document.addEventListener("taskflow:tick", ({ detail }) => {
    if (concerns(detail, task)) read();
  }, { signal });
  read();
}

function item(kind, words = "") {
  const line = document.createElement("li");
  line.className = kind;
  line.textContent = words;
  return line;
}

function piece(kind, words) {
  const made = document.createElement("span");
  made.className = kind;
  made.textContent = words;
  return made;
}

// Rows that are chosen, and what is done to all of them at once.
import { PAGE, ask, busy, confirmed, tasks, toast } from "./ask.js";

const DONE = { retry: "run again", cancel: "cancelled" };

export function startSelection(board, bar) {
  let all = null; // how many match the filters, if all of them are chosen
  let anchor = null;
  const told = bar.querySelector("output");
  const boxes = () => [...board.querySelectorAll("#rows input[type=checkbox]")];
  const chosen = () => boxes().filter((box) => box.checked);

  const show = () => {
    const number = all ?? chosen().length;
    bar.hidden = !number;
    told.textContent = all === null ? `${number} selected` : `All ${tasks(number)} that match`;
    const head = board.querySelector("#select-page");
    if (head) {
      head.checked = number > 0 && chosen().length === boxes().length;
      head.indeterminate = number > 0 && !head.checked;
    }
  };

  const put = (some, on) => {
    for (const box of some) box.checked = on;
    all = null;
    show();
  };

  board.addEventListener("click", (event) => {
    const box = event.target.closest("input[type=checkbox]");
    if (!box) return;
    if (box.id === "select-page") return put(boxes(), box.checked);
    const between = boxes();
    const [from, to] = [between.indexOf(anchor), between.indexOf(box)].sort((a, b) => a - b);
    anchor = box;
    put(event.shiftKey && from >= 0 ? between.slice(from, to + 1) : [box], box.checked);
    return undefined;
  });
  anchor = chosen().at(-1); // somebody may have been faster, or the browser remembers
  show();
  board.addEventListener("taskflow:fresh", show);
  document.addEventListener("taskflow:clear", () => put(boxes(), false));

  bar.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return undefined;
    const { bulk } = button.dataset;
    if (bulk === "none") return put(boxes(), false);
    return busy(button, () => (bulk === "all" ? everything() : act(bulk)));
  });

  async function everything() {
    const found = await ask("GET", `count${PAGE.search}`);
    if (!found) return;
    if (found.more) return void toast(`More than ${tasks(found.count)} match. Let the filters leave fewer.`, { bad: true });
    put(boxes(), true);
    all = found.count;
    show();
  }

  async function act(what) {
    const { tellOf } = await import("./actions.js");
    const number = all ?? chosen().length;
    const many = tasks(number);
    const sure = what === "retry"
      ? await confirmed(`Run ${many} again?`, "Each becomes a new task; the originals stay. Those that have not failed are skipped.", "Leave them", "Run them again", false)
      : await confirmed(`Cancel ${many}?`, "Tasks that are cancelled do not run again by themselves. Finished ones are skipped.", "Keep them", "Cancel them");
    if (!sure) return;
    const ids = chosen().map((box) => box.closest("tr").id.slice("task-".length));
    const body = all === null ? { task_ids: ids } : { filter: filter(), expected: all };
    const answer = await ask("POST", `bulk-${what}`, body);
    if (!answer) return;
    put(boxes(), false);
    tellOf(answer, DONE[what]);
  }
}

// The filters of the page's address, as the API takes them.
function filter() {
  const wanted = {};
  for (const [name, value] of PAGE.searchParams) {
    if (!value || name === "cursor" || name === "limit") continue;
    if (name === "status") (wanted.status ??= []).push(value);
    else wanted[name] = value;
  }
  return wanted;
}

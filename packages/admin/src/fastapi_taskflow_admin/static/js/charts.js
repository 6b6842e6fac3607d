// Charts that answer: one cursor across all of them, whose figures come from the table below.
// A click opens the tasks of a step, a drag zooms into a time, a key of the legend hides a kind.

export function startCharts(board) {
  let at = null; // the step under the cursor
  let from = null; // where a drag began
  const hidden = new Set();
  const panel = () => document.getElementById("panel");
  const plots = () => [...board.querySelectorAll(".plot")];
  const rows = () => document.getElementById("panel-rows").rows;

  const stepAt = (plot, x) => {
    const { left, width } = plot.getBoundingClientRect();
    return Math.max(0, Math.min(rows().length - 1, Math.floor(((x - left) / width) * rows().length)));
  };

  const place = (mark, first, last) => {
    mark.style.display = first === null ? "none" : "block";
    if (first === null) return;
    mark.style.left = `${(100 * first) / rows().length}%`;
    mark.style.width = `${(100 * (last + 1 - first)) / rows().length}%`;
  };

  const show = () => {
    if (!panel()) return;
    const number = rows().length;
    if (at !== null && at >= number) at = number - 1;
    const cells = at === null ? null : rows()[at].cells;
    for (const chart of board.querySelectorAll(".chart")) {
      const plot = chart.querySelector(".plot");
      const note = chart.querySelector("h2 .muted");
      put(note, cells && `${cells[0].textContent} UTC`);
      for (const key of chart.querySelectorAll(".key")) {
        const { kind, column } = key.dataset;
        put(key.querySelector("b"), cells && cells[column].textContent);
        const off = hidden.has(`${chart.id} ${kind}`);
        key.setAttribute("aria-pressed", String(!off));
        plot.querySelector(`.${kind}`)?.classList.toggle("off", off);
      }
      place(plot.querySelector(".cursor"), at, at);
      const zoomed = from?.plot === plot && at !== from.step;
      place(plot.querySelector(".zoom"), zoomed ? Math.min(from.step, at) : null, Math.max(from?.step, at));
      if (cells) {
        plot.setAttribute("aria-valuenow", String(at + 1));
        plot.setAttribute("aria-valuetext", `${cells[0].textContent}: ${said(chart)}`);
      }
    }
  };

  const move = (step) => {
    if (step === at) return;
    at = step;
    show();
  };

  const span = (first, last) => {
    const { from: begin, step } = panel().dataset;
    const moment = (number) => new Date(Date.parse(begin) + 1000 * step * number).toISOString().slice(0, 19) + "Z";
    return { since: moment(first), until: moment(last + 1) };
  };

  const open = (step) => {
    const { list } = panel().dataset;
    location.assign(`${list}${list.includes("?") ? "&" : "?"}${new URLSearchParams(span(step, step))}`);
  };

  const zoom = (first, last) => {
    const wanted = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(span(first, last))) wanted.set(name, value);
    location.assign(`?${wanted}`);
  };

  board.addEventListener("pointermove", (event) => {
    const plot = event.target.closest(".plot");
    if (plot || from) move(stepAt(from?.plot ?? plot, event.clientX));
  });
  const leave = (event) => {
    const still = event.type === "pointerover" && event.target.closest(".plot");
    if (!still && !from && !document.activeElement.closest(".plot")) move(null);
  };
  board.addEventListener("pointerover", leave);
  board.addEventListener("pointerleave", leave);
  board.addEventListener("pointerdown", (event) => {
    const plot = event.target.closest(".plot");
    if (!plot || event.button) return;
    from = { plot, step: stepAt(plot, event.clientX) };
    plot.setPointerCapture(event.pointerId);
  });
  board.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [first, last] = [from.step, stepAt(from.plot, event.clientX)].sort((a, b) => a - b);
    from = null;
    show();
    if (last > first) zoom(first, last);
    else if (event.pointerType === "mouse") open(first); // a finger only reads
  });
  board.addEventListener("pointercancel", () => {
    from = null;
    show();
  });
  board.addEventListener("keydown", (event) => {
    if (!event.target.matches(".plot")) return;
    const last = rows().length - 1;
    const now = at ?? last + 1;
    const steps = { ArrowLeft: now - 1, ArrowRight: now + 1, PageUp: now - 10, PageDown: now + 10, Home: 0, End: last };
    if (event.key in steps) {
      event.preventDefault();
      move(Math.max(0, Math.min(last, steps[event.key])));
    } else if (event.key === "Enter" && at !== null) {
      open(at);
    }
  });
  board.addEventListener("focusout", (event) => event.target.matches(".plot") && move(null));
  board.addEventListener("click", (event) => {
    const key = event.target.closest(".key");
    if (!key) return;
    const name = `${key.closest(".chart").id} ${key.dataset.kind}`;
    if (!hidden.delete(name)) hidden.add(name);
    show();
  });
  board.addEventListener("taskflow:fresh", show);
}

// What the server wrote comes back when there is nothing else to say.
function put(element, words) {
  if (words === null && element.dataset.words === undefined) return;
  element.dataset.words ??= element.textContent;
  const wanted = words ?? element.dataset.words;
  if (element.textContent !== wanted) element.textContent = wanted;
  if (words === null) delete element.dataset.words;
}

function said(chart) {
  return [...chart.querySelectorAll(".key")].map((key) => key.textContent.trim()).join(", ");
}

// Times as people say them. The server sends absolute ones, so that its answers stay the same.
const UNITS = [[60, "s"], [60, "min"], [24, "h"], [Infinity, "d"]]; // as the server writes durations
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

export const LIVE = "#rows time, time[data-live]"; // said by their distance from now

export function relative(seconds) {
  let value = Math.abs(seconds);
  for (const [size, unit] of UNITS) {
    const number = Math.round(value);
    if (number < size) return number ? `${seconds > 0 ? "in " : ""}${number} ${unit}${seconds > 0 ? "" : " ago"}` : "now";
    value /= size;
  }
}

// For who stands at it, no wider than its column: `09:05:07 UTC` of today, `1 Mar 09:05` of other days.
function absolute(stamp) {
  if (stamp.slice(0, 10) === new Date().toISOString().slice(0, 10)) return `${stamp.slice(11, 19)} UTC`;
  return `${Number(stamp.slice(8, 10))} ${MONTHS[stamp.slice(5, 7) - 1]} ${stamp.slice(11, 16)}`;
}

export function elapsed(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function clock(moment) {
  return moment.toLocaleTimeString([], { hour12: false });
}

const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export function tell(root = document) {
  const now = Date.now();
  const here = document.querySelector("tr:has(:focus-visible)"); // a mouse has the title
  for (const each of root.querySelectorAll(LIVE)) {
    each.title ||= each.dateTime.replace("T", " ").replace("Z", " UTC");
    const away = (Date.parse(each.dateTime) - now) / 1000;
    const due = each.parentElement.className === "sub"; // what is to come is never past
    put(each, here?.contains(each) ? absolute(each.dateTime) : relative(due ? Math.max(0, away) : away));
  }
  for (const each of root.querySelectorAll("[data-since]")) {
    put(each, elapsed((now - Date.parse(each.dataset.since)) / 1000));
  }
}

export function startTimes() {
  tell();
  for (const kind of ["focusin", "focusout"]) document.addEventListener(kind, () => tell());
  setInterval(() => document.hidden || tell(), 1000);
}

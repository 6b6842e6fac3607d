// Times as people say them. The server sends absolute ones, so that its answers stay the same.
const DIVISIONS = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

export const LIVE = "#rows time, time[data-live]"; // said by their distance from now

export function relative(seconds) {
  let value = seconds;
  for (const [size, unit] of DIVISIONS) {
    if (Math.abs(value) < size) return RELATIVE.format(Math.round(value), unit);
    value /= size;
  }
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
  for (const each of root.querySelectorAll(LIVE)) {
    each.title ||= each.dateTime.replace("T", " ").replace("Z", " UTC");
    put(each, relative((Date.parse(each.dateTime) - now) / 1000));
  }
  for (const each of root.querySelectorAll("[data-since]")) {
    put(each, elapsed((now - Date.parse(each.dataset.since)) / 1000));
  }
}

export function startTimes() {
  tell();
  setInterval(() => document.hidden || tell(), 1000);
}

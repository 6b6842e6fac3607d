// Times as people say them. The server sends absolute ones, so that its answers stay the same.
const DIVISIONS = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

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

const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export function tell(root = document) {
  const now = Date.now();
  for (const each of root.querySelectorAll("time[data-live]")) {
    each.title ||= each.textContent;
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

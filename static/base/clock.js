// Clocks that go on counting: <time data-since> upwards, <time data-until> downwards, both from
// `datetime`, by the server's clock (`data-now` of the page) and not by this machine's.

const language = document.documentElement.lang;
const days = new Intl.NumberFormat(language, { style: "unit", unit: "day", unitDisplay: "narrow" });
const skew = Date.parse(document.body.dataset.now) - Date.now() || 0;

export function now() {
  return Date.now() + skew;
}

/** 2:10, 1 h 05, 3d 4 h. */
export function duration(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${days.format(Math.floor(hours / 24))} ${hours % 24} h`;
  if (hours) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

export function tick() {
  const at = now();
  for (const clock of document.querySelectorAll("time[data-since], time[data-until]")) {
    const then = Date.parse(clock.dateTime);
    const text = duration("since" in clock.dataset ? at - then : then - at);
    if (clock.textContent !== text) clock.textContent = text;
  }
}

tick();
setInterval(tick, 1000);

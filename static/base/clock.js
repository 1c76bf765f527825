// Clocks that go on counting: <time data-since> upwards, <time data-until> downwards, <time
// data-moment> from today to yesterday, all from `datetime`, by the server's clock (`data-now` of the
// page) and not by this machine's; in the reader's zone (`data-zone`), else in this machine's.

import { duration, nearMoment } from "../shared/moments.js";

const { zone, now: drawnAt } = document.body.dataset;
const skew = Date.parse(drawnAt) - Date.now() || 0;

export function now() {
  return Date.now() + skew;
}

export function tick() {
  const at = now();
  for (const clock of document.querySelectorAll("time[data-since], time[data-until], time[data-moment]")) {
    const then = Date.parse(clock.dateTime);
    let text = duration("since" in clock.dataset ? at - then : then - at);
    if ("moment" in clock.dataset) text = nearMoment(then, zone, at);
    if (clock.textContent !== text) clock.textContent = text;
  }
}

tick();
setInterval(tick, 1000);

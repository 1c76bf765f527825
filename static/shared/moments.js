// Dates, times and durations as the product writes them, one way in each language (C79): the twin
// of accounts/moments.py. English is written as in Europe: 28 Nov, 14:05.

/** Return the locale in which a language is written here. */
export function localeOf(language) {
  return language === "en" ? "en-GB" : language;
}

const language = document.documentElement.lang;
const NO_BREAK = "\u00a0";
const DAY_MS = 86_400_000;
const dayUnit = new Intl.NumberFormat(language, { style: "unit", unit: "day", unitDisplay: "narrow" })
  .formatToParts(2)
  .find(({ type }) => type === "unit").value;
const near = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

/** Return the parts of a moment in a time zone; by default in that of this machine. */
function partsOf(at, timeZone, options) {
  const format = new Intl.DateTimeFormat(localeOf(language), { timeZone, hourCycle: "h23", ...options });
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
}

/** 14:05. */
export function clock(at, zone) {
  const { hour, minute } = partsOf(at, zone, { hour: "2-digit", minute: "2-digit" });
  return `${hour}:${minute}`;
}

/** 28 Nov; 28 Nov 2025 in another year. */
export function day(at, zone, now = Date.now()) {
  const { day, month, year } = partsOf(at, zone, { day: "numeric", month: "short", year: "numeric" });
  const name = `${day} ${language === "en" ? month.slice(0, 3) : month}`;
  return year === partsOf(now, zone, { year: "numeric" }).year ? name : `${name} ${year}`;
}

/** Saturday 28 November. */
export function longDay(at, zone) {
  const { weekday, day, month } = partsOf(at, zone, { weekday: "long", day: "numeric", month: "long" });
  return `${weekday} ${day} ${month}`;
}

/** 28 Nov, 14:05. */
export function moment(at, zone, now = Date.now()) {
  return `${day(at, zone, now)}, ${clock(at, zone)}`;
}

/** Return the days from the day of `now` to that of `at`: -1 for yesterday. */
export function daysFrom(at, zone, now = Date.now()) {
  const [then, today] = [at, now].map((one) => {
    const { year, month, day } = partsOf(one, zone, { day: "numeric", month: "numeric", year: "numeric" });
    return Date.UTC(year, month - 1, day);
  });
  return (then - today) / DAY_MS;
}

/** today 14:05, yesterday 14:05, otherwise 28 Nov, 14:05. */
export function nearMoment(at, zone, now = Date.now()) {
  const days = daysFrom(at, zone, now);
  return Math.abs(days) > 1 ? moment(at, zone, now) : `${near.format(days, "day")} ${clock(at, zone)}`;
}

/** 45 s, 2 min 10 s, 2 h 10 min, 3 d 4 h: the two largest units, without zeros. */
export function duration(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1000), 0);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days) return parts([days, dayUnit], [hours % 24, "h"]);
  if (hours) return parts([hours, "h"], [minutes % 60, "min"]);
  return parts([minutes, "min"], [seconds % 60, "s"]) || `0${NO_BREAK}s`;
}

function parts(...pairs) {
  return pairs
    .filter(([number]) => number)
    .map((pair) => pair.join(NO_BREAK))
    .join(" ");
}

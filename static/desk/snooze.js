// The snooze dialog: its clock says what it will set, before it is clicked (R108).

import { now } from "../base/clock.js";
import { texts } from "./page.js";

const HOUR_MS = 3_600_000;
const HOURS = { "3h": 3, "24h": 24 };
const language = document.documentElement.lang;
const { zone } = document.body.dataset; // The agent's own, wherever the machine is.
const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const DAY = { weekday: "short", day: "numeric", month: "short" };

/** The dialog was drawn, or something in it was chosen. */
export function tellMoment(form = document.querySelector("[data-snooze]")) {
  if (!form) return;
  const { duration, until } = form.elements;
  const isCustom = duration.value === "custom";
  form.querySelector("[data-custom]").hidden = !isCustom;
  const moment = isCustom ? words(Date.parse(`${until.value}Z`), "UTC") : words(now() + HOURS[duration.value] * HOUR_MS, zone);
  form.querySelector("[data-clock] span").textContent = moment ? texts.snoozeUntil.replace("{moment}", moment) : texts.snooze;
}

/** A moment as the clock of a zone shows it; a date typed in the dialog is one of "UTC" here. */
function words(at, timeZone) {
  if (!at) return "";
  const day = new Intl.DateTimeFormat(language, { timeZone, ...DAY });
  const time = new Intl.DateTimeFormat(language, { timeZone, ...TIME }).format(at);
  const today = new Intl.DateTimeFormat(language, { timeZone: zone, ...DAY }).format(now());
  return day.format(at) === today ? time : `${day.format(at)}, ${time}`;
}

document.addEventListener("change", ({ target }) => {
  if (!target.closest("[data-snooze]")) return;
  tellMoment();
  if (target.value === "custom") document.getElementById("until").focus();
});

document.addEventListener("input", ({ target }) => target.id === "until" && tellMoment());

document.addEventListener("click", ({ target }) => {
  const quick = target.closest("[data-moment]");
  if (!quick) return;
  document.getElementById("until").value = quick.dataset.moment;
  tellMoment();
});

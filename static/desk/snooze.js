// The snooze dialog: its clock says what it will set, before it is clicked (R108).

import { now } from "../base/clock.js";
import { clock, day, moment } from "../shared/moments.js";
import { texts } from "./page.js";

const HOUR_MS = 3_600_000;
const HOURS = { "3h": 3, "24h": 24 };
const { zone } = document.body.dataset; // The agent's own, wherever the machine is.

/** The dialog was drawn, or something in it was chosen. */
export function tellMoment(form = document.querySelector("[data-snooze]")) {
  if (!form) return;
  const { duration, until } = form.elements;
  const isCustom = duration.value === "custom";
  form.querySelector("[data-custom]").hidden = !isCustom;
  form.querySelector("[data-clock] span").textContent = isCustom
    ? sentence(Date.parse(`${until.value}Z`), "UTC")
    : sentence(now() + HOURS[duration.value] * HOUR_MS, zone);
}

/** A moment as the clock of a zone shows it; a date typed in the dialog is one of "UTC" here. */
function sentence(at, timeZone) {
  if (!at) return texts.snooze;
  const isToday = day(at, timeZone, now()) === day(now(), zone, now());
  if (isToday) return texts.snoozeUntilHour.replace("{moment}", clock(at, timeZone));
  return texts.snoozeUntil.replace("{moment}", moment(at, timeZone, now()));
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

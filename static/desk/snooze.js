// The snooze dialog: its clock shows the end that it will set, before it is clicked (R108).

import { now } from "../base/clock.js";
import { clock, day, moment } from "../shared/moments.js";
import { texts } from "./page.js";
import { sendsFirst } from "./unsent.js";

const HOUR_MS = 3_600_000;
const HOURS = { "3h": 3, "24h": 24 };
const { zone } = document.body.dataset; // The agent's own, wherever the machine is.

/** The dialog was drawn, or a choice in it was made. */
export function tellMoment(form = document.querySelector("[data-snooze]")) {
  if (!form) return;
  const { duration, until } = form.elements;
  const isCustom = duration.value === "custom";
  form.querySelector("[data-custom]").hidden = !isCustom;
  const end = isCustom
    ? momentOf(Date.parse(`${until.value}Z`), "UTC")
    : momentOf(now() + HOURS[duration.value] * HOUR_MS, zone);
  form.querySelector("[data-clock] span").textContent = label(end, sendsFirst(form));
  form.querySelector("[data-outcome-of]").textContent = end ? outcome(form).replace("{moment}", end.words) : "";
}

/** The joint outcome of the two boxes, which may seem to contradict each other (C2). */
function outcome({ elements: { keep, auto_close: closes }, dataset }) {
  if (closes.checked) return keep.checked ? dataset.keepClose : dataset.close;
  return keep.checked ? dataset.keep : dataset.leave;
}

function label(end, sends) {
  if (!end) return texts.snooze;
  const sentence = sends
    ? [texts.snoozeSendUntil, texts.snoozeSendUntilHour]
    : [texts.snoozeUntil, texts.snoozeUntilHour];
  return sentence[Number(end.isToday)].replace("{moment}", end.words);
}

/** A moment as shown in a time zone; a date typed in the dialog is in "UTC" here. */
function momentOf(at, timeZone) {
  if (!at) return null;
  const isToday = day(at, timeZone, now()) === day(now(), zone, now());
  return { isToday, words: isToday ? clock(at, timeZone) : moment(at, timeZone, now()) };
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

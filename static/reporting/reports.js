// A report's filters act at once; the days of one's own choice only with the button.

import "../base/bar.js";

const form = document.getElementById("filters");
const period = form.elements.namedItem("period");

function showDays() {
  for (const field of form.querySelectorAll(".only-custom")) field.hidden = period.value !== "custom";
}

form.addEventListener("change", ({ target }) => {
  showDays();
  if (target === period && period.value === "custom") form.elements.namedItem("first").focus();
  else if (target.type !== "date") form.requestSubmit();
});
form.addEventListener("submit", () => {
  // An address without what was not chosen can be read, and sent to somebody.
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
});
window.addEventListener("pageshow", () => {
  for (const field of form.elements) field.disabled = false;
});
document.getElementById("print").addEventListener("click", () => window.print());
showDays();

// A report's filters act at once; the days of one's own choice only with the button.

import "../base/bar.js";
import "./popovers.js";
import "./sorting.js";

const form = document.getElementById("filters");
const period = form.elements.namedItem("period");

function showDays() {
  const isCustom = period.value === "custom";
  for (const field of form.querySelectorAll(".only-custom")) field.hidden = !isCustom;
  document.getElementById("show").hidden = !isCustom; // All else acts at once.
}

form.addEventListener("change", ({ target }) => {
  showDays();
  if (target === period && period.value === "custom") form.elements.namedItem("first").focus();
  else if (target.type !== "date") form.requestSubmit();
});
form.addEventListener("submit", () => {
  // An address without what was not chosen can be read, and sent to somebody.
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  // The days of one's own choice say nothing of another period, and are refused there.
  for (const field of form.querySelectorAll(".only-custom input")) field.disabled ||= period.value !== "custom";
});
window.addEventListener("pageshow", () => {
  for (const field of form.elements) field.disabled = false;
});

/* A chart's picture, twice as large as it is drawn, so that it stays sharp. */
async function savePng(link) {
  const picture = new Image();
  picture.src = link.href;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * picture.naturalWidth;
  canvas.height = 2 * picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  const save = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(blob),
    download: link.dataset.png,
  });
  save.click();
  setTimeout(() => URL.revokeObjectURL(save.href), 1000);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-png]");
  if (!link) return;
  event.preventDefault();
  savePng(link);
});
document.getElementById("print").addEventListener("click", () => window.print());
showDays();

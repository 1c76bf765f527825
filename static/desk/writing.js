// The text of an agent in a conversation: a reply to the visitor, or a note for the team. Two
// fields in two forms, one of which is shown; no text ever goes from one to the other.

const sectionOf = (number) => document.querySelector(`.dialogue[data-number="${number}"]`);

/** Whether the note is shown instead of the reply. */
export function isNoting(number) {
  return sectionOf(number)?.dataset.mode === "note";
}

/** Show one of the two, `mode` "reply" or "note"; agents who cannot reply have only the note. */
export function switchTo(number, mode) {
  const section = sectionOf(number);
  if (!section) return;
  section.dataset.mode = mode;
  for (const button of section.querySelectorAll("[data-mode-of]")) {
    button.setAttribute("aria-pressed", button.dataset.modeOf === mode);
  }
}

/** The same, with the focus in its field. */
export function writeIn(number, mode) {
  switchTo(number, mode);
  document.getElementById(`${isNoting(number) ? "note" : "reply"}-${number}`)?.focus();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-mode-of]");
  if (button) writeIn(button.closest(".dialogue").dataset.number, button.dataset.modeOf);
});

// The account's menu of the bar: it closes by Escape or a click elsewhere; the identifier is copied.

const TOLD_MS = 2000;

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) copyFrom(copy);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

async function copyFrom(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    // Without TLS there is no clipboard: mark the figure, so that the person can copy it.
    getSelection().selectAllChildren(document.getElementById("identifier"));
    return;
  }
  const note = button.parentElement.querySelector("[data-copied]");
  note.textContent = note.dataset.copied;
  setTimeout(() => (note.textContent = ""), TOLD_MS);
}

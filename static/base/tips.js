// Escape sends an explanation away (WCAG 1.4.13); it comes back when it is asked for again.

const OPEN = ".tipped:is(:hover, :focus-within):not(.away)";

document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelectorAll(OPEN);
  for (const tipped of open || []) {
    tipped.classList.add("away");
    const back = () => tipped.classList.remove("away");
    for (const name of ["pointerleave", "focusout"]) tipped.addEventListener(name, back, { once: true });
  }
});

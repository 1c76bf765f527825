// A popover stands at its button. Browsers with anchors do that by themselves.

const GAP = 16;

function place({ target, newState }) {
  if (newState !== "open") return;
  const button = document.querySelector(`[popovertarget="${target.id}"]`);
  if (!button) return;
  const at = button.getBoundingClientRect();
  const room = document.documentElement.clientWidth - target.offsetWidth - GAP;
  const isLow = at.bottom + target.offsetHeight + GAP > innerHeight && at.top > target.offsetHeight;
  const top = isLow ? at.top - target.offsetHeight - GAP : at.bottom;
  Object.assign(target.style, {
    position: "absolute",
    left: `${Math.max(GAP, Math.min(at.left, room)) + scrollX}px`,
    top: `${top + scrollY}px`,
  });
}

if (!CSS.supports("position-area: block-end")) document.addEventListener("toggle", place, true);

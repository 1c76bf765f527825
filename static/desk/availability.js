// What the page says of the agent's availability follows it, however the page has learnt of it.

const shown = () => [...document.querySelectorAll("#statuses .status")].map(({ className }) => className).join();
let before = shown();

/** `onChosen` is called after a click of this page: its answer has the buttons only, and the frame
 *  that tells all pages of the agent may be lost. */
export function listenToAvailability({ onChosen }) {
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "statuses") onChosen();
    follow();
  });
  document.addEventListener("htmx:oobAfterSwap", follow);
}

/** Why nothing comes is asked again at once, not only every half a minute. */
function follow() {
  if (shown() === before) return;
  before = shown();
  const reasons = document.querySelector(".withheld");
  if (reasons) window.htmx.trigger(reasons, "desk:availability");
}

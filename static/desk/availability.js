// Parts of the page that show the agent's availability follow it, however the page learnt of it.

const shown = () => [...document.querySelectorAll("#statuses .status")].map(({ className }) => className).join();
let before = shown();

/** `onChosen` is called after a click on this page: the response has only the buttons, and the frame
 *  that informs all pages of the agent may be lost. */
export function listenToAvailability({ onChosen }) {
  document.addEventListener("htmx:afterSwap", ({ target }) => {
    if (target.id === "statuses") onChosen();
    follow();
  });
  document.addEventListener("htmx:oobAfterSwap", follow);
}

/** Ask again at once why nothing comes, not only every half a minute. */
function follow() {
  if (shown() === before) return;
  before = shown();
  const reasons = document.querySelector(".withheld");
  if (reasons) window.htmx.trigger(reasons, "desk:availability");
}

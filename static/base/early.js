// What is pressed while the page is there and htmx has not looked at it yet is not lost, nor sent by
// the browser itself, which would load the page anew and have done nothing: it is done as soon as
// htmx is ready. Loaded before anything is shown, so that there is no moment without it.
//
// And what is morphed acts at once as it reads. htmx looks at it only when the swap has settled; until
// then a button that shows one conversation would close the one that it showed before.

(() => {
  const LOOKED_AT = "htmx-internal-data";
  const OURS = "[hx-post], [hx-get]";
  const tried = new WeakSet();
  let hasBegun = false;
  let pressed = null;

  function hold(event, element, again) {
    if (!element || LOOKED_AT in element || tried.has(element)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // Never at once: a form whose submit event is under way ignores a second one.
    if (hasBegun) setTimeout(() => process(element, again));
    else pressed = () => process(element, again);
  }

  function process(element, again) {
    tried.add(element);
    if (!(LOOKED_AT in element)) window.htmx?.process(element);
    if (element.isConnected) again();
  }

  document.addEventListener(
    "click",
    (event) => {
      const element = event.target.closest(OURS);
      if (element && !element.matches("form")) hold(event, element, () => element.click());
    },
    true,
  );
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target.matches(OURS) ? event.target : null;
      // By its button: htmx sends the name and value of the one that it saw pressed.
      const button = event.submitter;
      hold(event, form, () => (button ? button.click() : form.requestSubmit()));
    },
    true,
  );
  for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) {
    // Not the place itself: to look at it anew would forget what it has asked for.
    document.addEventListener(name, ({ target }) => [...target.children].forEach((one) => window.htmx.process(one)));
  }
  document.addEventListener("DOMContentLoaded", () =>
    setTimeout(() => {
      hasBegun = true;
      pressed?.();
    }),
  );
})();

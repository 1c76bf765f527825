/* Start, and notice each other page of a single-page application. */

const early = window.Causerie?.q || [];
window.Causerie = causerie;
causerie.isLoaded = true;
addEventListener("message", (event) => safely(receive, event));
document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective, disposition }) => {
  if (disposition !== "enforce" || !blockedURI.startsWith(origin)) return;
  forbidding = effectiveDirective;
  if (offer) complain(); // Before, the failed request does.
});
for (const call of early) causerie(...call);

const move = () => safely(arrive);
if (window.navigation) {
  navigation.addEventListener("currententrychange", move);
} else {
  for (const name of ["pushState", "replaceState"]) {
    const own = history[name];
    history[name] = function (...values) {
      own.apply(this, values);
      move();
    };
  }
  addEventListener("popstate", move);
  addEventListener("hashchange", move);
}
addEventListener("pageshow", (event) => {
  if (!event.persisted) return; // Back on a page from the browser's cache.
  page = "";
  move();
});
if (document.body) move();
else addEventListener("DOMContentLoaded", move);

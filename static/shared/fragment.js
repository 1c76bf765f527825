// A fragment of the page, fetched by htmx from its ordinary view and morphed into its place.

const turns = new Map(); // By target: the request under way, and the last call that came meanwhile.

/** Run one request at a time for each target; of the calls that come meanwhile only the last one
counts. *  htmx's own queue does not fit: it drops waiting calls when an attribute of its element
changes. *  Without a connection nothing comes, as htmx's event htmx:sendError has reported. */
export function get(url, target, swap, headers = {}) {
  const turn = turns.get(target);
  if (turn) {
    turn.next = [url, target, swap, headers];
    return;
  }
  if (!document.querySelector(target)) return; // A pane that has gone meanwhile.
  const mine = { next: null };
  turns.set(target, mine);
  const done = () => {
    turns.delete(target);
    if (mine.next) get(...mine.next);
  };
  window.htmx.ajax("GET", url, { target, swap, source: target, headers }).then(done, done);
}

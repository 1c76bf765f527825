// A fragment of the page, fetched by htmx from its ordinary view and morphed into its place.

const turns = new Map(); // By target: what is under way, and the last call that came meanwhile.

/** One at a time for each target; of those that come meanwhile only the last one counts. htmx's own
 *  queue is not for this: it forgets what waits when an attribute of its element changes. Without a
 *  line nothing comes, which htmx's event has told (htmx:sendError). */
export function get(url, target, swap, headers = {}) {
  const turn = turns.get(target);
  if (turn) {
    turn.next = [url, target, swap, headers];
    return;
  }
  if (!document.querySelector(target)) return; // A pane that is gone meanwhile.
  const mine = { next: null };
  turns.set(target, mine);
  const done = () => {
    turns.delete(target);
    if (mine.next) get(...mine.next);
  };
  window.htmx.ajax("GET", url, { target, swap, source: target, headers }).then(done, done);
}

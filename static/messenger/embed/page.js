/* Which page this is, what is stored of its visitor, and the server's answer for it. */

/* Read, write or (null) delete in the page's own storage. The flag means "there is a conversation
here"; beside it is what the iframe cannot store itself. Only the tab stores that the Messenger is
open. Without storage, each page begins anew. */
function stored(name, value) {
  try {
    const storage = name === OPEN ? sessionStorage : localStorage;
    if (value === undefined) return storage.getItem(flag + name);
    if (value === null) storage.removeItem(flag + name);
    else storage.setItem(flag + name, value);
  } catch {
    return null; // Storage is blocked in the visitor's browser.
  }
}

/* {cart: {total: 80}} is known as "cart.total"; null deletes. Bounded: a page may pass anything,
   itself included. */
function learn(values, prefix, depth) {
  for (const [key, value] of Object.entries(values || {}).slice(0, 50)) {
    const name = prefix + key;
    const isGroup = typeof value === "object" && !Array.isArray(value);
    if (value === null) delete data[name];
    else if (isGroup && depth < 3) learn(value, `${name}.`, depth + 1);
    else if (/^(string|number|boolean)$/.test(typeof value) && String(value).length < 201) {
      if (Object.keys(data).length < 50) data[name] = value;
    }
  }
}

/* A browser stores that it was here only once its visitor has acted (B13): since then we know how
many pages this visit has viewed, and whether it is the first one. */
let [wasBack, pages, seenAt] = (stored(":seen") || "0 0 0").split(" ").map(Number);
if (Date.now() - seenAt > VISIT_MS) {
  wasBack = seenAt ? 1 : 0;
  pages = document.referrer.startsWith(`${location.origin}/`) ? 1 : 0;
}

function keepSeen(isKnown) {
  if (!isKnown && !seenAt) return;
  seenAt = isKnown ? Date.now() : 0;
  stored(":seen", isKnown ? `${wasBack} ${pages} ${seenAt}` : null);
}

/* A new page, or another one of a single-page application. The part after a # counts if it looks
like a path; otherwise it may be a secret. */
function arrive() {
  const [address, fragment = ""] = location.href.split("#");
  const now = (/^!?\//.test(fragment) ? location.href : address).slice(0, 2000);
  if (now === page) return;
  page = now;
  since = performance.now();
  pages += 1;
  hushed = stored(":hushed");
  keepSeen(seenAt > 0);
  askSoon();
}

function askSoon() {
  clearTimeout(timer);
  if (page) timer = setTimeout(ask, 50, false);
}

let forbidding = ""; // The directive of the page's policy that blocks us.

function complain() {
  console.error(
    forbidding
      ? `Causerie: this page's policy lacks ${origin} in ${forbidding}.`
      : `Causerie: no Messenger here. Either "${key}" is not the key of a website, or ` +
          `"${location.host}" is not one of its domains, or ${origin} cannot be reached.`,
  );
}

async function ask(isAgain) {
  clearTimeout(timer);
  const mine = ++asks;
  view = {
    url: page,
    language,
    device,
    pages: Math.max(pages, Number(data.pages) || 0),
    seconds: Math.floor((performance.now() - since) / 1000),
    returning: wasBack === 1 || data.returning === true,
    data,
  };
  try {
    const response = await tellServer("engagement/", { ...view, again: isAgain });
    if (!response.ok) throw response;
    const answer = await response.json();
    if (mine !== asks) return; // Another request was sent meanwhile.
    offer = answer;
  } catch {
    // The browser reports a little later that it was the page's policy.
    if (!offer) setTimeout(complain, 200);
    return;
  }
  // A little later, so that not all pages ask at once when a team starts its day.
  const { again_in: wait } = offer;
  if (wait) timer = setTimeout(ask, wait * (1000 + 50 * Math.random()), true);
  safely(show);
}

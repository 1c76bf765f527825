/* The commands and events for the page's own scripts. */

/* Run code of ours, or of the page's, that must not break the page. */
function safely(action, ...values) {
  try {
    return action(...values);
  } catch (error) {
    console.error("Causerie:", error);
  }
}

function tell(name, detail) {
  happened[name] = detail;
  listeners[name]?.forEach((listener) => safely(listener, detail));
}

const commands = {
  __proto__: null, // So that no inherited name is a command.
  open: () => setOpen(true),
  minimize: () => setOpen(false),
  on(name, listener) {
    if (typeof listener !== "function") return;
    (listeners[name] ||= new Set()).add(listener);
    if (STICKY.includes(name) && name in happened) queueMicrotask(() => safely(listener, happened[name]));
    return () => void listeners[name].delete(listener);
  },
  locale(wanted) {
    if (typeof wanted !== "string" || wanted === language) return;
    language = wanted;
    askSoon();
  },
  identify(token) {
    identity = token;
    post("identify");
  },
  logout() {
    identity = "";
    if (seenAt) stored(":logout", "1"); // Delivered when the iframe is opened, if it is not.
    post("logout");
  },
  visitor(values) {
    learn(values, "", 1);
    askSoon();
  },
  transaction: (sale) => sell({ ...sale, visitor: stored(":visitor") }, 3),
};

/* As plain text, so that browsers send no preflight; also while the page is being left. */
function tellServer(path, sent) {
  const body = JSON.stringify(sent);
  return fetch(base + path, { method: "POST", body, credentials: "omit", keepalive: true });
}

/* The server counts each id once, so a repeat does no harm. */
async function sell(sale, tries) {
  const response = await tellServer("transactions/", sale).catch(() => 0);
  if (!response.ok && tries) setTimeout(sell, 2000, sale, tries - 1);
}

function causerie(command, ...values) {
  if (commands[command]) return safely(commands[command], ...values);
  console.warn(`Causerie: there is no command "${command}".`);
}

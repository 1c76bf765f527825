/* What the page's own scripts may ask of us, and hear. */

/* Run something of ours, or of the page's, that must not break the page. */
function safely(action, ...values) {
  try {
    return action(...values);
  } catch (error) {
    console.error("Causerie:", error);
  }
}

function tell(name, detail) {
  happened.set(name, detail);
  (listeners.get(name) || []).forEach((listener) => safely(listener, detail));
}

const commands = {
  open: () => setOpen(true),
  minimize: () => setOpen(false),
  on(name, listener) {
    if (typeof listener !== "function") return;
    listeners.set(name, [...(listeners.get(name) || []), listener]);
    if (STICKY.includes(name) && happened.has(name)) queueMicrotask(() => safely(listener, happened.get(name)));
    return () => {
      listeners.set(name, (listeners.get(name) || []).filter((one) => one !== listener));
    };
  },
  locale(wanted) {
    if (typeof wanted !== "string" || wanted === language) return;
    language = wanted;
    askSoon();
  },
  visitor(values) {
    learn(values, "", 1);
    askSoon();
  },
};

function causerie(command, ...values) {
  const run = Object.prototype.hasOwnProperty.call(commands, command) && commands[command];
  if (run) return safely(run, ...values);
  if (!LATER.includes(command)) console.warn(`Causerie: there is no command "${command}".`);
}

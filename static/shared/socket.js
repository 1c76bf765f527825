// A socket that reconnects by itself. It only shows what happens: nothing is accepted through it.

const SILENCE_MS = 50_000; // The server pings every 20 s.
const SUSPECT_MS = 25_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SERVICE_RESTART = 4012; // As in core/realtime/channel_health.py.
const RESTART_WAIT_MS = 1_500; // Not all at once; less than it takes until a screen says that it is offline.

/**
 * url(settled)   the URL to connect to, requested each time (a ticket is good for one socket);
 *                the promise `settled` ends once the socket is open or will not be
 * onFrame(frame) each frame except `ready` and `ping`
 * onBytes(data)  each binary frame, as an ArrayBuffer
 * onOpen()       joined (`ready`): fetch what came meanwhile
 * onDown(isRestart)  lost, or could not be made; or the server restarts, which nobody need be told
 */
export function connect({ url, onFrame, onBytes = () => {}, onOpen = () => {}, onDown = () => {} }) {
  const stopper = new AbortController();
  let socket = null;
  let isOpening = false;
  let failures = 0;
  let retry;
  let silence;
  let heardAt = 0;

  async function open() {
    if (socket || isOpening || stopper.signal.aborted) return;
    clearTimeout(retry);
    isOpening = true;
    let settle;
    const settled = new Promise((resolve) => (settle = resolve));
    try {
      const address = await url(settled);
      if (stopper.signal.aborted) settle();
      else listen(new WebSocket(address), settle);
    } catch {
      settle();
      lost();
    } finally {
      isOpening = false;
    }
  }

  function listen(opened, settle) {
    socket = opened;
    for (const type of ["open", "close"]) opened.addEventListener(type, settle);
    opened.binaryType = "arraybuffer";
    heard();
    opened.onmessage = ({ data }) => opened === socket && receive(data);
    opened.onclose = ({ code }) => opened === socket && lost(code === SERVICE_RESTART);
  }

  function receive(data) {
    heard();
    if (typeof data !== "string") return onBytes(data);
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return; // Not from our server; the next fetch repairs any loss.
    }
    if (frame.type === "ping") {
      send({ type: "pong" });
    } else if (frame.type === "ready") {
      failures = 0;
      onOpen();
    } else {
      onFrame(frame);
    }
  }

  function heard() {
    heardAt = Date.now();
    clearTimeout(silence);
    silence = setTimeout(() => lost(), SILENCE_MS);
  }

  function lost(isRestart = false) {
    clearTimeout(silence);
    clearTimeout(retry);
    // A half-open socket may take minutes to close: abandon it.
    const left = socket;
    socket = null;
    leave(left);
    if (stopper.signal.aborted) return;
    onDown(isRestart);
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
    failures += 1;
    retry = setTimeout(open, isRestart ? RESTART_WAIT_MS * Math.random() : wait * (0.5 + Math.random() / 2));
  }

  /* Closing a socket before it is open causes an error on the console of the brand's page. */
  function leave(left) {
    if (left?.readyState === WebSocket.CONNECTING) left.onopen = () => left.close();
    else left?.close();
  }

  function hurry() {
    if (socket && Date.now() - heardAt > SUSPECT_MS) lost();
    open();
  }

  function send(frame) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  function sendBytes(bytes) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(bytes);
  }

  function stop() {
    stopper.abort();
    lost();
  }

  addEventListener("online", hurry, { signal: stopper.signal });
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "visible" && hurry(),
    { signal: stopper.signal },
  );
  open();
  return {
    send,
    sendBytes,
    stop,
    /** How many bytes the network has not taken yet. */
    get waiting() {
      return socket?.bufferedAmount ?? 0;
    },
  };
}

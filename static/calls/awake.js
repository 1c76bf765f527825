// Keeps the screen of a phone on during a call.

export function stayAwake() {
  let lock = null;
  let isOver = false;

  async function take() {
    if (isOver || document.visibilityState !== "visible") return;
    try {
      lock = await navigator.wakeLock?.request("screen");
    } catch {
      lock = null; // As in power saving mode: the call goes on all the same.
    }
    if (isOver) lock?.release();
  }

  // The browser lets the screen go off once the page is hidden.
  document.addEventListener("visibilitychange", take);
  take();
  return {
    stop() {
      isOver = true;
      document.removeEventListener("visibilitychange", take);
      lock?.release();
    },
  };
}

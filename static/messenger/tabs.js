// The other tabs of this browser on this site: an action in one of them shows in all, and what
// should happen once happens in one. Without BroadcastChannel or locks each tab learns from the
// server.

const SETTLE_MS = 150;
const HOLD_MS = 3000;

export class Tabs {
  /** website: names the channel; onNews(): another tab was identified, started, ended or left */
  constructor({ website, onNews }) {
    this.name = `causerie:${website}`;
    // A tab's message may come before what it has stored; the browser reports that by this event.
    addEventListener("storage", ({ key }) => key?.endsWith("token") && onNews());
    if (!globalThis.BroadcastChannel) return;
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = () => onNews();
  }

  tell() {
    this.channel?.postMessage(1);
  }

  /** Do `action` for `what`, unless another tab does. A tab that `isLooking` comes first, and has
   *  nothing left to do. */
  async once(what, isLooking, action) {
    if (!navigator.locks) return isLooking || action();
    if (!isLooking) await pause(SETTLE_MS);
    const request = navigator.locks.request(`${this.name} ${what}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return;
      if (!isLooking) action();
      await pause(HOLD_MS);
    });
    // A browser that forbids storage in a frame forbids locks, too.
    await request.catch((error) => error.name === "SecurityError" && !isLooking && action());
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

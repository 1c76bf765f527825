// A short sound for an answer that is not in view.

import { byId } from "./elements.js";

const NOTES = [659, 880]; // Hertz: E5, A5
const SECONDS = 0.16;

export class Sound {
  constructor(session) {
    this.session = session;
    this.box = byId("sound-on");
    this.box.checked = this.isOn;
    this.box.addEventListener("change", () => session.save("quiet", this.box.checked ? null : "1"));
  }

  get isOn() {
    return this.session.load("quiet") === null;
  }

  /** Browsers allow sounds after the first interaction with a page; before that, this is silent. */
  play() {
    if (!this.isOn || !navigator.userActivation?.hasBeenActive) return;
    const context = (this.context ??= new AudioContext());
    NOTES.forEach((hertz, index) => {
      const [tone, volume] = [context.createOscillator(), context.createGain()];
      const from = context.currentTime + index * SECONDS * 0.6;
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.001, from);
      volume.gain.exponentialRampToValueAtTime(0.12, from + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, from + SECONDS);
      tone.connect(volume).connect(context.destination);
      tone.start(from);
      tone.stop(from + SECONDS);
    });
  }
}

// The tone of a call that rings: in one tab, however many ring, and only in one that the person has
// used, because browsers keep others silent.

const NOTES = [
  [587, 0],
  [784, 0.22],
];
const EVERY_MS = 2400;

/** Ring until `stop()`; `name` is the same in all tabs that ring for the same person. */
export function ring(name) {
  const stopper = new AbortController();
  const tone = () => mayPlay() && play(stopper.signal);
  if (navigator.locks) navigator.locks.request(name, { signal: stopper.signal }, tone).catch(() => {});
  else tone();
  return { stop: () => stopper.abort() };
}

const mayPlay = () => navigator.userActivation?.hasBeenActive ?? true;

function play(signal) {
  const context = new AudioContext();
  const once = () => NOTES.forEach(([pitch, after]) => note(context, pitch, context.currentTime + after));
  once();
  const timer = setInterval(once, EVERY_MS);
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      context.close();
      resolve();
    });
  });
}

function note(context, pitch, begin) {
  const tone = new OscillatorNode(context, { frequency: pitch });
  const volume = new GainNode(context, { gain: 0 });
  volume.gain.setValueAtTime(0.1, begin);
  volume.gain.exponentialRampToValueAtTime(0.001, begin + 0.6);
  tone.connect(volume).connect(context.destination);
  tone.start(begin);
  tone.stop(begin + 0.6);
}

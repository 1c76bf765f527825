// The microphone, the camera and the screen of this side.

const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 24, max: 30 } };

export class Media {
  /** onChange(kind, track): what is sent of a kind has changed; track may be null */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.tracks = { audio: null, camera: null, screen: null };
    this.chosen = {};
    this.isMuted = false;
    this.isHeld = false;
  }

  static get isPossible() {
    return Boolean(globalThis.RTCPeerConnection && navigator.mediaDevices?.getUserMedia);
  }

  /** Ask for the microphone, and for the camera if it is wanted: without one the call has no picture
   *  of ours. Throw if there is no microphone. */
  async open({ withCamera, chosen = {}, isMuted = false }) {
    this.chosen = { ...chosen };
    this.isMuted = isMuted;
    if (withCamera) {
      try {
        this.#take(await navigator.mediaDevices.getUserMedia({ audio: this.#sound(), video: this.#picture() }));
        return;
      } catch (error) {
        if (error.name === "NotAllowedError") throw error;
      }
    }
    this.#take(await navigator.mediaDevices.getUserMedia({ audio: this.#sound() }));
  }

  #take(stream) {
    for (const track of stream.getTracks()) this.#set(track.kind === "audio" ? "audio" : "camera", track);
  }

  #sound() {
    return this.chosen.audio ? { ...SOUND, deviceId: { ideal: this.chosen.audio } } : SOUND;
  }

  #picture() {
    return this.chosen.camera ? { ...PICTURE, deviceId: { ideal: this.chosen.camera } } : PICTURE;
  }

  #set(kind, track) {
    const before = this.tracks[kind];
    this.tracks[kind] = track;
    if (before && before !== track) before.stop();
    // The browser's own button, or a device that was unplugged.
    if (track) track.onended = () => this.tracks[kind] === track && this.#set(kind, null);
    this.#apply();
    this.onChange(kind, track);
  }

  #apply() {
    const { audio, camera, screen } = this.tracks;
    if (audio) audio.enabled = !this.isMuted && !this.isHeld;
    for (const picture of [camera, screen]) if (picture) picture.enabled = !this.isHeld;
  }

  mute(isMuted) {
    this.isMuted = isMuted;
    this.#apply();
  }

  hold(isHeld) {
    this.isHeld = isHeld;
    this.#apply();
  }

  async showCamera(isOn) {
    if (!isOn) return this.#set("camera", null);
    const stream = await navigator.mediaDevices.getUserMedia({ video: this.#picture() });
    this.#set("camera", stream.getVideoTracks()[0]);
  }

  async shareScreen(isOn) {
    if (!isOn) return this.#set("screen", null);
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
    this.#set("screen", stream.getVideoTracks()[0]);
  }

  /** Use another microphone or camera from now on. */
  async choose(kind, deviceId) {
    this.chosen[kind] = deviceId;
    if (!this.tracks[kind]) return;
    const wanted = kind === "audio" ? { audio: this.#sound() } : { video: this.#picture() };
    const stream = await navigator.mediaDevices.getUserMedia(wanted);
    this.#set(kind, stream.getTracks()[0]);
  }

  close() {
    for (const kind of Object.keys(this.tracks)) {
      this.tracks[kind]?.stop();
      this.tracks[kind] = null;
    }
  }

  /** Return {audio, camera, output}: lists of {id, label}. */
  static async devices() {
    const devices = { audio: [], camera: [], output: [] };
    const kinds = { audioinput: "audio", videoinput: "camera", audiooutput: "output" };
    for (const { kind, deviceId, label } of await navigator.mediaDevices.enumerateDevices()) {
      devices[kinds[kind]]?.push({ id: deviceId, label });
    }
    return devices;
  }
}

/** How loud a track is, from 0 to 1, about ten times a second, until `stop()`. */
export function listenTo(track, onLevel) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
    onLevel(Math.min(1, Math.sqrt(power) * 4));
  }, 100);
  return {
    stop() {
      clearInterval(timer);
      context.close();
    },
  };
}

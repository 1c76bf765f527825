// One connection of two browsers, by the pattern of perfect negotiation
// (https://w3c.github.io/webrtc-pc/#perfect-negotiation-example): the polite side gives way when both
// offer at once. Each RTCPeerConnection is a session with a random name, and every signal names its
// own session and the other's. A page that was loaded again begins a new session by a hello; the
// other side then begins one, too, because a new page cannot continue the old encryption.

const HELLO_MS = 2000; // A hello may be lost: repeated until both are connected.
const CUT_MS = 3000; // Networks recover from short interruptions by themselves.
const RESTART_MS = 5000;
const KINDS = ["audio", "camera", "screen"]; // One transceiver each, in this order, for good.

export class Connection {
  /**
   * isPolite      gives way when both offer at once
   * rtc           an RTCConfiguration; renew(): a fresh one, whose credentials are valid again
   * outgoing      {audio, camera, screen}: tracks to send, or null
   * send(signal)
   * onState(state)   "connecting", "connected" or "interrupted"
   * onTracks(tracks) {audio, camera, screen}: what the other side sends
   * onFlags(flags)   what the other side reports: {muted, camera, held, screen}
   */
  constructor({ isPolite, rtc, renew, outgoing, send, onState, onTracks, onFlags }) {
    Object.assign(this, { isPolite, rtc, renew, outgoing: { ...outgoing }, send, onState, onTracks, onFlags });
    this.flags = null;
    this.peer = null;
    this.chain = Promise.resolve();
    this.received = { packets: 0, lost: 0 }; // Of earlier sessions.
    this.#begin();
    this.#greet();
    this.greeting = setInterval(() => this.isConnected || this.#greet(), HELLO_MS);
  }

  get isConnected() {
    return this.pc?.connectionState === "connected";
  }

  close() {
    clearInterval(this.greeting);
    this.#end();
    this.pc = null;
  }

  /** The sockets are there again: what was sent meanwhile may be lost. */
  reach() {
    if (this.pc) this.#greet();
  }

  /** Signals are handled one after the other. */
  receive(signal) {
    this.chain = this.chain.then(() => this.pc && this.#handle(signal)).catch((error) => {
      console.warn("A call's signal could not be used:", error.name, error.message);
    });
  }

  /** Send another track, or null, in the place of the present one; needs no new agreement. */
  async replace(kind, track) {
    this.outgoing[kind] = track;
    await this.#sender(kind)?.replaceTrack(track);
  }

  /** Tell the other side what is muted, on hold or shared. */
  tell(flags) {
    this.flags = flags;
    if (this.peer) this.#say({ state: flags });
  }

  /** Return what was measured: packets that came and were lost since the beginning, bytes that came,
   *  and the round trip in milliseconds. */
  async measure() {
    const measured = { packets: this.received.packets, lost: this.received.lost, bytes: 0, roundTrip: null };
    if (!this.pc) return measured;
    for (const one of (await this.pc.getStats()).values()) {
      if (one.type === "inbound-rtp") {
        measured.packets += one.packetsReceived ?? 0;
        measured.lost += Math.max(one.packetsLost ?? 0, 0);
        measured.bytes += one.bytesReceived ?? 0;
      }
      if (one.type === "candidate-pair" && one.nominated && one.currentRoundTripTime !== undefined) {
        measured.roundTrip = Math.round(one.currentRoundTripTime * 1000);
      }
    }
    return measured;
  }

  #begin() {
    this.session = crypto.randomUUID();
    this.isOffering = false;
    this.isIgnoring = false;
    const pc = new RTCPeerConnection(this.rtc);
    this.pc = pc;
    this.tracks = {};
    const mine = (act) => (event) => pc === this.pc && act(event);
    pc.onnegotiationneeded = mine(() => this.#offer());
    pc.onicecandidate = mine(({ candidate }) => this.peer && this.#say({ candidate: plain(candidate) }));
    pc.ontrack = mine(({ track, transceiver }) => {
      this.tracks[KINDS[pc.getTransceivers().indexOf(transceiver)]] = track;
      this.onTracks({ ...this.tracks });
    });
    pc.oniceconnectionstatechange = mine(() => this.#judge());
    pc.onconnectionstatechange = mine(() => this.#judge());
    this.onState("connecting");
  }

  #end() {
    clearTimeout(this.cut);
    clearTimeout(this.restarting);
    this.pc?.close();
  }

  /** The other page was loaded again: count what this session received, and begin a new one. */
  async #again() {
    const { packets, lost } = await this.measure();
    this.received = { packets, lost };
    this.#end();
    this.#begin();
  }

  #say(content) {
    this.send({ session: this.session, ...(this.peer && { to: this.peer }), ...content });
  }

  #greet() {
    this.#say({ hello: true });
  }

  async #handle(signal) {
    const { session, to, hello } = signal;
    if (to && to !== this.session) return; // It was for an earlier session.
    if (session !== this.peer) {
      if (hello) await this.#meet(session, to);
    } else if (hello) {
      if (!to) this.#greet();
      this.#repair();
    } else if (signal.description) {
      await this.#agree(signal.description);
    } else if ("candidate" in signal) {
      await this.#addCandidate(signal.candidate);
    } else if (signal.state) {
      this.onFlags(signal.state);
    }
  }

  async #meet(session, to) {
    if (this.peer) await this.#again();
    this.peer = session;
    if (to !== this.session) this.#greet();
    if (this.flags) this.#say({ state: this.flags });
    if (this.isPolite) return;
    // Adding them makes the browser ask for an offer.
    for (const kind of KINDS) {
      const track = this.outgoing[kind];
      this.pc.addTransceiver(track ?? (kind === "audio" ? "audio" : "video"), { direction: "sendrecv" });
    }
  }

  async #offer() {
    if (!this.peer) return;
    try {
      this.isOffering = true;
      await this.pc.setLocalDescription();
      this.#say({ description: this.pc.localDescription.toJSON() });
    } catch (error) {
      if (this.pc) console.warn("A call could not be offered:", error.name, error.message);
    } finally {
      this.isOffering = false;
    }
  }

  async #agree(description) {
    const { pc } = this;
    const collides = description.type === "offer" && (this.isOffering || pc.signalingState !== "stable");
    this.isIgnoring = !this.isPolite && collides;
    if (this.isIgnoring) return;
    if (description.type === "answer" && pc.signalingState !== "have-local-offer") return; // It came twice.
    await pc.setRemoteDescription(description);
    if (description.type !== "offer") return;
    await this.#attach();
    await pc.setLocalDescription();
    this.#say({ description: pc.localDescription.toJSON() });
  }

  /** Send our own tracks through the transceivers of the other side's first offer. */
  async #attach() {
    for (const [index, transceiver] of this.pc.getTransceivers().entries()) {
      const track = this.outgoing[KINDS[index]] ?? null;
      transceiver.direction = "sendrecv";
      if (transceiver.sender.track !== track) await transceiver.sender.replaceTrack(track);
    }
  }

  async #addCandidate(candidate) {
    try {
      await this.pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      if (!this.isIgnoring) throw error;
    }
  }

  #sender(kind) {
    return this.pc?.getTransceivers()[KINDS.indexOf(kind)]?.sender;
  }

  #judge() {
    const { connectionState, iceConnectionState } = this.pc;
    clearTimeout(this.cut);
    if (connectionState === "connected" && iceConnectionState !== "disconnected") {
      clearTimeout(this.restarting);
      this.restarting = null;
      this.onState("connected");
    } else if (iceConnectionState === "failed" || connectionState === "failed") {
      this.onState("interrupted");
      this.#restart();
    } else if (iceConnectionState === "disconnected") {
      this.onState("interrupted");
      this.cut = setTimeout(() => this.#restart(), CUT_MS);
    }
  }

  /** Look for a way between the two again, until there is one. */
  async #restart() {
    if (this.restarting || !this.pc) return;
    const { pc } = this;
    this.restarting = setTimeout(() => {
      this.restarting = null;
      if (this.pc && !this.isConnected) this.#restart();
    }, RESTART_MS);
    const rtc = await this.renew().catch(() => null);
    if (pc !== this.pc) return;
    if (rtc) {
      this.rtc = rtc;
      pc.setConfiguration(rtc);
    }
    pc.restartIce();
  }

  /** The other side said hello once more: an offer or an answer may be lost. */
  #repair() {
    const { pc } = this;
    if (pc.signalingState === "have-local-offer") this.#say({ description: pc.localDescription.toJSON() });
    else if (["failed", "disconnected"].includes(pc.iceConnectionState)) this.#restart();
  }
}

function plain(candidate) {
  if (!candidate) return null;
  const { candidate: text, sdpMid, sdpMLineIndex } = candidate;
  return { candidate: text, sdpMid, sdpMLineIndex };
}

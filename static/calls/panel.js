// What a call looks like: who rings, the pictures of both sides, and the buttons. It knows nothing of
// how a call works; `act` is told which button was pressed.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export class Panel {
  /** place: the element to draw in; texts; sprite: address of the icons; act: handlers by name */
  constructor({ place, texts, sprite, act }) {
    Object.assign(this, { place, texts, sprite, act });
    this.remote = this.#video("call-remote");
    this.screen = this.#video("call-screen");
    this.own = this.#video("call-own");
    this.own.muted = true;
    this.sound = element("audio", { autoplay: "" });
    this.line = element("p", { class: "call-line", role: "status" });
    this.time = element("span", { class: "call-time" });
    this.note = element("p", { class: "call-note", role: "status" });
    this.pictures = element("div", { class: "call-pictures" }, this.remote, this.screen, this.own);
    this.buttons = element("div", { class: "call-buttons" });
    this.devices = element("div", { class: "call-devices" });
    this.head = element("div", { class: "call-head" }, this.line, this.time);
    place.replaceChildren(this.head, this.pictures, this.note, this.buttons, this.devices, this.sound);
    this.hide();
  }

  #video(name) {
    const video = element("video", { class: name, autoplay: "", playsinline: "" });
    video.muted = true; // The sound is played by its own element.
    video.hidden = true;
    return video;
  }

  hide() {
    this.place.hidden = true;
    this.place.classList.remove("ringing", "connected", "held", "over");
    this.pictures.hidden = true;
    this.devices.hidden = true;
    this.time.textContent = "";
    this.warn("");
    this.show({ remote: null, screen: null, own: null, audio: null });
  }

  /** Show a sentence and some buttons: lists of [name, icon, label, kind, isPressed]. */
  draw(sentence, buttons, { isRinging = false } = {}) {
    this.place.hidden = false;
    this.place.classList.toggle("ringing", isRinging);
    this.place.classList.toggle("over", buttons[0]?.[0] === "close");
    this.buttons.classList.toggle("many", buttons.length > 4);
    if (this.line.textContent !== sentence) this.line.textContent = sentence;
    const had = this.buttons.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    this.buttons.replaceChildren(...buttons.map((one) => this.#button(...one)));
    if (had) this.buttons.querySelector(`[data-act="${had}"]`)?.focus();
  }

  #button(name, icon, label, kind = "", isPressed = null) {
    const kinds = kind.split(" ").filter(Boolean).map((one) => `call-${one}`);
    const made = element("button", { type: "button", class: ["call-button", ...kinds].join(" "), "data-act": name });
    made.append(this.#icon(icon));
    if (kind.includes("wide")) made.append(element("span", {}, label));
    else {
      made.setAttribute("aria-label", label);
      made.title = label;
    }
    if (isPressed !== null) made.setAttribute("aria-pressed", isPressed);
    made.addEventListener("click", () => this.act[name]());
    return made;
  }

  #icon(name) {
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("class", "icon");
    drawing.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `${this.sprite}#${name}`);
    drawing.append(use);
    return drawing;
  }

  /** A link to a room elsewhere. */
  link(address, label) {
    this.buttons.prepend(
      element("a", { class: "call-button call-wide call-primary", href: address, target: "_blank", rel: "noopener" }, label),
    );
  }

  /** Show tracks, each of which may be null; those that are not given stay. */
  show(tracks) {
    const places = { remote: this.remote, screen: this.screen, own: this.own, audio: this.sound };
    for (const [name, track] of Object.entries(tracks)) {
      const media = places[name];
      if ((media.srcObject?.getTracks()[0] ?? null) !== track) media.srcObject = track ? new MediaStream([track]) : null;
      media.hidden = name === "audio" || !track;
      if (track) media.play().catch(() => {}); // Without a gesture; the page captures sound, so it may.
    }
    this.pictures.hidden = [this.remote, this.screen, this.own].every(({ hidden }) => hidden);
    this.pictures.classList.toggle("alone", this.remote.hidden && this.screen.hidden);
    this.pictures.classList.toggle("sharing", !this.screen.hidden);
  }

  silence(isSilent) {
    this.sound.muted = isSilent;
    this.place.classList.toggle("held", isSilent);
  }

  tick(seconds) {
    const [minutes, rest] = [Math.floor(seconds / 60), String(seconds % 60).padStart(2, "0")];
    this.time.textContent = `${minutes}:${rest}`;
  }

  warn(sentence) {
    if (this.note.textContent !== sentence) this.note.textContent = sentence;
    this.note.hidden = !sentence;
  }

  /** Show the devices to choose from; `meter` is the level of the microphone. */
  offer(devices, chosen) {
    const { texts } = this;
    this.meter = element("meter", { min: 0, max: 1, low: 0.05, "aria-label": texts.level });
    const rows = [];
    for (const kind of ["audio", "camera", "output"]) {
      const list = devices[kind];
      if (!list?.length) continue;
      const select = element("select");
      list.forEach(({ id, label }, index) => {
        const option = element("option", { value: id }, label || `${texts[`device_${kind}`]} ${index + 1}`);
        option.selected = id === chosen[kind];
        select.append(option);
      });
      select.addEventListener("change", () => this.act.choose(kind, select.value));
      rows.push(element("label", {}, texts[`device_${kind}`], select));
      if (kind === "audio") rows.push(this.meter);
    }
    this.devices.replaceChildren(...rows);
    this.devices.hidden = false;
  }

  async hearFrom(deviceId) {
    await this.sound.setSinkId?.(deviceId);
  }

  get largest() {
    return this.screen.hidden ? this.remote : this.screen;
  }

  /** A small window over everything else, or back. */
  async float() {
    if (document.pictureInPictureElement) return document.exitPictureInPicture();
    if (!this.largest.hidden) await this.largest.requestPictureInPicture();
  }

  async fill() {
    if (document.fullscreenElement) return document.exitFullscreen();
    await this.place.requestFullscreen();
  }
}

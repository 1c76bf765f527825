// What the visitor sees while an agent looks: a border around the page, who it is, and the button
// that ends it; and what the agent does there, if the visitor lets them.

const STYLE = `
  :host { all: initial; position: fixed; inset: 0; z-index: 2147482999; pointer-events: none; }
  .border { position: absolute; inset: 0; border: 4px solid #b3261e; }
  .label {
    position: absolute; inset-block-start: 0; inset-inline: 0; margin-inline: auto;
    inline-size: fit-content; max-inline-size: calc(100% - 24px); box-sizing: border-box;
    display: flex; flex-wrap: wrap; align-items: center; justify-content: center; gap: 4px 12px; padding: 6px 8px 6px 14px;
    border-radius: 0 0 10px 10px; background: #b3261e; color: #fff; pointer-events: auto;
    font: 500 14px/1.3 system-ui, sans-serif;
  }
  button {
    min-block-size: 28px; padding: 2px 12px; border: 0; border-radius: 6px;
    background: #fff; color: #8c1d18; font: inherit; cursor: pointer;
  }
  button:focus-visible { outline: 2px solid #fff; outline-offset: 2px; }
  button[hidden] { display: none; }
  .action { flex-basis: 100%; font-weight: 400; text-align: center; }
  .action:empty { display: none; }
  .scene { position: absolute; inset: 0; overflow: hidden; }
  .scene > * { position: absolute; inset-block-start: 0; inset-inline-start: 0; }
  .scene svg { inline-size: 100%; block-size: 100%; }
  .scene polyline { fill: none; stroke: #d93025; stroke-width: 4; stroke-linecap: round; stroke-linejoin: round; }
  .box { box-sizing: border-box; outline: 3px solid #d93025; outline-offset: 3px; border-radius: 4px; background: #f9ab0033; }
  .pointer { direction: ltr; left: 0; }
  .pointer::before {
    content: ""; position: absolute; inline-size: 0; block-size: 0;
    border: 9px solid transparent; border-block-start-color: #b3261e; border-inline-start-color: #b3261e;
  }
  .name {
    position: absolute; inset-block-start: 16px; inset-inline-start: 14px; padding: 1px 8px; border-radius: 9px;
    background: #b3261e; color: #fff; font: 500 12px/1.5 system-ui, sans-serif; white-space: nowrap;
  }
  /* Beside the Messenger, whose corner must not cover the buttons; on a phone it covers the page. */
  @media (min-width: 641px) { :host { z-index: 2147483001; } }
  @media print { :host { display: none; } }
`;

const POINTER_MS = 250;
const SVG = "http://www.w3.org/2000/svg";

export class Border {
  constructor({ onStop }) {
    this.onStop = onStop;
    this.session = null;
  }

  show(names, labels) {
    this.host ?? this.#build(labels);
    Object.assign(this, { names, labels });
    this.#write();
  }

  /** The session in which an agent acts on the page: {name, labels, onStop}, or null. */
  showSession(session) {
    this.session = session;
    if (!this.host) return;
    if (!session) this.scene.replaceChildren();
    if (!session) this.action.textContent = "";
    this.#write();
  }

  hide() {
    this.host?.remove();
    this.host = null;
  }

  /** What the agent does, in words. */
  say(sentence) {
    this.action.textContent = sentence;
  }

  point(x, y, name) {
    if (!this.pointer?.isConnected) {
      this.pointer = make("div", "pointer");
      this.pointer.append(make("span", "name"));
      this.scene.append(this.pointer);
    }
    this.pointer.firstChild.textContent = name;
    place(this.pointer, { translate: `${x}px ${y}px` }, POINTER_MS);
  }

  highlight(element, ms) {
    const box = make("div", "box");
    const follow = () => {
      const { left, top, width, height } = element.getBoundingClientRect();
      place(box, { translate: `${left}px ${top}px`, width: `${width}px`, height: `${height}px` });
    };
    this.scene.append(box);
    follow();
    addEventListener("scroll", follow, true);
    setTimeout(() => {
      removeEventListener("scroll", follow, true);
      box.remove();
    }, ms);
  }

  draw(points, ms) {
    const drawing = document.createElementNS(SVG, "svg");
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("points", points.join(" "));
    drawing.append(line);
    this.scene.append(drawing);
    setTimeout(() => drawing.remove(), ms);
  }

  #write() {
    const { names, labels, session } = this;
    const seen = labels[names.length > 1 ? "many" : "one"].replace("{names}", listed(names, labels.language));
    const acts = session && session.labels.on.replace("{name}", session.name);
    write(this.text, acts || seen);
    write(this.button, labels.stop);
    write(this.taker, session?.labels.stop ?? "");
    this.taker.hidden = !session;
  }

  #build({ language }) {
    this.host = document.createElement("causerie-mirror");
    const root = this.host.attachShadow({ mode: "open" });
    // Unlike a style element, a constructed sheet is no inline style for the page's policy.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    const label = make("div", "label");
    label.lang = language;
    label.setAttribute("role", "status");
    this.text = make("span", "");
    this.action = make("span", "action");
    this.taker = Object.assign(make("button", ""), { type: "button", hidden: true });
    this.taker.addEventListener("click", () => this.session?.onStop());
    this.button = Object.assign(make("button", ""), { type: "button" });
    this.button.addEventListener("click", () => this.onStop());
    label.append(this.text, this.taker, this.button, this.action);
    this.scene = make("div", "scene");
    root.append(make("div", "border"), this.scene, label);
    document.body.append(this.host);
  }
}

const make = (tag, className) => Object.assign(document.createElement(tag), { className });

/** By an animation: a style attribute would be an inline style for the page's policy, because rrweb
sets the attributes of what it observes once more. */
function place(element, frame, duration = 0) {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  element.animate([frame], { duration: isStill ? 0 : duration, fill: "forwards" });
}

/** Setting the same text again would have screen readers announce it once more. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function listed(names, language) {
  return new Intl.ListFormat(language, { type: "conjunction" }).format(names);
}

// Articles that may answer what a visitor is about to ask, before the first message. Loaded when the
// visitor begins to write. The way to people stays: the text box is always there, and keeps its text.

const PAUSE_MS = 700;
const SHORTEST = 8;
const TAGS = new Set(
  "P BR HR EM STRONG S CODE PRE BLOCKQUOTE A UL OL LI TABLE THEAD TBODY TR TH TD H2 H3 H4 H5 H6".split(" "),
);

const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

/** Return copies of `nodes`: known tags and text, and of their attributes only the address of a link.
 *  The server has cleaned them; here nothing written becomes more than text either. */
function copies(nodes, newTab) {
  return [...nodes].flatMap((node) => {
    if (node.nodeType === Node.TEXT_NODE) return [node.data];
    if (!TAGS.has(node.tagName)) return [];
    const copy = make(node.tagName, {}, ...copies(node.childNodes, newTab));
    if (copy.tagName === "A" && /^(https?|mailto|tel):/.test(node.href)) {
      Object.assign(copy, { href: node.href, target: "_blank", rel: "noopener noreferrer" });
      copy.append(make("span", { className: "visually-hidden" }, ` (${newTab})`));
    }
    return [copy];
  });
}

export class Articles {
  /** settings: of the page; session; isWanted(): no conversation has begun; onShow(): it grew;
   *  onWrite(): back to the text box */
  constructor({ settings, session, isWanted, onShow, onWrite }) {
    Object.assign(this, { settings, session, isWanted, onShow, onWrite, asked: "" });
    this.texts = settings.texts;
    document.head.append(make("link", { rel: "stylesheet", href: settings.style }));
    this.box = document.getElementById("text");
    this.root = document.getElementById("articles");
    this.box.addEventListener("input", () => this.follow());
    this.#build();
    this.follow();
  }

  /** The text changed: ask after a pause. */
  follow() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), PAUSE_MS);
  }

  /** A conversation has begun, or none can. */
  hide() {
    this.asked = "";
    this.root.hidden = true;
  }

  async #ask() {
    const question = this.box.value.trim();
    if (!this.isWanted()) return this.hide();
    if (question.length < SHORTEST || question === this.asked) return;
    this.asked = question;
    const { ok, data } = await this.#post("articles/", { question });
    if (!ok || question !== this.asked || !this.isWanted()) return;
    if (!data.articles.length && !this.root.hidden && this.root.contains(document.activeElement)) return;
    this.#draw(data.articles);
  }

  async #post(path, body) {
    try {
      return await this.session.ask(path, body);
    } catch {
      return { ok: false, data: {} };
    }
  }

  #draw(articles) {
    const items = articles.map((article) => {
      const button = make(
        "button",
        { type: "button" },
        make("strong", {}, article.title),
        make("span", {}, article.excerpt),
      );
      button.addEventListener("click", () => this.#open(article));
      return make("li", {}, button);
    });
    const title = make("h2", { id: "articles-title" }, this.texts.title);
    this.root.replaceChildren(title, make("ul", {}, ...items));
    this.root.hidden = !items.length;
    if (items.length) this.onShow();
  }

  #build() {
    const button = (className, text, act) => {
      const made = make("button", { type: "button", className }, text);
      made.addEventListener("click", act);
      return made;
    };
    this.title = make("h2", { id: "article-title" });
    this.body = make("div", { className: "article-body", tabIndex: -1 });
    this.problem = make("p", { className: "problem", hidden: true });
    this.problem.setAttribute("role", "alert");
    this.buttons = make(
      "div",
      { className: "actions" },
      button("plain", this.texts.write, () => this.#write()),
      button("primary", this.texts.answered, () => this.#answered()),
    );
    this.dialog = make(
      "dialog",
      { className: "sheet article" },
      make("div", { className: "sheet-body" }, this.title, this.body, this.problem, this.buttons),
    );
    this.dialog.setAttribute("aria-labelledby", "article-title");
    document.body.append(this.dialog);
  }

  async #open(article) {
    const { ok, data } = await this.#post("articles/read/", { article: article.id });
    this.article = article;
    this.title.textContent = article.title;
    this.problem.hidden = ok;
    this.problem.textContent = ok ? "" : this.texts.failed;
    const page = new DOMParser().parseFromString(ok ? data.html : "", "text/html");
    this.body.replaceChildren(...copies(page.body.childNodes, this.texts.new_tab));
    this.buttons.lastElementChild.hidden = !ok;
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    this.body.focus();
  }

  #write() {
    this.dialog.close();
    this.onWrite();
  }

  async #answered() {
    this.dialog.close();
    this.#post("articles/answered/", { article: this.article.id });
    const thanks = make("p", { className: "thanks", tabIndex: -1 }, this.texts.thanks);
    thanks.setAttribute("role", "status");
    this.root.replaceChildren(thanks);
    this.root.hidden = false;
    this.onShow();
    thanks.focus();
  }
}

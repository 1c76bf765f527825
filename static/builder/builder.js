/* The builder's preview follows what is typed; a colour is judged while it is chosen. */

const PAUSE_MS = 400;
const form = document.getElementById("builder");
const refresh = document.getElementById("refresh");
const contrast = document.getElementById("contrast");
const accent = form.elements.accent;
let timer;

function showSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => form.requestSubmit(refresh), PAUSE_MS);
}

async function judge() {
  const colour = accent.value;
  const address = `${contrast.dataset.asks}?colour=${encodeURIComponent(colour)}`;
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok || colour !== accent.value) return;
  const { text, enough } = await answer.json();
  contrast.textContent = text;
  contrast.classList.toggle("weak", !enough);
}

/** What is being edited is what is looked at. */
function follow({ target }) {
  const language = target.closest("[data-language]")?.dataset.language;
  const choice = form.elements.preview_language;
  if (!language || choice.value === language) return;
  choice.value = language;
  showSoon();
}

form.addEventListener("input", ({ target }) => {
  if (target.id === "preview_width") {
    document.querySelector(".builder-stage").dataset.width = target.value;
    return;
  }
  if (target === accent) judge().catch((error) => console.info("not reached:", error));
  showSoon();
});
form.addEventListener("focusin", follow);
refresh.hidden = true; // It follows by itself; without this script the button does it.
form.requestSubmit(refresh);

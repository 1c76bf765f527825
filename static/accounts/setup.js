/* The guided set-up: copy what must be copied, and say when the script was heard from a page. */

for (const button of document.querySelectorAll("[data-copies]")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      document.execCommand("copy"); // Without https there is no clipboard; what is selected will do.
    }
    button.textContent = button.dataset.copied;
    setTimeout(() => (button.textContent = label), 3000);
  });
}

const seen = document.getElementById("seen");

async function ask() {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch(seen.dataset.asks, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const text = (await answer.json()).seen;
  if (!text || text === seen.textContent) return;
  seen.textContent = text;
  seen.classList.add("is-seen");
}

if (seen) {
  const again = () => ask().catch((error) => console.info("not reached:", error));
  setInterval(again, 3000);
  document.addEventListener("visibilitychange", again);
}

/* The editor of scenarios: search in the steps, and the settings of the live chat. */

const settings = document.getElementById("chat-settings");
settings.addEventListener("change", () => settings.requestSubmit());

/** What was tried is saved with the settings that it was tried with. */
document.getElementById("save-test").addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of new FormData(settings)) formData.set(name, value);
});

// Delegated: htmx replaces the list.
document.addEventListener("input", ({ target: search }) => {
  if (search.id !== "bot-search") return;
  const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  let matches = 0;
  for (const line of document.querySelectorAll(".bot-steps li[data-text]")) {
    const text = line.dataset.text.toLocaleLowerCase();
    line.hidden = !words.every((word) => text.includes(word));
    if (!line.hidden) matches += 1;
  }
  document.getElementById("bot-no-match").hidden = matches > 0;
});

document.addEventListener("htmx:afterSettle", () => {
  const step = document.getElementById("step");
  step?.scrollIntoView({ block: "nearest" });
});

/* Boxes to tick: those that are ticked stand first, and where they are many a search narrows them
   down. Without this script they are a plain list. */

const MANY = 8;
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

for (const frame of document.querySelectorAll(".checkbox-list")) {
  const list = frame.firstElementChild;
  const rows = [...list.children];
  list.prepend(...rows.filter((row) => row.querySelector(":checked")));
  if (rows.length <= MANY) continue;

  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = frame.dataset.search;
  search.setAttribute("aria-label", `${frame.dataset.search}: ${frame.getAttribute("aria-label")}`);
  const none = document.createElement("p");
  none.textContent = frame.dataset.none;
  none.setAttribute("role", "status");
  none.hidden = true;
  search.addEventListener("input", () => {
    const wanted = plain(search.value.trim());
    for (const row of rows) row.hidden = !plain(row.textContent).includes(wanted);
    none.hidden = rows.some((row) => !row.hidden);
  });
  // Enter would save the whole form.
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  frame.prepend(search);
  frame.append(none);
}

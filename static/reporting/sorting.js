// Tables whose columns can be put in order by their headings: figures the largest first, what is
// not known last, and a second press turns it round. Without this script they are as they come.

function value(cell) {
  const figure = cell.dataset.value;
  if (figure === undefined) return cell.textContent.trim();
  return figure === "" ? undefined : Number(figure);
}

function sort(table, heading) {
  const column = heading.cellIndex;
  const isFigure = heading.classList.contains("figure");
  const isFirst = !heading.ariaSort;
  const isDescending = isFirst ? isFigure : heading.ariaSort === "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.ariaSort = isDescending ? "descending" : "ascending";

  const words = new Intl.Collator(document.documentElement.lang, { numeric: true });
  const compare = (a, b) => (isFigure ? a - b : words.compare(a, b));
  const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[column]), row]);
  rows.sort(([a], [b]) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return isDescending ? compare(b, a) : compare(a, b);
  });
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable")) {
  for (const label of table.tHead.querySelectorAll(".label")) {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      className: "label",
      textContent: label.textContent,
    });
    label.replaceWith(button);
    button.addEventListener("click", () => sort(table, button.closest("th")));
  }
}

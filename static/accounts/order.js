/* Rows whose order matters get two arrows, for mouse and keyboard, in place of a number. */

const FIELD = 'input[name$="-position"]';
const words = document.getElementById("order-words").dataset;

const fieldOf = (row) => row.querySelector(FIELD);
const rowsOf = (table) =>
  [...table.querySelectorAll("tr")].filter(
    (row) => fieldOf(row) && !row.classList.contains("empty-form"),
  );

/* Numbers follow the order on the screen, from the least that was there. */
function number(table) {
  const rows = rowsOf(table);
  const values = rows.map((row) => Number(fieldOf(row).value)).filter((value) => value > 0);
  const first = values.length ? Math.min(...values) : 1;
  rows.forEach((row, index) => {
    fieldOf(row).value = first + index;
    const [up, down] = row.querySelectorAll(".moves button");
    const place = words.place.replace("{n}", index + 1).replace("{all}", rows.length);
    up.setAttribute("aria-label", `${words.up} (${place})`);
    down.setAttribute("aria-label", `${words.down} (${place})`);
    up.disabled = index === 0;
    down.disabled = index === rows.length - 1;
  });
}

function move(row, step) {
  const table = row.closest("table");
  const rows = rowsOf(table);
  const other = rows[rows.indexOf(row) + step];
  if (step < 0) other.before(row);
  else other.after(row);
  number(table);
  const buttons = [...row.querySelectorAll(".moves button")];
  const pressed = buttons[step < 0 ? 0 : 1];
  (pressed.disabled ? buttons.find((button) => !button.disabled) : pressed)?.focus();
}

function equip(row) {
  const field = fieldOf(row);
  if (!field || row.querySelector(".moves")) return;
  field.hidden = true;
  const moves = document.createElement("span");
  moves.className = "moves";
  for (const [arrow, step] of [["↑", -1], ["↓", 1]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = arrow;
    button.addEventListener("click", () => move(row, step));
    moves.append(button);
  }
  field.after(moves);
}

for (const table of document.querySelectorAll("table")) {
  if (!table.querySelector(FIELD)) continue;
  rowsOf(table).forEach(equip);
  number(table);
}

document.addEventListener("formset:added", ({ target }) => {
  if (!fieldOf(target)) return;
  fieldOf(target).value = 10_000; // last, until all are numbered
  equip(target);
  number(target.closest("table"));
});

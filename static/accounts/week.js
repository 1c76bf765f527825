/* A week of opening hours: add, remove and copy intervals. Without this script each day shows its
   intervals and an empty one, and what is empty is not saved. */

const week = document.querySelector(".week");
const days = [...week.querySelectorAll(".week-day")];
const status = week.querySelector(".week-status");
const intervalsOf = (day) => [...day.querySelectorAll(".week-interval")];
const blanks = new Map();

// The empty interval of each day is what is added.
for (const day of days) {
  const blank = intervalsOf(day).at(-1);
  blank.remove();
  blanks.set(day, blank);
  day.querySelector(".week-tools").hidden = false;
  for (const button of day.querySelectorAll(".week-remove")) button.hidden = false;
}

function show() {
  for (const day of days) {
    day.querySelector(".week-none").hidden = intervalsOf(day).length > 0;
  }
  week.classList.toggle("is-empty", !week.querySelector(".week-interval"));
}

function add(day, [opens, closes] = ["", ""]) {
  const interval = blanks.get(day).cloneNode(true);
  const [from, to] = interval.querySelectorAll("input");
  from.value = opens;
  to.value = closes;
  interval.querySelector(".week-remove").hidden = false;
  day.querySelector(".week-intervals").append(interval);
  return from;
}

/* A day whose last interval is gone still says so to the server, by an empty one. */
function send() {
  for (const day of days) if (!intervalsOf(day).length) add(day).closest(".week-interval").hidden = true;
}

/* Only one menu is open at a time. */
function close() {
  week.querySelector(".week-copy")?.remove();
  const button = week.querySelector(".week-open-copy[aria-expanded=true]");
  button?.setAttribute("aria-expanded", "false");
  button?.focus();
}

function copy(source, numbers) {
  const values = intervalsOf(source).map((one) => [...one.querySelectorAll("input")].map((input) => input.value));
  for (const number of numbers) {
    for (const old of intervalsOf(days[number])) old.remove();
    for (const value of values) add(days[number], value);
  }
  show();
  const names = numbers.map((number) => days[number].getAttribute("aria-label"));
  status.textContent = week.dataset.copied.replace("{days}", names.join(", "));
}

function openCopy(source) {
  const own = days.indexOf(source);
  source.append(week.querySelector("template").content.cloneNode(true));
  const menu = source.querySelector(".week-copy");
  menu.setAttribute("aria-label", source.querySelector(".week-open-copy").getAttribute("aria-label"));
  const boxes = [...menu.querySelectorAll("[value]")];
  boxes[own].closest("label").remove();
  const others = boxes.filter((_box, number) => number !== own);
  const sets = [...menu.querySelectorAll("[data-days]")];
  const ofSet = (set) => others.filter((box) => set.dataset.days.split(" ").includes(box.value));
  const done = menu.querySelector(".week-do-copy");
  menu.addEventListener("change", ({ target }) => {
    if (target.dataset.days) for (const box of ofSet(target)) box.checked = target.checked;
    for (const set of sets) set.checked = ofSet(set).every((box) => box.checked);
    done.disabled = !others.some((box) => box.checked);
  });
  done.disabled = true;
  done.addEventListener("click", () => {
    copy(source, others.filter((box) => box.checked).map((box) => Number(box.value)));
    close();
  });
  menu.querySelector(".week-cancel").addEventListener("click", () => close());
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    // Enter would save the whole form.
    if (event.key === "Enter" && event.target.type === "checkbox") event.preventDefault();
  });
  source.querySelector(".week-open-copy").setAttribute("aria-expanded", "true");
  sets[0].focus();
}

week.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  const day = target.closest(".week-day");
  if (button?.matches(".week-add")) {
    const from = add(day);
    show();
    from.focus();
  }
  if (button?.matches(".week-remove")) {
    button.closest(".week-interval").remove();
    show();
    day.querySelector(".week-add").focus();
  }
  if (button?.matches(".week-open-copy")) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    close();
    if (!isOpen) openCopy(day);
  }
});
/* "9", "930" and "9h30" are written out, as the server reads them. */
week.addEventListener("change", ({ target }) => {
  const typed = target.matches(".week-time") && /^(\d{1,2})(?:[:.hH]?(\d\d))?[hH]?$/.exec(target.value.trim());
  if (typed) target.value = `${typed[1].padStart(2, "0")}:${typed[2] ?? "00"}`;
});
week.closest("form").addEventListener("submit", send);
show();

// The demo's application in the desk's toolbar: what docs/apps.md shows, in full.

const { desk, orders } = document.body.dataset;
const who = document.getElementById("who");
const list = document.getElementById("orders");

const tell = (message) => window.parent.postMessage({ causerie: 1, ...message }, desk);

async function show({ token, conversation }) {
  const body = new URLSearchParams({ token });
  const response = await fetch(orders, { method: "POST", body });
  if (!response.ok) return;
  const { customer } = await response.json();
  who.textContent = customer?.name ?? who.dataset.nobody;
  list.replaceChildren(...(customer?.orders ?? []).map((order) => line(order, conversation)));
  tell({ type: "resize", height: document.documentElement.offsetHeight + 8 });
}

function line(order, conversation) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.textContent = list.dataset.insert;
  button.addEventListener("click", () => tell({ type: "insert", text: order, conversation }));
  item.append(order, button);
  return item;
}

addEventListener("message", ({ source, origin, data }) => {
  if (source !== window.parent || origin !== desk || data?.causerie !== 1) return;
  show(data);
});

tell({ type: "ready" });

// How a brand's page talks with the Messenger: a queue until embed.js has loaded, then the real one.

window.Causerie ??= function Causerie(...call) {
  (window.Causerie.q ??= []).push(call);
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-causerie]").forEach((button) => {
    button.addEventListener("click", () => window.Causerie(button.dataset.causerie));
  });

  document.querySelectorAll("[data-submit]").forEach((select) => {
    select.addEventListener("change", () => {
      const form = select.form;
      form.querySelector("[data-remove]").disabled = true;
      form.submit();
    });
  });

  // "Remove" sends its own quantity; the select must not send a second one.
  document.querySelectorAll("[data-remove]").forEach((button) => {
    button.addEventListener("click", () => {
      button.form.querySelector("[data-submit]").disabled = true;
    });
  });

  // Who is logged in here, signed by this shop's server; nobody, once they have logged out.
  const { identity } = document.body.dataset;
  if (identity) window.Causerie("identify", identity);
  else window.Causerie("logout");

  const order = document.querySelector("[data-transaction]");
  if (order) {
    const { transaction: id, amount, currency } = order.dataset;
    window.Causerie("transaction", { id, amount: Number(amount), currency });
  }
});

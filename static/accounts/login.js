// The demonstration's logins fill the form.

const form = document.getElementById("login");

for (const button of document.querySelectorAll("[data-username]")) {
  button.addEventListener("click", () => {
    form.elements.username.value = button.dataset.username;
    form.elements.password.value = button.dataset.password;
    form.querySelector(".primary").focus();
  });
}

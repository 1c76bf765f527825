// Passkeys: a form marked with `data-passkey` is sent with what the browser's own dialog answers.
// The options come from a JSON block of the page, or from the address in `data-challenge`.

const BINARY = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const fault = form.querySelector("[data-fault]");
  if (!window.PublicKeyCredential) {
    if (form.hasAttribute("data-challenge")) continue; // The login stays as it is without them.
    tell(fault, fault.dataset.unsupported);
    form.querySelector("button").disabled = true;
    continue;
  }
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    ask(form).then(
      (credential) => {
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      },
      (error) => tell(fault, error.name === "InvalidStateError" ? fault.dataset.known : fault.dataset.cancelled),
    );
  });
}

async function ask(form) {
  const { publicKey } = await optionsOf(form);
  const decoded = decode(publicKey);
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: decoded })
      : await navigator.credentials.get({ publicKey: decoded });
  return encode(credential);
}

async function optionsOf(form) {
  if (!form.dataset.challenge) return JSON.parse(document.getElementById(form.dataset.options).textContent);
  const answer = await fetch(form.dataset.challenge, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`no challenge: ${answer.status}`);
  return (await answer.json()).request_options;
}

function decode(options) {
  const withKey = (one) => ({ ...one, id: bytesOf(one.id) });
  return {
    ...options,
    challenge: bytesOf(options.challenge),
    ...(options.user && { user: withKey(options.user) }),
    ...(options.excludeCredentials && { excludeCredentials: options.excludeCredentials.map(withKey) }),
    ...(options.allowCredentials && { allowCredentials: options.allowCredentials.map(withKey) }),
  };
}

function encode(credential) {
  const { id, rawId, type, response, authenticatorAttachment } = credential;
  const parts = {};
  for (const name of BINARY) {
    if (response[name] instanceof ArrayBuffer) parts[name] = textOf(response[name]);
  }
  if (response.getTransports) parts.transports = response.getTransports();
  return {
    id,
    rawId: textOf(rawId),
    type,
    response: parts,
    authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}

function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.codePointAt(0));
}

function textOf(buffer) {
  const plain = String.fromCodePoint(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function tell(fault, sentence) {
  fault.querySelector("span").textContent = sentence;
  fault.hidden = false;
}

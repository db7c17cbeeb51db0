// Passkeys: hands a form's options to the browser, and the browser's answer back to the form.
//
// A form says what it wants: data-passkey="get" or "create", data-options (JSON as WebAuthn L3
// spells it), data-autofill where the browser may offer a passkey in a field. Forms stay hidden
// where a browser has no passkeys. Nothing is fetched, nothing is kept, nothing is decided here.
"use strict";

(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  function optionsOf(form) {
    const options = JSON.parse(form.dataset.options);
    options.challenge = bytes(options.challenge);
    if (options.user) options.user = { ...options.user, id: bytes(options.user.id) };
    if (options.allowCredentials) options.allowCredentials = listed(options.allowCredentials);
    if (options.excludeCredentials) options.excludeCredentials = listed(options.excludeCredentials);
    return options;
  }

  function answerOf(credential) {
    const { response } = credential;
    const answer = {
      id: credential.id,
      rawId: text(credential.rawId),
      type: credential.type,
      response: { clientDataJSON: text(response.clientDataJSON) },
    };
    if (response.attestationObject) {
      answer.response.attestationObject = text(response.attestationObject);
      answer.response.transports = response.getTransports ? response.getTransports() : [];
    } else {
      answer.response.authenticatorData = text(response.authenticatorData);
      answer.response.signature = text(response.signature);
      answer.response.userHandle = response.userHandle ? text(response.userHandle) : null;
    }
    return JSON.stringify(answer);
  }

  const reasons = {
    NotAllowedError: "The passkey was not used: it was cancelled, or it took too long. Please try again.",
    InvalidStateError: "This device holds a passkey for your account already.",
    NotSupportedError: "This device cannot make such a passkey.",
    SecurityError: "This address cannot be used with passkeys.",
  };

  let waiting = null;

  function send(form, credential) {
    form.elements.namedItem("credential").value = answerOf(credential);
    form.submit();
  }

  async function ask(form) {
    const problem = form.querySelector("[data-passkey-problem]");
    const button = form.querySelector("button");
    if (waiting) waiting.abort();
    waiting = null;
    problem.hidden = true;
    button.disabled = true;
    try {
      const publicKey = optionsOf(form);
      const credential =
        form.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
      send(form, credential);
    } catch (error) {
      problem.textContent = reasons[error.name] || "The passkey could not be used. Please try again.";
      problem.hidden = false;
      button.disabled = false;
      button.focus();
    }
  }

  async function offer(form) {
    const available = PublicKeyCredential.isConditionalMediationAvailable;
    if (!available || !(await available.call(PublicKeyCredential))) return;
    waiting = new AbortController();
    try {
      const credential = await navigator.credentials.get({
        publicKey: optionsOf(form),
        mediation: "conditional",
        signal: waiting.signal,
      });
      if (credential) send(form, credential);
    } catch {
      // The person went on another way: the button and the password are still there.
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    // A browser that drew the page while this form was hidden has passed its autofocus over; it is
    // looked at when it draws again, after the browser's own autofocus.
    const first = form.querySelector("[autofocus]");
    if (first) requestAnimationFrame(() => document.activeElement === document.body && first.focus());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      ask(form);
    });
    if ("autofill" in form.dataset) offer(form);
  }
  for (const one of document.querySelectorAll("[data-with-passkeys]")) one.hidden = false;
  for (const one of document.querySelectorAll("[data-without-passkeys]")) one.hidden = true;
})();

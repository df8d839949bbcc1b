/**
 * Tells `_cio` what visitors fill in: every form that is submitted, also where the page goes on by itself. Passwords,
 * cards, tokens, files and hidden fields never leave the page; nor does an element with `data-cio-ignore`, and all in
 * it. `data-cio-form` calls a form otherwise, `data-cio-name` a field.
 */

/** A type, name or autocomplete that is none of our business. */
const SECRET =
  /^(hidden|file|submit|button|reset) |pass|pwd|csrf|xsrf|token|nonce|captcha|one-time|card|\bcc-|cv[vc]|csc|iban|ssn|secret|otp/i;

addEventListener(
  "submit",
  (event) => {
    try {
      /** Its own properties may be fields of these names: so its attributes are read. @type {any} */
      const form = event.target;
      const attribute = (/** @type {string} */ name) => form.getAttribute(name);
      if (form.closest("[data-cio-ignore],[action*=submit_action]")) return; // the latter tells of itself
      /** @type {any} */
      const data = {
        __proto__: null,
        form_id: attribute("data-cio-form") || attribute("id") || attribute("name") || location.pathname,
      };
      for (const field of form.querySelectorAll("input,select,textarea")) {
        const { type, name, value, checked } = field;
        const autocomplete = field.getAttribute("autocomplete"); // as a property Firefox keeps what it knows alone
        const key = field.dataset.cioName || name;
        if (
          key &&
          value &&
          (checked || !/radio|check/.test(type)) &&
          !`${type} ${name} ${autocomplete}`.match(SECRET) &&
          !field.matches(":disabled,[data-cio-ignore],[data-cio-ignore] *")
        ) {
          data[key] = data[key] ? `${data[key]}, ${value}` : value;
          if (/email/i.test(type + autocomplete)) data.email ||= value;
        }
      }
      _cio.track("_cio_form", data);
    } catch {}
  },
  true,
);

/**
 * Tells `_cio` what visitors fill in: every form that is submitted, also where the page goes on by itself. Passwords,
 * cards, tokens, files and hidden fields never leave the page; nor does an element with `data-cio-ignore`, and all in
 * it. `data-cio-form` calls a form otherwise, `data-cio-name` a field.
 */

addEventListener(
  "submit",
  /** Its own properties may be fields of these names: so its attributes are read. @param {any} event */
  ({ target: form }) => {
    try {
      if (form.closest("[data-cio-ignore],[action*=submit_action]")) return; // the latter tells of itself
      let email;
      /** @type {any} */
      const data = {
        __proto__: null,
        form_id:
          form.dataset.cioForm || form.getAttribute("id") || form.getAttribute("name") || location.pathname,
      };
      // A field may stand outside of its form, and one of another form in it; of a list several may be chosen.
      for (const field of /** @type {NodeListOf<any>} */ (
        document.querySelectorAll("input,textarea,option:checked")
      )) {
        const control = field.closest("select") || field;
        const { type, name, checked } = control;
        const value = field.value;
        const autocomplete = control.getAttribute("autocomplete"); // as a property Firefox keeps what it knows alone
        const key = control.dataset.cioName || name;
        if (
          field.form === form &&
          key &&
          value &&
          (checked || !/[ox]$/.test(type)) && // a radio or a checkbox
          // A type, name or autocomplete that is none of our business.
          !/^(hidden|file|submit|button|reset),|pass|pwd|[cx]srf|token|nonce|captcha|one-time|card|\bcc[-_n]|cv[vc]|csc|iban|ssn|secret|otp/i.test(
            /** @type {any} */ ([type, name, autocomplete]),
          ) &&
          !field.closest("[data-cio-ignore],:disabled")
        ) {
          // biome-ignore lint/style/useTemplate: four bytes
          data[key] = data[key] ? data[key] + ", " + value : value;
          if (/email/i.test(type + autocomplete)) email = email || value;
        }
      }
      _cio.track("_cio_form", { email, ...data }); // a field of the name "email" comes before one of that type
    } catch {}
  },
  true,
);

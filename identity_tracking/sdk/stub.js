/**
 * The inline stub: keeps every call, with the address, title and time of that moment, until visitor.js replays it.
 * A Proxy stands in for load identify sidentify track page reset on off: naming them would cost a third of the bytes.
 */
// `var` leaves an earlier stub or the loaded SDK as it is, and hides an element whose id is "_cio".
/** @type {any} */
var _cio =
  // biome-ignore lint/correctness/noInvalidUseBeforeDeclaration: that is how
  _cio ||
  new Proxy(/** @type {any[]} */ ([]), {
    get: (/** @type {any} */ calls, name) =>
      calls[name] ??
      // The script may never come: no more than 1,000 calls are kept.
      ((/** @type {any[]} */ ...args) =>
        calls[999] || calls.push([[name, ...args], document.URL, document.title, Date.now()])),
  });

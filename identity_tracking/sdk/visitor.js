/**
 * The visitor's side of identity_tracking: turns calls on `window._cio` into messages, and delivers them.
 * It keeps no identity of its own (the cookies are the one truth) and never throws into the page.
 *
 * The build puts one `try` around this file, which a prerendered page runs when it is shown.
 * It must stay sloppy: writing to a jar that is "" does nothing.
 */

const DAY = 864e5; // milliseconds
const SETTLED = 2e3; // milliseconds a page lives before it takes over what others left
const PATIENCE = 1e5; // milliseconds for an answer, and at most between two attempts
const COOKIE_AGE = 31536e3; // seconds: 365 days
const MOST_EVENTS = 1e3; // kept while the server is out of reach
const MOST_LETTERS = 2e4; // up to 60 KB: browsers allow 64 KiB to all requests that outlive their page

// ---- Settings: attributes of the script element

/** Really a script: a form could take the name. @type {any} */
const script = document.querySelector("script#cio-tracker");

/** A copy without a prototype: a polluted one would answer for a missing attribute. @type {any} */
const settings = { __proto__: null, ...script.dataset };
const endpoint = settings.endpoint || `${new URL("visit/", script.src)}`; // text, for who wraps fetch and looks into it
const linkParameter = settings.linkParameter || "_cio_id";
const autoPage = settings.autoTrackPage !== "false";

// ---- Address

let referrer = document.referrer;
let address = location.href;

/** After a change of address the page left is the referrer, and there is a page view. */
const look = () => {
  if (address === location.href) return;
  referrer = address;
  address = location.href;
  // The new page has its title when this task is over.
  // biome-ignore lint/suspicious/noSparseArray: it has no title yet
  if (autoPage) setTimeout(push, 0, [["page"], address, , Date.now(), referrer]);
};

// ---- Identity

/** The document, or "" where cookies are not taken or not wanted: then what was written serves. @type {any} */
let jar = "";

/** Blocked, broken or unwanted storage is a plain object. @type {any} */
let storage = {};

try {
  if (settings.enableInMemoryStorage !== "true") {
    const own = localStorage; // throws in a sandboxed frame
    jar = document;
    own.length; // throws where it is null, as in some apps, or broken
    storage = own;
  }
} catch {}

/** What was written since the oldest request in flight was sent. @type {Map<string, string>} */
const written = new Map();

/** @param {string} name @returns {string} */
const readCookie = (name) => (jar ? jar.cookie.match(`(^|; )${name}=([^;]*)`)?.[2] : written.get(name)) || "";

/** An empty value deletes. Over HTTP a browser passes ":ecure" over. @param {string} value @param {string} name */
const writeCookie = (value, name) => {
  written.set(name, value);
  jar.cookie = `${name}=${value};max-age=${value ? COOKIE_AGE : 0};path=/;domain=${settings.cookieDomain || []};samesite=${settings.crossSiteSupport !== "true" ? "Lax" : "None"};${address[4]}ecure`;
  if (value !== readCookie(name)) jar = "";
  return value;
};

const rotate = () => writeCookie(uuid(Date.now()), "_cioanonid");

/** Unlike decodeURIComponent it takes what another script wrote unencoded. @returns {any} */
const currentId = () => new URLSearchParams(`=${readCookie("_cioid")}`).get("");

// ---- Calls

/** What, where and when: of the call that is being run. @type {any} */
let context;

/** @param {string} name */
const identify = (name) => {
  /** @type {any} */
  const data = { __proto__: null, ...context.data, ...(name && { id: name }) };
  const next = text(data.id) || text(/@/.test(data.email) ? data.email : ""); // "42" is no email, nor an id
  const current = currentId();
  if (!next) return next;
  if (kind(next) === kind(current) && current !== next) rotate();
  writeCookie(encodeURIComponent(next), "_cioid");
  record({ data });
};

/** By method. @type {Record<string, Set<Function>>} */
const handlers = {};

/** Announces a visitor who came by a personal link, and takes the link out of the address bar. */
const link = () => {
  const url = new URL(address);
  const id = url.searchParams.get(linkParameter);
  if (!id) return;
  if (currentId() !== `cio_${id}`) record({ cio_id: id });
  url.searchParams.delete(linkParameter);
  history.replaceState(history.state, "", url);
  address = url.href;
};

/**
 * Each takes the first argument as text, and all of them. It returns "" where nothing happened.
 * @type {Record<string, (name: string, args: any[]) => unknown>}
 */
const methods = {
  link,
  sidentify: identify,
  identify,
  track: (name) => name && record({ name }),
  page: (name) => record({ name }),
  load: look, // there is nothing to load
  off: (event, args) => handlers[event].delete(args[1]),
  reset: () => {
    writeCookie("", "_cioid");
    rotate();
  },
  on: (event, args) => handlers[event].add(args[1]),
};

/** Runs calls: `[method, ...args]`, or as the stub keeps them `[[method, ...args], url, title, time]`. @param {any[]} calls */
const push = (...calls) => {
  for (const call of calls) {
    try {
      look();
      const [[type, ...args], url = address, title = document.title, time = Date.now(), from = referrer] =
        call[0].push ? call : [call];
      context = {
        type,
        time,
        url,
        title,
        referrer: from,
        data: plain(args.find((/** @type {unknown} */ arg) => arg === Object(arg))),
      };
      if (methods[type](text(args[0]), args) !== "") {
        for (const handler of handlers[type]) {
          try {
            handler(...args);
          } catch {} // the page's own mistake stays its own
        }
      }
    } catch {}
  }
};

// ---- Values

/** Whether an identifier is an email address, a cio_id or another. @param {string} id */
const kind = (id) => id && `${id.match(/@|^cio_/)}`;

/** A string or a number as text; "" for everything else. @param {any} value */
const text = (value) => (/^[sn]/.test(typeof value) ? `${value}` : "").trim();

/**
 * What JSON can hold of an object; a cyclic or throwing value costs its own key only. Arrays become objects, unless
 * they are to be kept.
 * @param {any} [value]
 */
const plain = (value = {}) => {
  /** @type {any} */
  let copy;
  for (const key of Object.keys(value)) {
    try {
      copy ||= {};
      copy[key] = JSON.parse(JSON.stringify(value[key]), (_, part) =>
        settings.useArrayParams !== "true" && part?.push ? { ...part } : part,
      );
    } catch {}
  }
  return copy;
};

/**
 * A UUIDv7 (RFC 9562), for times from 2004 to 2527. Its random digits are decimal: 18 of them are 58 bits.
 * @param {number} time
 */
const uuid = (time) =>
  (time.toString(16) + crypto.getRandomValues(new Uint32Array(4)).join("")).replace(
    /(.{7})(.{4})(.{3})(.{3})(.{12}).*/,
    "0$1-$2-7$3-a$4-$5",
  );

// ---- Messages and their delivery

/** Messages as JSON, those in the request first. @type {string[]} */
const queue = [];

let sent = 0; // of the queue, in the request under way
let failures = 0;

/** Where a message is stored: every one begins with its id. A plain object holds a number too. @param {any} json */
const keyOf = (json) => `_cio:${json.slice?.(15, 51)}`;

/** Freezes who, what and where into a message, and queues it. @param {object} fields */
const record = (fields) => {
  /** @type {any} */
  const message = {
    message_id: uuid(context.time),
    anonymous_id: readCookie("_cioanonid") || rotate(),
    id: currentId(),
    ...context,
    ...fields,
  };
  for (const field in message) if (!message[field]) delete message[field];
  if (!queue[MOST_EVENTS - 1]) {
    const json = JSON.stringify(message);
    if (!queue[0]) setTimeout(flush);
    queue.push(json);
    try {
      storage[keyOf(json)] = json;
    } catch {} // it is full: the page is all that remembers
  }
};

/** Takes over what earlier pages could not deliver. */
const adopt = () => {
  if (queue[0]) return setTimeout(adopt, SETTLED);
  const oldest = `_cio:${uuid(Date.now() - DAY)}`;
  for (const key in storage) {
    if (keyOf(storage[key]) !== key) continue;
    if (key > oldest) queue.push(storage[key]);
    else delete storage[key];
  }
  flush();
};

/** Sends what waits: one request at a time, or a beacon where the page is left. @param {Event} [leaving] */
const flush = async (leaving) => {
  let room = MOST_LETTERS / 2 ** failures;
  // biome-ignore lint/suspicious/noAssignInExpressions: twelve bytes
  const batch = queue.slice(sent).filter((json, index) => (room -= json.length) > 0 || !index);
  if (!batch[0] || (sent && !leaving)) return;
  const now = Date.now();
  const before = readCookie("_cioanonid");
  const body = `{"messages":[${batch}],${JSON.stringify({
    site_id: settings.siteId,
    sent_at: now,
    retry: failures,
    renew: !(!jar || storage["_cio:r"] > now - (now % DAY)),
  }).slice(1)}`;
  // Nobody sees the answer to a beacon: what it took stays stored, and goes again from here or from a later page.
  if (leaving) return navigator.sendBeacon?.(endpoint, body);
  sent = batch.length;
  if (jar) written.clear();
  /** @type {any} */
  let response;
  try {
    response = await fetch(
      endpoint,
      /** @type {any} */ ({
        __proto__: null,
        body,
        keepalive: !failures,
        credentials: "include",
        redirect: "error",
        signal: AbortSignal.timeout?.(PATIENCE),
        method: "POST",
      }),
    );
    await response.text(); // until then Chromium counts the request against the keepalive allowance
    storage["_cio:r"] = response.ok && now;
  } catch {}
  sent = 0;
  // A late Set-Cookie must not bring an old identity back, nor this page its own: after a logout, or a change of
  // person in another tab, the browser has another anonymous id.
  if (before === readCookie("_cioanonid")) written.forEach(writeCookie);
  // "undefined" or "{": there was no answer. "413{": too large, and a second message can be left out.
  if (/^[u{5]|^4(08|29|13{)/.test([response?.status] + batch[1])) failures++;
  else {
    failures = 0;
    // biome-ignore lint/suspicious/useIterableCallbackReturn: two bytes
    batch.forEach(() => delete storage[keyOf(/** @type {string} */ (queue.shift()))]);
  }
  setTimeout(
    flush,
    failures &&
      Math.min(
        PATIENCE,
        (response?.headers.get("Retry-After") * 1e3 || 0) + 2 ** (8 + failures + Math.random()),
      ),
  );
};

// ---- Start

/** @type {any} */
const stub = window._cio || [];
// Else the script is here already.
if (stub.pop) {
  _cio = { _findCustomer: currentId, cookieNamespace: "_cio", push };
  for (const name in methods) {
    handlers[name] = new Set();
    _cio[name] = (/** @type {any[]} */ ...args) => push([name, ...args]);
  }
  stub.push = push; // whoever kept the stub is heard
  push(["link"], ...stub);
  if (autoPage) {
    push(["page"]);
    for (const name of /** @type {const} */ (["replaceState", "pushState"])) {
      const original = history[name];
      history[name] = (...args) => {
        original.apply(history, args);
        look();
      };
    }
    addEventListener("pageshow", (event) => event.persisted && push(["page"]));
    addEventListener("popstate", look);
  }
  addEventListener("pagehide", flush);
  addEventListener("visibilitychange", (event) => document.hidden && flush(event));
  setTimeout(adopt, SETTLED);
}

/**
 * The visitor's side of identity_tracking: turns calls on `window._cio` into messages, and delivers them.
 * It keeps no identity of its own (the cookies are the one truth) and never throws into the page.
 */

const DAY = 864e5; // milliseconds
const SETTLED = 2e3; // milliseconds a page lives before it takes over what others left
const PATIENCE = 3e4; // milliseconds for an answer
const LONGEST_PAUSE = 3e5; // milliseconds between two attempts
const COOKIE_AGE = 31536000; // seconds: 365 days
const MOST_EVENTS = 1000; // kept while the server is out of reach
const MOST_LETTERS = 2e4; // up to 60 KB: browsers allow 64 KiB to all keepalive requests together
const MOST_VALUES = 1e4; // in one call: a framework's object can lead to the whole page
const RENEWED = "_cio:r"; // in storage: the day on which the server last renewed the cookies

/** The window, with what TypeScript does not know. @type {any} */
const page = window;

// ---- Settings: attributes of the script element

/** Really a script: an image or a form can take these names. */
const script = [document.currentScript, document.getElementById("cio-tracker")].find(
  (element) => element instanceof HTMLScriptElement,
);

/** A copy without a prototype: a polluted one would answer for a missing attribute. @type {any} */
const settings = { __proto__: null, ...script?.dataset };
const { linkParameter = "_cio_id" } = settings;
const autoPage = settings.autoTrackPage !== "false";

// ---- Values

/** A string or a number as text; "" for everything else. @param {any} value */
const text = (value) => (typeof value === "string" || value === +value ? `${value}`.trim() : "");

/** @param {string} id */
const kind = (id) => (/^\S+@\S+\.\S/.test(id) ? "email" : /^cio_/.test(id));

/** Twelve hexadecimal digits of a number below 2 ** 52. @param {number} number */
const hex = (number) => (number + 2 ** 52).toString(16).slice(-12);

/** A UUIDv7 (RFC 9562). It is a name and no secret: the server trusts none. @param {number} time */
const uuid = (time) =>
  `${hex(time)}70008000${hex(Math.random() * 2 ** 52)}`.replace(/^.{8}|.{4}(?=.{12})/g, "$&-");

/** What JSON can hold of an object: cycles left out, arrays as objects unless they are to be kept. @param {any} value */
function plain(value) {
  let room = MOST_VALUES;
  /** @type {unknown[]} */
  const above = [];
  const json = JSON.stringify(
    value,
    /** @this {unknown} @param {string} _ @param {unknown} part */
    function (_, part) {
      if (typeof part === "bigint") return `${part}`;
      if (Object(part) !== part) return part;
      while (above[0] && above[0] !== this) above.shift();
      if (above.includes(part) || room-- < 1) return;
      above.unshift(part);
      return part;
    },
  );
  return JSON.parse(json, (_, part) =>
    Array.isArray(part) && settings.useArrayParams !== "true" ? { ...part } : part,
  );
}

// ---- Identity

/** Without a jar reading and writing throw, and memory serves. @type {any} */
let jar;

/** Blocked or unwanted storage is a plain object. @type {Record<string, string>} */
let storage = {};

try {
  if (settings.enableInMemoryStorage !== "true") {
    jar = document;
    storage = localStorage;
  }
} catch {} // a sandboxed frame

/** Stands in for cookies that the browser does not take. @type {Record<string, string>} */
const memory = {};

/** What was written since the oldest request in flight was sent. @type {Map<string, string>} */
const written = new Map();

/** @param {string} name @returns {string} */
function readCookie(name) {
  try {
    return jar.cookie.match(`(^|; )${name}=([^;]*)`)[2];
  } catch {
    return memory[name] || "";
  }
}

/** An empty value deletes. @param {string} value @param {string} name */
function writeCookie(value, name) {
  const sameSite = settings.crossSiteSupport === "true" ? "None" : "Lax";
  const secure = /^https/.test(location.href) ? ";Secure" : "";
  written.set(name, value);
  memory[name] = "";
  try {
    jar.cookie = `${name}=${value};path=/;max-age=${value ? COOKIE_AGE : 0};domain=${settings.cookieDomain || ""};SameSite=${sameSite}${secure}`;
  } catch {}
  if (readCookie(name) !== value) memory[name] = value;
  return value;
}

const rotate = () => writeCookie(uuid(Date.now()), "_cioanonid");

function currentId() {
  const value = readCookie("_cioid");
  try {
    return decodeURIComponent(value);
  } catch {
    return value; // another script's, unencoded
  }
}

// ---- Address

let address = location.href;
let referrer = document.referrer;

/** After a change of address the page left is the referrer, and there is a page view. */
function look() {
  if (location.href === address) return;
  referrer = address;
  address = location.href;
  // The new page has its title when this task is over.
  if (autoPage) setTimeout(push, 0, [["page"], address, undefined, Date.now(), referrer]);
}

function watchAddress() {
  if (page.navigation?.currentEntry) page.navigation.addEventListener("currententrychange", look);
  else {
    for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
      const original = history[name];
      history[name] = function (...args) {
        original.apply(this, args);
        look();
      };
    }
    addEventListener("popstate", look);
  }
  addEventListener("pageshow", (event) => event.persisted && push(["page"]));
}

/** Takes personal links out of an address, or out of JSON. @param {string} written */
const withoutLinks = (written) =>
  written.replace(RegExp(`([?&])(?:${linkParameter}=[^&#"]*(&?))+`, "g"), (_, mark, next) => next && mark);

/** Announces a visitor who came by a personal link, and takes the link out of the address bar. */
function followLink() {
  const id = new URLSearchParams(location.search).get(linkParameter);
  context = here();
  if (id && currentId() !== `cio_${id}`) record("link", { cio_id: id });
  if (id === null) return;
  history.replaceState(history.state, "", withoutLinks(address));
  address = location.href;
}

// ---- Calls

/** @type {any[][]} */
let handlers = [];

/** Where and when a call is made, but for what was kept of it. */
const here = (url = address, title = document.title, time = Date.now(), from = referrer) => ({
  url,
  title,
  referrer: from,
  time,
});

/** That of the call that is being run. @type {ReturnType<typeof here>} */
let context;

/**
 * Each takes the first argument as text, the first object among them, and all of them. It says whether something
 * happened.
 * @type {Record<string, (name: string, data: any, args: any[]) => unknown>}
 */
const methods = /** @type {any} */ ({
  __proto__: null,
  load() {},
  identify,
  sidentify: identify,
  track: (/** @type {string} */ name, /** @type {object} */ data) => name && record("track", { name }, data),
  page: (/** @type {string} */ name, /** @type {object} */ data) =>
    record("page", name.includes("://") ? { url: name } : { name }, data),
  reset() {
    writeCookie("", "_cioid");
    return rotate();
  },
  on: (/** @type {string} */ _name, /** @type {object} */ _data, /** @type {any[]} */ args) =>
    handlers.push(args),
  off(/** @type {string} */ _name, /** @type {object} */ _data, /** @type {any[]} */ [event, handler]) {
    handlers = handlers.filter((known) => known[0] !== event || known[1] !== handler);
  },
});

/** @param {string} name @param {any} data */
function identify(name, data) {
  if (name) data[kind(name) === "email" ? "email" : "id"] = name;
  const { id, email, ...traits } = { __proto__: null, ...data };
  const fields = { id: text(id), email: text(email) };
  const next = fields.id || fields.email;
  const current = currentId();
  if (!next) return;
  if (current && kind(current) === kind(next) && current.toLowerCase() !== next.toLowerCase()) rotate();
  writeCookie(encodeURIComponent(next), "_cioid");
  return record("identify", fields, traits);
}

/** Runs calls: `[method, ...args]`, or as the stub keeps them `[[method, ...args], url, title, time]`. @param {any[]} calls */
function push(...calls) {
  for (const call of calls) {
    try {
      look();
      /** @type {any[]} */
      const [[method, ...args], ...kept] = Array.isArray(call[0]) ? call : [call];
      context = here(...kept);
      const data = plain(args.find((/** @type {unknown} */ arg) => typeof arg === "object" && arg) || {});
      if (methods[method]?.(text(args[0]), data, args)) emit(method, args);
    } catch {}
  }
}

/** @param {string} method @param {any[]} args */
function emit(method, args) {
  for (const [event, handler] of handlers) {
    try {
      if (event === method) handler(...args);
    } catch {} // the page's own mistake stays its own
  }
}

// ---- Messages and their delivery

/** Messages as JSON, but for those in a request. @type {string[]} */
let queue = [];

let busy = false; // a request is to come, under way, or to be repeated
let flights = 0;
let failures = 0;
let limit = MOST_LETTERS; // of the next request

/** Where a message is stored: every one begins with its id. @param {string} json */
const keyOf = (json) => `_cio:${json.slice(15, 51)}`;

/** Freezes who, what and where into a message, and queues it. @param {string} type @param {object} fields @param {object} data */
function record(type, fields, data = {}) {
  /** @type {Record<string, any>} */
  const message = {
    message_id: uuid(context.time),
    type,
    anonymous_id: readCookie("_cioanonid") || rotate(),
    id: currentId(),
    ...context,
    ...fields,
    data: Object.keys(data)[0] && data,
  };
  for (const field in message) if (!message[field]) delete message[field];
  if (queue.length < MOST_EVENTS) {
    const json = withoutLinks(JSON.stringify(message));
    queue.push(json);
    try {
      storage[keyOf(json)] = json;
    } catch {} // full
    if (!busy) setTimeout(resume);
    busy = true;
  }
  return true;
}

/** Takes over what earlier pages could not deliver. */
function adopt() {
  if (busy) return setTimeout(adopt, SETTLED);
  for (const key of Object.keys(storage).sort()) {
    if (keyOf(storage[key]) !== key) continue;
    if (key > `_cio:${uuid(Date.now() - DAY)}` && queue.length < MOST_EVENTS) queue.push(storage[key]);
    else delete storage[key];
  }
  flush();
}

function resume() {
  busy = false;
  flush();
}

/** Sends what waits: one request at a time, unless the page is being left. @param {unknown} [leaving] */
async function flush(leaving) {
  if (!queue[0] || (busy && !leaving)) return;
  const batch = [];
  let room = limit;
  for (const json of queue) {
    room -= json.length;
    if (batch[0] && room < 0) break;
    batch.push(json);
  }
  queue = queue.slice(batch.length);
  const messages = `${batch}`;
  const today = new Date().toDateString();
  const renew = (jar && storage[RENEWED] !== today) || undefined;
  const head = { site_id: settings.siteId, sent_at: Date.now(), retry: failures || undefined, renew };
  if (!flights++) written.clear();
  busy = true;
  /** @type {any} */
  const init = {
    __proto__: null,
    method: "POST",
    body: `${JSON.stringify(head).slice(0, -1)},"messages":[${messages}]}`,
    keepalive: messages.length <= MOST_LETTERS && (leaving || !failures),
    credentials: "include",
    signal: AbortSignal.timeout?.(PATIENCE),
  };
  /** @type {any} */
  let response;
  try {
    response = await fetch(settings.endpoint || new URL("visit/", /** @type {any} */ (script).src), init);
    await response.text(); // until then Chromium counts the request against the keepalive allowance
    if (renew && response.ok) storage[RENEWED] = today;
  } catch {}
  flights--;
  written.forEach(writeCookie); // a late Set-Cookie must not bring an old identity back
  const later = /^[u5]|408|429/.test(response?.status); // undefined: there was no answer
  const halve = response?.status === 413 && batch[1];
  if (later || halve) queue.unshift(...batch);
  else for (const json of batch) delete storage[keyOf(json)];
  limit = halve ? messages.length / 2 : MOST_LETTERS;
  failures = later ? failures + 1 : 0;
  const pause = Math.max(
    response?.headers.get("Retry-After") * 1e3 || 0,
    2 ** (failures + Math.random()) * 250,
  );
  setTimeout(resume, later ? Math.min(pause, LONGEST_PAUSE) : 0);
}

// ---- Start

function start() {
  const stub = page._cio;
  if (!script || (stub && stub.push !== [].push)) return;
  /** @type {any} */
  const api = { push, cookieNamespace: "_cio", _findCustomer: currentId };
  for (const name in methods) api[name] = (/** @type {any[]} */ ...args) => push([name, ...args]);
  page._cio = api;
  followLink();
  if (stub) {
    push(...stub.splice(0));
    stub.push = push; // whoever kept the stub is heard
  }
  if (autoPage) {
    push(["page"]);
    watchAddress();
  }
  addEventListener("visibilitychange", flush);
  addEventListener("pagehide", flush);
  setTimeout(adopt, SETTLED);
}

if (page.document.prerendering) document.addEventListener("prerenderingchange", start);
else start();

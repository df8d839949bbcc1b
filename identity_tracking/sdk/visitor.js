/**
 * The visitor's side of identity_tracking: turns calls on `window._cio` into messages, and delivers them.
 * It keeps no identity of its own (the cookies are the one truth) and never throws into the page.
 *
 * @typedef {{url: string, title?: string, referrer: string, time: number}} Context  where and when a call was made
 * @typedef {Context & Record<string, any>} Message
 */

const DAY = 864e5; // milliseconds
const COOKIE_AGE = 31536000; // seconds: 365 days
const MOST_EVENTS = 1000; // kept while the server is out of reach
const MOST_BYTES = 6e4; // browsers allow 64 KiB to all keepalive requests together
const DEEPEST = 12; // levels of data: servers refuse JSON deeper than 16

/** With what TypeScript does not know yet. @type {any} */
const { document, navigation } = window;

// ---- Settings: attributes of the script element

const script = [document.currentScript, document.getElementById("cio-tracker")].find(
  (element) => element instanceof HTMLScriptElement,
);

/** Not dataset: a polluted prototype would answer for a missing attribute. @param {string} name */
const setting = (name) => script.getAttribute(`data-${name}`);

/** @param {string} name */
const isOn = (name) => setting(name) === "true";

const inMemory = isOn("enable-in-memory-storage");
const autoPage = setting("auto-track-page") !== "false";
const linkParameter = setting("link-parameter") || "_cio_id";
let siteId = setting("site-id");

// ---- Values

/** A string or a number as text; "" for everything else. @param {any} value */
const text = (value) => (typeof value === "string" || Number.isFinite(value) ? `${value}`.trim() : "");

/** @param {string} id */
const isEmail = (id) => /^\S+@\S+$/.test(id);

/** @param {string} id */
const kind = (id) => isEmail(id) || id.startsWith("cio_") * 2;

/** A UUIDv7 (RFC 9562). @param {number} time */
const uuid = (time) =>
  (
    time.toString(16).padStart(12, "0") +
    7000 +
    ((crypto.getRandomValues(new BigUint64Array(1))[0] >> 2n) | (1n << 63n)).toString(16)
  ).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");

/**
 * A copy that JSON can hold: own properties only, cycles left out, arrays as objects unless they are to be kept.
 * What JSON leaves out or makes null by itself (functions, undefined, NaN) is left to it.
 * @param {any} value @param {unknown[]} above @returns {any}
 */
function plain(value, above) {
  if (typeof value === "bigint") return `${value}`;
  if (value?.toJSON) value = value.toJSON();
  if (typeof value !== "object" || !value) return value;
  if (above.includes(value) || above.length > DEEPEST) return;
  const copy = Array.isArray(value) && isOn("use-array-params") ? [] : Object.create(null);
  for (const key of Object.keys(value)) {
    try {
      copy[key] = plain(value[key], [...above, value]);
    } catch {} // a getter of the page's threw
  }
  return copy;
}

/** What came as data, as an object without a prototype. @param {any} value */
const properties = (value) => plain(Object(value) === value ? value : {}, []);

// ---- Identity

/** Stands in for cookies that the browser does not take. @type {Record<string, string>} */
const memory = {};

/** What was written since the oldest request in flight was sent. @type {Map<string, string>} */
const written = new Map();

/** @param {string} name @returns {string} */
function readCookie(name) {
  try {
    return inMemory ? memory[name] : document.cookie.match(`(?:^|; )${name}=([^;]*)`)[1];
  } catch {
    return memory[name] || "";
  }
}

/** An empty value deletes. @param {string} value @param {string} name */
function writeCookie(value, name) {
  const domain = setting("cookie-domain");
  written.set(name, value);
  memory[name] = "";
  try {
    if (!inMemory)
      document.cookie =
        `${name}=${value}; path=/; max-age=${value && COOKIE_AGE}; SameSite=` +
        (isOn("cross-site-support") ? "None; Secure" : "Lax") +
        (location.protocol === "https:" ? "; Secure" : "") +
        (domain ? `; domain=${domain}` : "");
  } catch {}
  if (readCookie(name) !== value) memory[name] = value;
}

const rotate = () => writeCookie(uuid(Date.now()), "_cioanonid");

function currentId() {
  const value = readCookie("_cioid");
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

// ---- Address

/** @param {string} url */
const withoutLink = (url) =>
  url.replace(RegExp(`([?&])(?:${linkParameter}=[^&#]*(&?))+`, "g"), (_, mark, next) => next && mark);

let address = withoutLink(location.href);
let referrer = withoutLink(document.referrer);

/** The context of a call made now. A change of address is noticed here, and is a page view. @returns {Context} */
function here() {
  const context = { url: withoutLink(location.href), referrer, time: Date.now() };
  if (context.url !== address) {
    context.referrer = referrer = address;
    address = context.url;
    if (autoPage) perform(["page"], context);
  }
  return { ...context, title: document.title };
}

function watchAddress() {
  if (navigation?.currentEntry) navigation.addEventListener("currententrychange", here);
  else {
    for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
      const original = history[name];
      history[name] = function (...args) {
        original.apply(this, args);
        here();
      };
    }
    addEventListener("popstate", here);
    addEventListener("hashchange", here);
  }
  addEventListener("pageshow", (event) => event.persisted && push(["page"]));
}

// ---- Calls

/** @type {[event: unknown, handler: Function][]} */
let handlers = [];

/** Each tells whether something happened. @type {Record<string, (context: Context, args: any[]) => boolean|void>} */
const methods = {
  __proto__: null,
  load(_, [id]) {
    siteId = text(id) || siteId;
  },
  identify,
  sidentify: identify,
  track(context, [name, data]) {
    return text(name) && record("track", context, { name: text(name) }, properties(data));
  },
  page(context, [where, data]) {
    const name = text(where);
    return record("page", context, name.includes("://") ? { url: withoutLink(name) } : { name }, properties(data));
  },
  reset() {
    writeCookie("", "_cioid");
    rotate();
    return true;
  },
  on(_, handler) {
    handlers.push(handler);
  },
  off(_, [event, handler]) {
    handlers = handlers.filter(([wanted, known]) => wanted !== event || known !== handler);
  },
};

/** @param {Context} context @param {any[]} args */
function identify(context, [who, traits]) {
  const named = text(who);
  const given = properties(named ? traits : who);
  if (named) given[isEmail(named) ? "email" : "id"] = named;
  const { id, email, ...data } = given;
  const fields = { id: text(id), email: text(email) };
  const next = fields.id || fields.email;
  const current = currentId();
  if (!next) return;
  if (current && kind(current) === kind(next) && current.toLowerCase() !== next.toLowerCase()) rotate();
  writeCookie(encodeURIComponent(next), "_cioid");
  return record("identify", context, fields, data);
}

/** @param {any[]} call @param {Context} context */
function perform([method, ...args], context) {
  if (methods[method]?.(context, args))
    for (const [event, handler] of handlers) {
      try {
        if (event === method) handler(...args);
      } catch {} // the page's own mistake stays its own
    }
}

/** Runs calls: `[method, ...args]`, or as the stub keeps them `[[method, ...args], url, title, time]`. @param {any[]} calls */
function push(...calls) {
  for (const call of calls) {
    try {
      const [kept, url, title, time] = call;
      if (Array.isArray(kept)) perform(kept, { url: withoutLink(url), title, referrer, time });
      else perform(call, here());
    } catch {}
  }
}

// ---- Messages and their delivery

/** What is to be sent, by message id; in a request that outlives the page it is not here. @type {Map<string, Message>} */
let queue = new Map();

/** Made in this task, and not yet stored. @type {Message[]} */
let fresh = [];

let busy = false; // a request is under way, or its repetition awaited
let flights = 0;
let failures = 0;
let most = MOST_EVENTS;

/** Freezes who, what and where into a message, and queues it. @param {string} type @param {Context} context @param {object} fields @param {object} data */
function record(type, context, fields, data) {
  if (!readCookie("_cioanonid")) rotate();
  const message = {
    type,
    message_id: uuid(context.time),
    anonymous_id: readCookie("_cioanonid"),
    id: currentId(),
    ...context,
    ...fields,
    data: Object.keys(data)[0] && data,
  };
  if (queue.size < MOST_EVENTS) {
    queue.set(message.message_id, message);
    if (fresh.push(message) < 2) document.hidden ? queueMicrotask(flush) : setTimeout(flush);
  }
  return true;
}

/** Blocked or not wanted: then memory has to do. @type {Record<string, any>} */
const spare = {};

function storage() {
  try {
    return inMemory ? spare : localStorage;
  } catch {
    return spare;
  }
}

/** Runs once the task is over, when the title of a new page is there. */
function storeFresh() {
  for (const message of fresh) {
    message.title = message.title || document.title;
    for (const field in message) if (!message[field]) delete message[field];
    try {
      storage()[`_cio:${message.message_id}`] = JSON.stringify(message);
    } catch {} // full
  }
  fresh = [];
}

/** Takes over what earlier pages could not deliver. */
function adopt() {
  const leftovers = storage();
  for (const key of busy ? [] : Object.keys(leftovers).sort()) {
    const id = key.slice(5);
    if (!/^_cio:../.test(key) || queue.has(id)) continue;
    let message;
    try {
      message = JSON.parse(leftovers[key]);
    } catch {}
    if (message?.time > Date.now() - DAY && queue.size < MOST_EVENTS) queue.set(id, message);
    else delete leftovers[key];
  }
  busy ? setTimeout(adopt, 2e3) : flush();
}

/** Sends what waits: one request at a time, unless the page is being left. @param {unknown} [leaving] */
async function flush(leaving) {
  storeFresh();
  const batch = [...queue].slice(0, most);
  if (!batch[0] || (busy && !leaving)) return;
  const renew = !inMemory && !(Math.abs(Date.now() - storage()["_cio:r"]) < DAY);
  const body = JSON.stringify({
    site_id: siteId,
    sent_at: Date.now(),
    retry: failures || undefined,
    renew: renew || undefined,
    messages: batch.map(([, message]) => message),
  });
  const isLarge = new Blob([body]).size > MOST_BYTES;
  if (isLarge && batch[1]) {
    most = batch.length >> 1;
    return flush(leaving);
  }
  const keepalive = !isLarge && (leaving || !failures);
  if (keepalive) for (const [id] of batch) queue.delete(id);
  if (!flights++) written.clear();
  busy = true;
  let status = 0;
  let pause = 0;
  try {
    const response = await fetch(setting("endpoint") || new URL("visit/", script.src), {
      __proto__: null,
      method: "POST",
      body,
      keepalive,
      credentials: "include",
      signal: AbortSignal.timeout?.(3e4),
    });
    status = response.status;
    pause = response.headers.get("Retry-After");
    await response.text(); // until then Chromium counts the request against the keepalive allowance
    if (renew && response.ok) storage()["_cio:r"] = Date.now();
  } catch {}
  flights--;
  written.forEach(writeCookie); // a late Set-Cookie must not bring an old identity back
  let wait = 0;
  if (status < 400 || status > 499) failures
  if (!status || status > 499 || status === 408 || status === 429) {
    queue = new Map([...batch, ...queue]);
    wait = Math.min(Math.max(pause * 1e3, 2 ** failures++ * (500 + 500 * Math.random())), 3e5);
  } else if (status === 413 && batch[1]) {
    queue = new Map([...batch, ...queue]);
    most = batch.length >> 1;
  } else {
    for (const [id] of batch) {
      queue.delete(id);
      delete storage()[`_cio:${id}`];
    }
    failures = 0;
    most *= 2;
  }
  setTimeout(() => {
    busy = false;
    flush();
  }, wait);
}

// ---- Start

function start() {
  const stub = window._cio;
  if (stub?.cookieNamespace === "_cio") return;
  const api = { push, cookieNamespace: "_cio", _findCustomer: currentId };
  for (const name in methods) api[name] = (...args) => push([name, ...args]);
  window._cio = api;
  const cioId = new URLSearchParams(location.search).get(linkParameter);
  if (cioId && currentId() !== `cio_${cioId}`) record("link", here(), { cio_id: cioId }, {});
  if (Array.isArray(stub)) {
    push(...stub.splice(0));
    stub.push = push;
  }
  if (autoPage) {
    api.page();
    watchAddress();
  }
  document.addEventListener("visibilitychange", () => document.hidden && flush(true));
  addEventListener("pagehide", flush);
  setTimeout(adopt, 2e3);
  if (address !== location.href) history.replaceState(history.state, "", address);
}

try {
  if (document.prerendering) document.addEventListener("prerenderingchange", start);
  else start();
} catch {}

/**
 * The visitor's side of identity_tracking: turns calls on `window._cio` into messages, and delivers them.
 * It keeps no identity of its own (the cookies are the one truth) and never throws into the page.
 *
 * @typedef {{url: string, referrer: string, time: number, title?: string}} Context  where and when a call was made
 */

const DAY = 864e5; // milliseconds
const COOKIE_AGE = 31536000; // seconds: 365 days
const MOST_EVENTS = 1000; // kept while the server is out of reach
const MOST_BYTES = 6e4; // browsers allow 64 KiB to all keepalive requests together
const MOST_VALUES = 1e4; // in one call: a framework's object can lead to the whole page
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

// ---- Values

/** A string or a number as text; "" for everything else. @param {any} value */
const text = (value) => (typeof value === "string" || Number.isFinite(value) ? `${value}`.trim() : "");

/** @param {string} id */
const kind = (id) => (/^\S+@\S+$/.test(id) ? "email" : /^cio_/.test(id));

/** A UUIDv7 (RFC 9562). @param {number} time */
const uuid = (time) =>
  (
    (time + 2 ** 48).toString(16).slice(1) +
    7000 +
    ((crypto.getRandomValues(new BigUint64Array(1))[0] >> 2n) | (1n << 63n)).toString(16)
  ).replace(/^.{8}|.{4}(?=.{12})/g, "$&-");

let room = 0;

/**
 * A copy that JSON can hold: own properties only, cycles left out, arrays as objects unless they are to be kept.
 * What JSON leaves out or makes null by itself (functions, undefined, NaN) is left to it.
 * @param {any} value @param {unknown[]} above @returns {any}
 */
function plain(value, above) {
  if (typeof value === "bigint") return `${value}`;
  if (value?.toJSON) value = value.toJSON();
  if (typeof value !== "object" || !value) return value;
  if (above.includes(value) || above.length > DEEPEST || room-- < 1) return;
  const copy = Array.isArray(value) && isOn("use-array-params") ? [] : { __proto__: null };
  for (const key of Object.keys(value)) {
    try {
      copy[key] = plain(value[key], [...above, value]);
    } catch {} // a getter of the page's threw
  }
  return copy;
}

/** What came as data, as an object without a prototype. @param {any} value */
function properties(value) {
  room = MOST_VALUES;
  return plain(Object(value) === value ? value : {}, []);
}

// ---- Identity

/** Without one, reading and writing throw and memory serves. */
const jar = inMemory ? null : document;

/** Stands in for cookies that the browser does not take. @type {Record<string, string>} */
const memory = {};

/** What was written since the oldest request in flight was sent. @type {Map<string, string>} */
const written = new Map();

/** @param {string} name @returns {string} */
function readCookie(name) {
  try {
    return jar.cookie.match(`(?:^|; )${name}=([^;]*)`)[1];
  } catch {
    return memory[name] || "";
  }
}

/** An empty value deletes. @param {string} value @param {string} name */
function writeCookie(value, name) {
  const crossSite = isOn("cross-site-support");
  written.set(name, value);
  memory[name] = "";
  try {
    jar.cookie = `${name}=${value}; path=/; max-age=${value ? COOKIE_AGE : 0}; domain=${setting("cookie-domain") || ""}; SameSite=${
      crossSite ? "None" : "Lax"}${crossSite || /^https/.test(location.href) ? "; Secure" : ""}`
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
  const url = withoutLink(location.href);
  if (url !== address) {
    referrer = address;
    address = url;
    // The new page has its title only when this task is over.
    if (autoPage) setTimeout(perform, 0, { url, referrer, time: Date.now() }, "page");
  }
  return { url, referrer, time: Date.now() };
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
  }
  addEventListener("pageshow", (event) => event.persisted && push(["page"]));
}

// ---- Calls

/** @type {[event: unknown, handler: Function][]} */
let handlers = [];

/** Each tells whether something happened. @type {Record<string, (context: Context, name: string, data: any, args: any[]) => boolean|void>} */
const methods = {
  __proto__: null,
  load() {},
  identify,
  sidentify: identify,
  track: (context, name, data) => name && record("track", context, { name }, data),
  page: (context, name, data) => record("page", context, name.includes("://") ? { url: withoutLink(name) } : { name }, data),
  reset() {
    writeCookie("", "_cioid");
    rotate();
    return true;
  },
  on(_, name, data, call) {
    handlers.push(call);
  },
  off(_, name, data, call) {
    handlers = handlers.filter((known) => known[0] !== call[0] || known[1] !== call[1]);
  },
};

/** @param {Context} context @param {any[]} args */
function identify(context, name, data, [who]) {
  const { id, email, ...traits } = name
    ? { __proto__: null, ...data, [kind(name) === "email" ? "email" : "id"]: name }
    : properties(who);
  const fields = { id: text(id), email: text(email) };
  const next = fields.id || fields.email;
  const current = currentId();
  if (!next) return;
  if (current && kind(current) === kind(next) && current.toLowerCase() !== next.toLowerCase()) rotate();
  writeCookie(encodeURIComponent(next), "_cioid");
  return record("identify", context, fields, traits);
}

function perform(context, method, ...args) {
  if (methods[method]?.(context, text(args[0]), properties(args[1]), args))
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
      if (Array.isArray(kept)) perform({ url: withoutLink(url), title, referrer, time }, ...kept);
      else perform(here(), ...call);
    } catch {}
  }
}

// ---- Messages and their delivery

/** Messages as JSON, by their key in storage; in a request that outlives the page they are not here. @type {Map<string, string>} */
let queue = new Map();

let busy = false; // a request is under way, or its repetition awaited
let flights = 0;
let failures = 0;
let most = MOST_EVENTS;

/** Blocked or not wanted: then memory has to do. @type {Record<string, any>} */
const spare = {};

function storage() {
  try {
    return inMemory ? spare : localStorage;
  } catch {
    return spare;
  }
}

/** Freezes who, what and where into a message, and queues it. @param {string} type @param {Context} context @param {object} fields @param {object} data */
function record(type, context, fields, data) {
  const id = uuid(context.time);
  if (!readCookie("_cioanonid")) rotate();
  const message = {
    type,
    message_id: id,
    anonymous_id: readCookie("_cioanonid"),
    id: currentId(),
    title: document.title,
    ...context,
    ...fields,
    data: Object.keys(data)[0] && data,
  };
  for (const field in message) if (!message[field]) delete message[field];
  if (queue.size < MOST_EVENTS) {
    queue.set(`_cio:${id}`, JSON.stringify(message));
    try {
      storage()[`_cio:${id}`] = JSON.stringify(message);
    } catch {} // full
    if (!busy) document.hidden ? queueMicrotask(resume) : setTimeout(resume);
    busy = true;
  }
  return true;
}

/** Takes over what earlier pages could not deliver. */
function adopt() {
  const stored = storage();
  if (!flights) for (const key of Object.keys(stored).sort())
    if (/^_cio:../.test(key)) {
      if (key > `_cio:${uuid(Date.now() - DAY)}` && queue.size < MOST_EVENTS) queue.set(key, stored[key]);
      else delete stored[key];
    }
  flush();
}

function resume() {
  busy = false;
  flush();
}

/** Sends what waits: one request at a time, unless the page is being left. @param {unknown} [leaving] */
async function flush(leaving) {
  const batch = [...queue].slice(0, most);
  if (!batch[0] || (busy && !leaving)) return;
  const today = Math.floor(Date.now() / DAY);
  const renew = inMemory || storage()["_cio:r"] == today ? undefined : true;
  const body = JSON.stringify({
    site_id: setting("site-id"),
    sent_at: Date.now(),
    retry: failures || undefined,
    renew,
  }).replace(/}$/, () => `,"messages":[${batch.map(([, m]) => m)}]}`);
  const isLarge = new Blob([body]).size > MOST_BYTES;
  if (isLarge && batch[1]) {
    most = batch.length >> 1;
    return flush(leaving);
  }
  const keepalive = !isLarge && (leaving || !failures);
  if (keepalive) for (const [key] of batch) queue.delete(key);
  if (!flights++) written.clear();
  busy = true;
  let response;
  try {
    response = await fetch(setting("endpoint") || new URL("visit/", script.src), {
      __proto__: null,
      method: "POST",
      body,
      keepalive,
      credentials: "include",
      signal: AbortSignal.timeout?.(3e4),
    });
    await response.text(); // until then Chromium counts the request against the keepalive allowance
    if (renew && response.ok) storage()["_cio:r"] = today;
  } catch {}
  flights--;
  written.forEach(writeCookie); // a late Set-Cookie must not bring an old identity back
  queue = new Map([...batch, ...queue]);
  let wait = 0;
  if (/^[u5]|408|429/.test(response?.status)) {
    wait = Math.max(response?.headers.get("Retry-After") * 1e3 || 0, 2 ** (failures++ + Math.random()) * 500);
  } else if (response.status === 413 && batch[1]) {
    most = batch.length >> 1;
  } else {
    for (const [key] of batch) {
      queue.delete(key);
      delete storage()[key];
    }
    failures = 0;
    most = MOST_EVENTS;
  }
  setTimeout(resume, Math.min(wait, 3e5));
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

if (document.prerendering) document.addEventListener("prerenderingchange", start);
else start();

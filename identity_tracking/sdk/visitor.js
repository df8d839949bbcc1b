/**
 * The visitor's side of identity_tracking: turns calls on `window._cio` into messages, and delivers them.
 * It keeps no identity of its own (the cookies are the one truth) and never throws into the page.
 *
 * The build puts one `try` around this file. It must stay sloppy: writing to a jar that is "" does nothing.
 */

const DAY = 864e5; // milliseconds
const SETTLED = 2e3; // milliseconds a page lives before it takes over what others left
const LONGEST_PAUSE = 3e5; // milliseconds between two attempts
const COOKIE_AGE = 31536e3; // seconds: 365 days
const MOST_EVENTS = 1e3; // kept while the server is out of reach
const MOST_LETTERS = 2e4; // up to 60 KB: browsers allow 64 KiB to all keepalive requests together

// ---- Settings: attributes of the script element

/** Really a script: a form could take the name. @type {any} */
const script = document.querySelector("script#cio-tracker");

/** A copy without a prototype: a polluted one would answer for a missing attribute. @type {any} */
const settings = { __proto__: null, ...script.dataset };
const linkParameter = settings.linkParameter || "_cio_id";
const autoPage = settings.autoTrackPage !== "false";

// ---- Address

let address = location.href;
let referrer = document.referrer;

/** After a change of address the page left is the referrer, and there is a page view. */
const look = () => {
  if (location.href === address) return;
  referrer = address;
  address = location.href;
  // The new page has its title when this task is over.
  if (autoPage) setTimeout(push, 0, [["page"], address, undefined, Date.now(), referrer]);
};

// ---- Identity

/** The document, or "" where cookies are not taken or not wanted: then what was written serves. @type {any} */
let jar = "";

/** Blocked or unwanted storage is a plain object. @type {Record<string, string>} */
let storage = {};

try {
  if (settings.enableInMemoryStorage !== "true") {
    storage = localStorage || storage; // null in some apps
    jar = document;
  }
} catch {} // a sandboxed frame

/** What was written since the oldest request in flight was sent. @type {Map<string, string>} */
const written = new Map();

/** @param {string} name @returns {string} */
const readCookie = (name) => (jar ? jar.cookie.match(`(^|; )${name}=([^;]*)`)?.[2] : written.get(name)) || "";

/** An empty value deletes. @param {string} value @param {string} name */
const writeCookie = (value, name) => {
  written.set(name, value);
  jar.cookie = `${name}=${value};path=/;max-age=${value ? COOKIE_AGE : 0};domain=${settings.cookieDomain || ""};samesite=${settings.crossSiteSupport === "true" ? "None" : "Lax"}${address[4] === "s" ? ";secure" : ""}`;
  if (readCookie(name) !== value) jar = "";
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
  const { id, email, ...data } = { __proto__: null, ...context.data, ...(name && { id: name }) };
  const next = text(id) || text(email);
  const current = currentId();
  if (!next) return next;
  if (kind(current) === kind(next) && current !== next) rotate();
  writeCookie(encodeURIComponent(next), "_cioid");
  record({ type: "identify", id, email, data });
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
  address = location.href;
};

/**
 * Each takes the first argument as text, and all of them. It returns "" where nothing happened.
 * @type {Record<string, (name: string, args: any[]) => unknown>}
 */
const methods = {
  link,
  off: (event, args) => handlers[event].delete(args[1]),
  identify,
  sidentify: identify,
  track: (name) => name && record({ name }),
  page: (name) => record({ [name.match("://") ? "url" : "name"]: name }),
  load: look, // there is nothing to load
  reset() {
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
        url,
        title,
        time,
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
const kind = (id) => `${id && /@|^cio_/.exec(id)}`;

/** A string or a number as text; "" for everything else. @param {any} value */
const text = (value) => (/^[sn]/.test(typeof value) ? `${value}`.trim() : "");

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
      copy = copy || {};
      copy[key] = JSON.parse(JSON.stringify(value[key]), (_, part) =>
        part?.push && settings.useArrayParams !== "true" ? { ...part } : part,
      );
    } catch {}
  }
  return copy;
};

/**
 * A UUIDv7 (RFC 9562), for times from 2004 to 2527. Its random part is that of the UUIDv4 a blob's URL ends in, which
 * is shorter than getRandomValues; randomUUID would need TLS.
 * @param {number} time
 */
const uuid = (time) => {
  const url = URL.createObjectURL(new Blob());
  URL.revokeObjectURL(url);
  return `${time.toString(16).replace(/.{7}/, "0$&-")}-7${url.slice(-21)}`;
};

// ---- Messages and their delivery

/** Messages as JSON, those in a request first. @type {string[]} */
let queue = [];

let sent = 0; // of the queue, in requests under way
let failures = 0;

/** Where a message is stored: every one begins with its id. @param {string} json */
const keyOf = (json) => `_cio:${json.slice(15, 51)}`;

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
  if (queue.length < MOST_EVENTS) {
    const json = JSON.stringify(message);
    if (!queue[0]) setTimeout(flush);
    queue.push(json);
    storage[keyOf(json)] = json; // may throw, being full: then the page is all that remembers
  }
};

/** Takes over what earlier pages could not deliver. */
const adopt = () => {
  if (queue[0]) return setTimeout(adopt, SETTLED);
  const oldest = `_cio:${uuid(Date.now() - DAY)}`;
  for (const key of Object.keys(storage).sort()) {
    if (keyOf(storage[key]) !== key) continue;
    if (key > oldest) queue.push(storage[key]);
    else delete storage[key];
  }
  flush();
};

/** Sends what waits: one request at a time, unless the page is being left. @param {unknown} [leaving] */
const flush = async (leaving) => {
  let room = MOST_LETTERS / 2 ** failures;
  // biome-ignore lint/suspicious/noAssignInExpressions: twelve bytes
  const batch = queue.slice(sent).filter((json, index) => (room -= json.length) > 0 || !index);
  if (!batch[0] || (sent && !leaving)) return;
  if (jar && !sent) written.clear();
  sent += batch.length;
  const today = Date().slice(0, 15);
  const body = `{"messages":[${batch}],${JSON.stringify({
    retry: failures || undefined,
    sent_at: Date.now(),
    renew: (jar && storage["_cio:r"] !== today) || undefined,
    site_id: settings.siteId,
  }).slice(1)}`;
  /** @type {any} */
  let response;
  try {
    response = await fetch(
      settings.endpoint || new URL("visit/", script.src),
      /** @type {any} */ ({
        __proto__: null,
        body,
        keepalive: body.length < 21e3 && (leaving || !failures),
        credentials: "include",
        method: "POST",
      }),
    );
    await response.text(); // until then Chromium counts the request against the keepalive allowance
    if (response.ok) storage["_cio:r"] = today;
  } catch {}
  sent -= batch.length;
  written.forEach(writeCookie); // a late Set-Cookie must not bring an old identity back
  // "undefined": there was no answer. "413{": too large, and a second message can be left out.
  if (/^[u5]|^4(08|29|13{)/.test(`${response?.status}${batch[1]}`)) failures++;
  else {
    failures = 0;
    queue = queue.filter((json) => !batch.includes(json) || !delete storage[keyOf(json)]);
  }
  setTimeout(
    flush,
    failures &&
      Math.min(
        response?.headers.get("Retry-After") * 1e3 || 2 ** (failures + 8 + Math.random()),
        LONGEST_PAUSE,
      ),
  );
};

// ---- Start

const start = () => {
  /** @type {any} */
  const stub = window._cio || [];
  if (!stub.splice) return; // the script is here already
  _cio = { push, _findCustomer: currentId, cookieNamespace: "_cio" };
  for (const name in methods) {
    handlers[name] = new Set();
    _cio[name] = (/** @type {any[]} */ ...args) => push([name, ...args]);
  }
  push(["link"], ...stub.splice(0));
  stub.push = push; // whoever kept the stub is heard
  if (autoPage) {
    push(["page"]);
    for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
      const original = history[name];
      history[name] = (...args) => {
        original.apply(history, args);
        look();
      };
    }
    addEventListener("popstate", look);
    addEventListener("pageshow", (event) => event.persisted && push(["page"]));
  }
  addEventListener("visibilitychange", (event) => document.hidden && flush(event));
  addEventListener("pagehide", flush);
  setTimeout(adopt, SETTLED);
};

if (/** @type {any} */ (document).prerendering) addEventListener("prerenderingchange", start, true);
else start();

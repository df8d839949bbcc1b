// Calls a client's methods: `node runner.mjs CLIENT SITE KEY`. For each line of JSON that it reads,
// {"method", "args"}, it writes one: {"settled": true} once the call is, or {"error"}; for a line
// without a method {"methods"}: all that can be called.
import { Agent } from "node:http";
import { createInterface } from "node:readline";

const [name, site, key] = process.argv.slice(2);

const makers = {
  async "customerio-node"() {
    const { TrackClient } = (await import("customerio-node")).default;
    const url = new URL(`${site}/people/api/v1`);
    const options = { url: url.href, port: url.port, protocol: "http:", agent: new Agent() };
    const client = new TrackClient("shop", key, options);
    return [client, (method, args) => client[method](...args)];
  },
  async "@segment/analytics-node"() {
    const { Analytics } = (await import("@segment/analytics-node")).default;
    const path = "/people/v1/batch";
    return reported(new Analytics({ writeKey: key, host: site, path, flushAt: 1, maxRetries: 0 }));
  },
  async "@customerio/cdp-analytics-node"() {
    const { Analytics } = (await import("@customerio/cdp-analytics-node")).default;
    const options = { path: "/people/v1/batch", maxEventsInBatch: 1, maxRetries: 0 };
    return reported(new Analytics({ writeKey: key, host: site, ...options }));
  },
  async "@rudderstack/rudder-sdk-node"() {
    const Analytics = (await import("@rudderstack/rudder-sdk-node")).default;
    const options = { dataPlaneUrl: `${site}/people`, flushAt: 1, retryCount: 0, logLevel: "none" };
    return reported(new Analytics(key, { ...options, errorHandler() {} }));
  },
};

/** A client that reports a delivery to a callback, and the call that waits for it. */
function reported(client) {
  const call = (method, [message]) =>
    new Promise((settle, fail) => {
      const told = (error, context) => (error ? fail(error.reason ?? error) : settle(context));
      client[method](message, told);
    });
  return [client, call];
}

function methodsOf(client) {
  const names = new Set();
  for (let each = client; each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) {
      if (typeof client[name] === "function" && name !== "constructor") names.add(name);
    }
  }
  return [...names];
}

const [client, call] = await makers[name]();
for await (const line of createInterface({ input: process.stdin })) {
  const { method, args } = JSON.parse(line);
  let told;
  try {
    if (method) await call(method, args);
    told = method ? { settled: true } : { methods: methodsOf(client) };
  } catch (error) {
    told = { error: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
process.exit();

/**
 * Calls that a page may make compile against visitor.d.ts, and those that would do nothing do not.
 * Only `tsc` reads this file: it is never run.
 */
import type { Call, Handler, Person } from "./visitor";

interface Order {
  sku: string;
  lines: { price: number; gift: boolean }[];
  at: Date;
}

const order: Order = { sku: "A1", lines: [{ price: 12.5, gift: true }], at: new Date() };
const company = { identifiers: { object_type_id: "company", object_id: 7 } };

_cio.identify({ id: "42", email: "ada@example.com", created_at: 1760000000, plan: "pro", nickname: null });
_cio.identify({ id: 42, likes: ["tea"] });
_cio.identify({ email: "ada@example.com" });
_cio.identify("ada@example.com", { first_name: "Ada", address: { city: "London" } });
_cio.identify(42);
_cio.identify({
  id: "42",
  cio_relationships: { action: "add_relationships", relationships: [company] },
});
_cio.identify({
  id: "42",
  cio_relationships: [
    {
      action: "remove_relationships",
      relationships: [{ ...company, relationship_attributes: { role: "admin" } }],
    },
  ],
});
_cio.sidentify("42");
_cio.track("added_to_cart");
_cio.track("ordered", order);
_cio.page();
_cio.page("Pricing", { plan: "pro" });
_cio.page("https://shop.example/pricing/");
_cio.reset();
_cio.load();
_cio.load("shop");
_cio.push(["track", "signed_up", { plan: "pro" }], ["identify", "42"], ["reset"]);
window._cio?.track("signed_up");

const heard: Handler<"track"> = (name, properties) => console.log(name.trim(), properties?.sku);
_cio.on("track", heard);
_cio.off("track", heard);
_cio.on("identify", (first) => console.log(typeof first === "object" ? first.email : first));
_cio.on("reset", () => {});

export const person: Person = { email: "ada@example.com" };
export const calls: Call[] = [["page"], ["page", "Pricing"], ["load"]];

// @ts-expect-error nobody is named
_cio.identify();
// @ts-expect-error nobody is named
_cio.identify({ plan: "pro" });
// @ts-expect-error nobody is named
_cio.identify({ email: null, plan: "pro" });
// @ts-expect-error an id is text or a number
_cio.identify({ id: true });
// @ts-expect-error unix seconds
_cio.identify({ id: "42", created_at: new Date() });
// @ts-expect-error there is no such action
_cio.identify({ id: "42", cio_relationships: { action: "forget", relationships: [company] } });
// @ts-expect-error an object has a type and an id
_cio.identify({ id: "42", cio_relationships: { action: "add_relationships", relationships: [{}] } });
// @ts-expect-error an event has a name
_cio.track();
// @ts-expect-error an event's name comes first
_cio.track({ sku: "A1" });
// @ts-expect-error properties are an object
_cio.track("added_to_cart", "A1");
// @ts-expect-error a name or an address
_cio.page(7);
// @ts-expect-error nobody is named
_cio.reset("42");
// @ts-expect-error nothing is returned
_cio.track("added_to_cart").then(() => {});
// @ts-expect-error there is no such event
_cio.on("loaded", () => {});
// @ts-expect-error an event's name is text
_cio.on("track", (name: number) => name);
// @ts-expect-error a call is an array
_cio.push("track", "signed_up");
// @ts-expect-error an event has a name
_cio.push(["track"]);
// @ts-expect-error there is no such method
_cio.trak("signed_up");

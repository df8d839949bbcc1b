/**
 * What a page may call on `window._cio`, for sites that are written in TypeScript or checked by it.
 * The snippet puts it there; where a visitor's consent is required and missing there is none: `window._cio?.track(…)`.
 * The reference, with what each call sends: docs/javascript.md.
 */

/** An id of a person in your system. Numbers are sent as text. */
export type Id = string | number;

/**
 * What is said of an event, or of a page: anything that JSON can hold, up to 300 keys and 32,768 bytes.
 * Dates become text; what JSON cannot hold is left out.
 */
export interface Properties {
  // biome-ignore lint/suspicious/noExplicitAny: with unknown no interface of a site's own could be given
  readonly [name: string]: any;
}

/** What is said of a person. What is given is set or overwritten, all else stays; `null` removes. */
export interface Attributes extends Properties {
  readonly email?: string | null;
  /** When they became one of yours, in unix seconds. */
  readonly created_at?: number;
  readonly cio_relationships?: Relationships | readonly Relationships[];
}

/** Whom an identify names: by id, by email, or by both. */
export type Person = Attributes & ({ readonly id: Id } | { readonly email: string });

/** Objects that a person is to be related to from now on, or no more. */
export interface Relationships {
  readonly action: "add_relationships" | "remove_relationships" | "delete_relationships";
  readonly relationships: readonly Relationship[];
}

/** One object, such as a company, and how the person relates to it. */
export interface Relationship {
  readonly identifiers: { readonly object_type_id: Id; readonly object_id: Id };
  readonly relationship_attributes?: Properties;
}

/** Each method that sends or forgets something, and what it takes. */
export interface Calls {
  identify: [who: Person | Id, attributes?: Attributes];
  sidentify: Calls["identify"];
  track: [name: string, properties?: Properties];
  page: [nameOrUrl?: string, properties?: Properties];
  reset: [];
  load: [siteId?: string];
}

/** The page's own function, called with what the method was called with. */
export type Handler<Name extends keyof Calls> = (...args: Calls[Name]) => void;

/** A call as an array: the method's name, and what it takes. */
export type Call = { [Name in keyof Calls]: [method: Name, ...args: Calls[Name]] }[keyof Calls];

/**
 * The methods. None of them throws, returns anything or waits: a message is delivered as soon as it can be, and what
 * is called before the script has loaded is kept, with the page and the time of the call.
 */
export interface Visitor {
  /** Say who the visitor is, and what is known of them. Without an id and an email nothing happens. */
  identify(person: Person): void;
  /** Say who the visitor is, by an id or an email. */
  identify(id: Id, attributes?: Attributes): void;

  /** The same as `identify`. */
  sidentify(...args: Calls["identify"]): void;

  /** Say that the visitor did something. Without a name nothing happens. */
  track(name: string, properties?: Properties): void;

  /** Say that the visitor sees a page; without an address it is this one. Each change of address does so by itself. */
  page(nameOrUrl?: string, properties?: Properties): void;

  /** Forget who the visitor is, and begin anew with another anonymous id. What was called before is still theirs. */
  reset(): void;

  /** Call `handler` after each call of `event`. What it throws is ignored. */
  on<Name extends keyof Calls>(event: Name, handler: Handler<Name>): void;

  /** Call `handler` no more. */
  off<Name extends keyof Calls>(event: Name, handler: Handler<Name>): void;

  /** Run calls that are written as arrays, as other products' snippets do: `_cio.push(["track", "signed_up"])`. */
  push(...calls: Call[]): void;

  /** Do nothing: there is nothing to load. For pages that call it. */
  load(siteId?: string): void;
}

declare global {
  var _cio: Visitor;
}

/**
 * Builds the committed files in static/identity_tracking from the sources beside this script; the types go as they are.
 * With --check it writes nothing: it fails when a committed file is stale. Either way a file over its budget fails.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { minify as mangle } from "terser";
import { sizes } from "./sizes.mjs";

const OUTPUT = new URL("../static/identity_tracking/", import.meta.url);
const BUDGETS = {
  visitor: { gzip: 2000, brotli: 1750 },
  stub: { gzip: 130 },
  forms: { gzip: 500 },
};
// The order in which terser hands out names, found by a random search: 1 % of the compressed size.
const NAMES = "nfpkmyr$scdJltw_ieObSxKQaRgqIMoTBZVvPCDFAHjhzYEUXuWLNG";
// The stub's one name must be the page's; a block keeps the others' names, and `try` whatever a broken page makes the
// SDK throw. That one also waits until a prerendered page is shown: nobody has seen it before.
const WRAPPED = {
  stub: (source) => source,
  forms: (source) => `{${source}}`,
  visitor: (source) => `{
    const run = () => { try {${source}} catch {} };
    document.prerendering ? addEventListener("prerenderingchange", run, true) : run();
  }`,
};
const TYPES = "visitor.d.ts";
const check = process.argv.includes("--check");

async function minify(name) {
  const source = readFileSync(new URL(`${name}.js`, import.meta.url), "utf8");
  const wrapped = WRAPPED[name](source);
  const options = { minify: true, target: "es2020", charset: "utf8" };
  const code = transformSync(wrapped, options).code.replace(/;?\n/g, "");
  return name === "stub" ? code : squeeze(code);
}

/** One keyword for two, and terser's names, which recur from scope to scope: together 3 % of the compressed size. */
async function squeeze(code) {
  const compress = { passes: 3, unsafe: true }; // unsafe: "" + text for `${text}`
  const mangling = { toplevel: true, nth_identifier: { get: (n) => NAMES[n] } };
  const options = { ecma: 2020, compress, mangle: mangling };
  const { code: squeezed } = await mangle(code.replace(/\bconst\b/g, "let"), options);
  return squeezed.replace(/;$/, "");
}

function report(problem) {
  console.error(problem);
  process.exitCode = 1;
}

function put(name, text) {
  const file = new URL(name, OUTPUT);
  if (!check) writeFileSync(file, text);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== text)
    report(`${name} is stale: run "npm run build"`);
}

for (const [name, budget] of Object.entries(BUDGETS)) {
  const code = await minify(name);
  const size = sizes(code);
  console.log(`${name}.min.js: ${code.length} bytes, ${size.gzip} gzip, ${size.brotli} brotli`);
  for (const [kind, most] of Object.entries(budget)) {
    if (size[kind] > most) report(`${name}.min.js is over its budget: ${size[kind]} > ${most} bytes ${kind}`);
  }
  put(`${name}.min.js`, code);
}
put(TYPES, readFileSync(new URL(TYPES, import.meta.url), "utf8"));

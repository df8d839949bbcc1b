/**
 * How many bytes a text is on the wire, compressed as strongly as a server can.
 * Run with files it prints theirs, as JSON.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

export function sizes(code) {
  return {
    gzip: gzipSync(code, { level: 9 }).length,
    brotli: brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length,
  };
}

const [, run, ...files] = process.argv;
if (run === fileURLToPath(import.meta.url))
  console.log(JSON.stringify(files.map((file) => sizes(readFileSync(file)))));

// SPDX-License-Identifier: Apache-2.0
// A token endpoint that speaks HTTP/2 and nothing else. The log has a JSON line
// for each request: HTTP version, path and body.
// usage: node h2-server.mjs --cert FILE --key FILE --log FILE
import fs from "node:fs";
import http2 from "node:http2";
import { parseArgs } from "node:util";

const LIFETIME_MS = 900_000; // a server that was forgotten ends by itself
const string = { type: "string" };
const { values } = parseArgs({ options: { cert: string, key: string, log: string } });
const server = http2.createSecureServer({
  cert: fs.readFileSync(values.cert),
  key: fs.readFileSync(values.key),
  allowHTTP1: false,
});
server.on("request", (request, response) => {
  let body = "";
  request.on("data", (data) => (body += data));
  request.on("end", () => {
    const entry = { http: request.httpVersion, path: request.url, body };
    fs.appendFileSync(values.log, JSON.stringify(entry) + "\n");
    response.setHeader("content-type", "application/json");
    response.end('{"access_token":"canary.access-token-410","token_type":"Bearer","expires_in":300}');
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ ready: true, port: server.address().port }));
});
setTimeout(() => process.exit(0), LIFETIME_MS);

// SPDX-License-Identifier: Apache-2.0
// What a client asked, as a line of JSON for each request: its number, method,
// path, the port it came to and that of the client, the status of the answer, the form, the client
// assertion's header and claims, and the client certificate's x5t#S256 when
// one came. Never a signature, an access token or a client's secret.
import { createHash } from 'node:crypto';
import { appendFileSync } from 'node:fs';

const CUT = '…';

function decoded(part) {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return null;
  }
}

function assertionOf(form) {
  if (form.client_assertion === undefined) return {};
  const [header, claims] = String(form.client_assertion).split('.');
  form.client_assertion = `${header}.${claims}.${CUT}`;
  return { header: decoded(header), claims: decoded(claims) };
}

// A middleware for koa; the form is what the library made of the body.
export function requestLog(file) {
  let n = 0;

  return async (ctx, next) => {
    const { method, path, socket } = ctx;
    await next();
    // before the answer is sent: who has the answer finds the line
    const form = { ...ctx.oidc?.body };
    for (const secret of ['client_secret', 'token']) if (form[secret]) form[secret] = CUT;
    const assertion = assertionOf(form);
    const line = { n: (n += 1), method, path, port: socket.localPort, connection: socket.remotePort, status: ctx.status, form, ...assertion };
    const certificate = socket.getPeerX509Certificate();
    if (certificate) line['x5t#S256'] = createHash('sha256').update(certificate.raw).digest('base64url');
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  };
}

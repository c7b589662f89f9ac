// SPDX-License-Identifier: Apache-2.0
// oidc-provider, the OpenID-certified library, as a SMART Backend Services
// authorization server on loopback, as strict as it can be made.
//
// usage: node oidc-provider.mjs --jwks FILE --tls-cert PEM --tls-key PEM --ca PEM
//
// The module is looked for in $P11OAUTH_TEST_NODE_MODULES. Prints a line of
// JSON when ready; the reason of each refusal goes to stderr. Version 8 is the
// newest that runs on Debian 12's Node.js 18.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node.js 18, which Debian 12 has

const MAX_EXP_S = 300;
const CLOCK_SKEW_S = 5;
const ALGORITHMS = ['RS256', 'RS384', 'PS384', 'ES256', 'ES384'];
const SCOPES = ['system/*.read', 'system/Patient.read'];

const { values: options } = parseArgs({
  options: {
    jwks: { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    ca: { type: 'string' },
  },
});

// ES modules do not look at NODE_PATH, so find the package the old way.
const modules = process.env.P11OAUTH_TEST_NODE_MODULES;
const require = createRequire(path.join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Provider, errors } = await load('oidc-provider');
const { generateKeyPair, exportJWK } = await load('jose');

const server = https.createServer({
  cert: readFileSync(options['tls-cert']),
  key: readFileSync(options['tls-key']),
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `https://localhost:${server.address().port}`;

// What SMART demands and the library leaves to the operator.
async function assertJwtClientAuthClaimsAndHeader(ctx, claims, header) {
  const refuse = (why) => {
    throw new errors.InvalidClientAuth(why);
  };
  const now = Math.floor(Date.now() / 1000);
  if (claims.aud !== `${issuer}/token`) refuse('aud is not the token endpoint as a string');
  if (!Number.isInteger(claims.iat)) refuse('no iat');
  if (!Number.isInteger(claims.exp)) refuse('exp is no integer');
  if (claims.exp - now > MAX_EXP_S + CLOCK_SKEW_S) refuse('exp is too far ahead');
  if (!header.kid) refuse('no kid');
  if (header.typ !== 'JWT') refuse('typ is not JWT');
}

const { privateKey } = await generateKeyPair('ES256', { extractable: true });
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'backend',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: JSON.parse(readFileSync(options.jwks, 'utf8')),
      scope: SCOPES.join(' '),
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'ES256' }] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: SCOPES,
  clientAuthMethods: ['private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ALGORITHMS },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
  },
  ttl: { ClientCredentials: 300 },
  assertJwtClientAuthClaimsAndHeader,
});
provider.on('grant.error', (ctx, error) => {
  console.error(JSON.stringify({ error: error.error, why: error.error_detail }));
});
server.on('request', provider.callback());
console.log(
  JSON.stringify({
    ready: true,
    port: server.address().port,
    token_endpoint: `${issuer}/token`,
    ca: options.ca,
  }),
);
process.on('SIGTERM', () => process.exit(0));

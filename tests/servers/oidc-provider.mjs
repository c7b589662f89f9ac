// SPDX-License-Identifier: Apache-2.0
// oidc-provider, the OpenID-certified library, as a SMART Backend Services
// authorization server on loopback, as strict as it can be made.
//
// usage: node oidc-provider.mjs --jwks FILE|--jwks-uri URL|--cert PEM…
//     --tls-cert PEM --tls-key PEM --ca PEM [OPTION…]
// usage: node oidc-provider.mjs --many SOCKET
//     many servers in one process, which begin in a tenth of the time: a POST to SOCKET
//     with such options, a line each, is answered with what one such process would
//     print, and its end is that server's end. They share one clock: no --skew.
//
//   --cert PEM         a registered certificate; without --jwks and --jwks-uri
//                      its key is the client's, with kid = upper-case hex SHA-1
//   --aud token|issuer what aud must be, as one string (token)
//   --typ TYP          what typ must be (JWT)
//   --no-kid           a header without kid will do
//   --x5t require      the header's x5t must be that of a certificate given
//                      by --cert, whose key signed
//   --algs A,B         the only algorithms of client assertions
//   --mtls METHOD      RFC 8705: tls_client_auth (with --client-ca PEM and
//                      --subject-dn DN, in RFC 4514's order),
//                      self_signed_tls_client_auth (with --cert), or bound
//                      (private_key_jwt); each binds the access token to the
//                      certificate
//   --mtls-alias       only a second port asks for a certificate; it is in the
//                      metadata as mtls_endpoint_aliases
//   --tls-min, --tls-max TLSv1.2|TLSv1.3
//   --max-exp SECONDS  how far ahead exp may be (300), on the second
//   --jku URL          what a header jku must be
//   --refuse-expired   a registered certificate that has expired does not count
//   --access-token-ttl SECONDS  life of access tokens (300)
//   --more-client ID   another client, with the first one's keys
//   --skew=SECONDS     this server's clock is ahead (or, negative, behind)
//   --log FILE         requests as JSON lines, without signatures and secrets
//
// The module is looked for in $P11OAUTH_TEST_NODE_MODULES. Prints a line of
// JSON when ready; the reason of each refusal goes to stderr. Version 8 is the
// newest that runs on Debian 12's Node.js 18.
import { createHash, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { requestLog } from './request-log.mjs';

globalThis.crypto ??= webcrypto; // Node.js 18, which Debian 12 has

const CLOCK_SKEW_S = 5;
const ALGORITHMS = ['RS256', 'RS384', 'PS384', 'ES256', 'ES384'];
const SCOPES = ['system/*.read', 'system/Patient.read'];
const TYPES = ['JWT', 'client-authentication+jwt'];
const MTLS_METHODS = ['tls_client_auth', 'self_signed_tls_client_auth', 'bound'];

const OPTIONS = {
  jwks: { type: 'string' },
  'jwks-uri': { type: 'string' },
  cert: { type: 'string', multiple: true, default: [] },
  aud: { type: 'string', default: 'token' },
  typ: { type: 'string', default: 'JWT' },
  'no-kid': { type: 'boolean', default: false },
  x5t: { type: 'string' },
  algs: { type: 'string', default: ALGORITHMS.join() },
  mtls: { type: 'string' },
  'access-token-ttl': { type: 'string', default: '300' },
  'more-client': { type: 'string', multiple: true, default: [] },
  'client-ca': { type: 'string' },
  'subject-dn': { type: 'string' },
  'mtls-alias': { type: 'boolean', default: false },
  'tls-min': { type: 'string' },
  'tls-max': { type: 'string' },
  'max-exp': { type: 'string' },
  jku: { type: 'string' },
  'refuse-expired': { type: 'boolean', default: false },
  skew: { type: 'string', default: '0' },
  log: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  ca: { type: 'string' },
};

class Misuse extends Error {}
function demand(holds, what) {
  if (!holds) throw new Misuse(what);
}
const isOneOf = (value, choices) => value === undefined || choices.includes(value);

function optionsOf(args) {
  const { values: options } = parseArgs({ args, options: OPTIONS });
  demand(isOneOf(options.aud, ['token', 'issuer']), '--aud token|issuer');
  demand(isOneOf(options.typ, TYPES), `--typ ${TYPES.join('|')}`);
  demand(isOneOf(options.x5t, ['require']), '--x5t require');
  demand(isOneOf(options.mtls, MTLS_METHODS), `--mtls ${MTLS_METHODS.join('|')}`);
  demand(!options.x5t || options.cert.length, '--x5t wants --cert');
  demand(!options['mtls-alias'] || options.mtls, '--mtls-alias wants --mtls');
  const pki = options.mtls === 'tls_client_auth';
  demand(!pki || (options['client-ca'] && options['subject-dn']), 'tls_client_auth wants --client-ca and --subject-dn');
  demand(Number(options['access-token-ttl']) > 0, '--access-token-ttl SECONDS');
  demand(Number.isInteger(Number(options.skew)), '--skew SECONDS');
  return options;
}

// The library takes the time from Date.now() alone; node's own Date field does
// not, so that one is written below.
function setClock(skew) {
  const rightNow = Date.now;
  Date.now = () => rightNow() + skew * 1000;
}

// ES modules do not look at NODE_PATH, so find the package the old way.
const modules = process.env.P11OAUTH_TEST_NODE_MODULES;
const require = createRequire(path.join(modules, 'x.js'));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { Provider, errors } = await load('oidc-provider');
const { compactVerify, exportJWK, generateKeyPair, importJWK } = await load('jose');

// One server, as args say; returns what ends it. say gets the object of the ready line,
// complain each reason of a refusal.
async function serve(options, say, complain) {
  const maxExp = options['max-exp'] ? Number(options['max-exp']) : 300 + CLOCK_SKEW_S;

  // ---- listening ports ---------------------------------------------------------

  async function listen(asksForCertificate) {
    const server = https.createServer({
      cert: readFileSync(options['tls-cert']),
      key: readFileSync(options['tls-key']),
      minVersion: options['tls-min'],
      maxVersion: options['tls-max'],
      requestCert: asksForCertificate,
      rejectUnauthorized: false, // the library says no, and why
      ca: options['client-ca'] && readFileSync(options['client-ca']),
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }
  const originOf = (server) => `https://localhost:${server.address().port}`;

  const server = await listen(Boolean(options.mtls) && !options['mtls-alias']);
  const mtlsServer = options['mtls-alias'] ? await listen(true) : server;
  const issuer = originOf(server);
  const tokenEndpoint = `${issuer}/token`;
  const mtlsTokenEndpoint = options.mtls && `${originOf(mtlsServer)}/token`;
  const aliases = options['mtls-alias'] && {
    mtls_endpoint_aliases: { token_endpoint: mtlsTokenEndpoint },
  };

  // ---- the client --------------------------------------------------------------

  const digest = (hash, certificate) => createHash(hash).update(certificate.raw).digest();
  const certificates = options.cert.map((file) => new X509Certificate(readFileSync(file)));

  function jwkOf(certificate) {
    return {
      ...certificate.publicKey.export({ format: 'jwk' }),
      kid: digest('sha1', certificate).toString('hex').toUpperCase(),
      use: 'sig',
      x5c: [certificate.raw.toString('base64')],
    };
  }

  function clientKeys() {
    if (options['jwks-uri']) return { jwks_uri: options['jwks-uri'] };
    if (options.jwks) return { jwks: JSON.parse(readFileSync(options.jwks, 'utf8')) };
    if (certificates.length) return { jwks: { keys: certificates.map(jwkOf) } };
    return {};
  }

  const machine = { redirect_uris: [], response_types: [] };
  const pki = options.mtls === 'tls_client_auth';
  const authMethod = !options.mtls || options.mtls === 'bound' ? 'private_key_jwt' : options.mtls;
  const client = {
    ...machine,
    client_id: 'backend',
    grant_types: ['client_credentials'],
    token_endpoint_auth_method: authMethod,
    scope: SCOPES.join(' '),
    ...clientKeys(),
    ...(options.mtls && { tls_client_certificate_bound_access_tokens: true }),
    ...(pki && { tls_client_auth_subject_dn: options['subject-dn'] }),
  };
  // A resource server's, so that a test can see what an access token is bound to.
  const introspector = {
    ...machine,
    client_id: 'introspector',
    client_secret: randomBytes(16).toString('hex'),
    grant_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
  };

  // ---- what SMART demands and the library leaves to the operator ---------------

  function refuse(why) {
    throw new errors.InvalidClientAuth(why);
  }

  async function assertX5t(assertion, header) {
    const x5t = (certificate) => digest('sha1', certificate).toString('base64url');
    const certificate = certificates.find((one) => x5t(one) === header.x5t);
    if (!certificate) refuse('x5t is of no registered certificate');
    try {
      await compactVerify(assertion, await importJWK(jwkOf(certificate), header.alg));
    } catch {
      refuse('x5t is of a certificate whose key did not sign');
    }
  }

  async function assertJwtClientAuthClaimsAndHeader(ctx, claims, header) {
    const now = Math.floor(Date.now() / 1000);
    if (options.aud === 'token' && claims.aud !== tokenEndpoint) refuse('aud is not the token endpoint as a string');
    if (options.aud === 'issuer' && claims.aud !== issuer) refuse('aud is not the issuer as a string');
    if (!Number.isInteger(claims.iat)) refuse('no iat');
    if (claims.iat > now + CLOCK_SKEW_S) refuse('iat is in the future');
    if (!Number.isInteger(claims.exp)) refuse('exp is no integer');
    if (claims.exp - now > maxExp) refuse('exp is too far ahead');
    if (!header.kid && !options['no-kid']) refuse('no kid');
    if (header.typ !== options.typ) refuse(`typ is not ${options.typ}`);
    if (options.jku && header.jku !== options.jku) refuse('jku is not the registered one');
    if (options['refuse-expired'] && certificates.some((one) => Date.parse(one.validTo) < Date.now()))
      refuse('the registered certificate has expired');
    if (options.x5t) await assertX5t(ctx.oidc.params.client_assertion, header);
  }

  // ---- the library -------------------------------------------------------------

  const peerCertificate = (ctx) => ctx.socket.getPeerX509Certificate();
  const mTLS = {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: peerCertificate,
    certificateAuthorized: (ctx) => ctx.socket.authorized,
    // node has one attribute a line, in the order of the certificate
    certificateSubjectMatches: (ctx, property, dn) =>
      peerCertificate(ctx).subject.split('\n').reverse().join() === dn,
  };

  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const provider = new Provider(issuer, {
    clients: [client, ...options['more-client'].map((id) => ({ ...client, client_id: id })), introspector],
    jwks: { keys: [{ ...(await exportJWK(privateKey)), use: 'sig', alg: 'ES256' }] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: SCOPES,
    clientAuthMethods: [authMethod, 'client_secret_basic'],
    enabledJWA: { clientAuthSigningAlgValues: options.algs.split(',') },
    discovery: { ...aliases },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (ctx, asking) => asking.clientId === introspector.client_id },
      mTLS: options.mtls ? mTLS : { enabled: false },
    },
    httpOptions: (url) =>
      url.protocol === 'https:' ? { agent: new https.Agent({ ca: readFileSync(options.ca) }) } : {},
    ttl: { ClientCredentials: Number(options['access-token-ttl']) },
    assertJwtClientAuthClaimsAndHeader,
  });
  for (const event of ['grant.error', 'introspection.error']) {
    provider.on(event, (ctx, error) => {
      complain(JSON.stringify({ error: error.error, why: error.error_detail ?? error.error_description }));
    });
  }
  provider.on('server_error', (ctx, error) => complain(error.stack));

  // ---- around the library ------------------------------------------------------

  if (options.log) provider.use(requestLog(options.log));
  provider.use(async (ctx, next) => {
    if (ctx.path === '/fhir/.well-known/smart-configuration') {
      ctx.body = {
        issuer,
        jwks_uri: `${issuer}/jwks`,
        token_endpoint: tokenEndpoint,
        introspection_endpoint: `${issuer}/token/introspection`,
        grant_types_supported: ['client_credentials'],
        token_endpoint_auth_methods_supported: [authMethod],
        token_endpoint_auth_signing_alg_values_supported: options.algs.split(','),
        scopes_supported: SCOPES,
        capabilities: ['client-confidential-asymmetric', 'permission-v1'],
        ...aliases,
      };
      return;
    }
    // RFC 8414's name of the same document
    if (ctx.path === '/.well-known/oauth-authorization-server') ctx.path = '/.well-known/openid-configuration';
    await next();
  });

  const handle = provider.callback();
  for (const one of new Set([server, mtlsServer])) {
    one.on('request', (request, response) => {
      // Behind a relay and on the second port, too, all URLs are the issuer's.
      request.headers.host = new URL(issuer).host;
      response.setHeader('Date', new Date(Date.now()).toUTCString());
      handle(request, response);
    });
  }
  say({
    ready: true,
    port: server.address().port,
    issuer,
    token_endpoint: tokenEndpoint,
    fhir_base: `${issuer}/fhir`,
    introspection_endpoint: `${issuer}/token/introspection`,
    introspection_user: `${introspector.client_id}:${introspector.client_secret}`,
    mtls_token_endpoint: mtlsTokenEndpoint,
    ca: options.ca,
  });
  return () => {
    for (const one of new Set([server, mtlsServer])) {
      one.close();
      one.closeAllConnections();
    }
  };
}

// ---- one, or many ------------------------------------------------------------

async function textOf(request) {
  request.setEncoding('utf8');
  return (await request.toArray()).join('');
}

async function serveOneOfMany(request, response) {
  const write = (line) => response.write(`${line}\n`);
  const gone = new Promise((resolve) => response.on('close', resolve));
  const options = optionsOf((await textOf(request)).split('\n'));
  demand(Number(options.skew) === 0, '--many has no --skew');
  const end = await serve(options, (ready) => write(JSON.stringify(ready)), write);
  await gone;
  end();
}

process.on('SIGTERM', () => process.exit(0));
const [first, place, ...others] = process.argv.slice(2);
try {
  if (first === '--many' && place && !others.length) {
    const many = http.createServer({ requestTimeout: 0 }, (request, response) =>
      serveOneOfMany(request, response).catch((error) => response.end(`${error.stack}\n`)),
    );
    many.listen(place, () => console.log(JSON.stringify({ ready: true })));
  } else {
    const options = optionsOf(process.argv.slice(2));
    if (Number(options.skew)) setClock(Number(options.skew));
    await serve(options, (ready) => console.log(JSON.stringify(ready)), console.error);
  }
} catch (error) {
  if (!(error instanceof Misuse)) throw error;
  console.error(`oidc-provider.mjs: ${error.message}`);
  process.exit(2);
}

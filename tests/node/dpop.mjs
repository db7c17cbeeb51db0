// A strict, independent OAuth client (oauth4webapi) whose tokens are bound to its key, and which calls a tool with them.
//
// Arguments: issuer, resource, redirect URI, scope, tool, its arguments as JSON: registers itself, writes
// {"authorize": url}, reads {"callback": url}, writes {"unproved", "tokens", "refreshed", "called", "bearer"}.
// Or: issuer, resource, "client_credentials", scope, tool, arguments, client id, secret: writes {"tokens", "called", "bearer"}.
import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';

const [issuer, resource, redirectUri, scope, tool, args, clientId, secret] = process.argv.slice(2);
const insecure = { [oauth.allowInsecureRequests]: true };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const write = value => process.stdout.write(JSON.stringify(value) + '\n');

/** Once more with the nonce that the first answer gave, as RFC 9449 asks of a client. */
async function retried(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return attempt();
    throw error;
  }
}

async function call(token, scheme, DPoP) {
  const version = '2026-07-28';
  const body = JSON.stringify({
    jsonrpc: '2.0', id: 1, method: 'tools/call',
    params: {
      name: tool, arguments: JSON.parse(args),
      _meta: { 'io.modelcontextprotocol/protocolVersion': version, 'io.modelcontextprotocol/clientCapabilities': {} },
    },
  });
  const headers = new Headers({
    'content-type': 'application/json', accept: 'application/json, text/event-stream',
    'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': tool,
  });
  if (scheme === 'Bearer') {
    headers.set('authorization', `Bearer ${token}`);
    const answer = await fetch(resource, { method: 'POST', headers, body });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') };
  }
  const answer = await retried(
    () => oauth.protectedResourceRequest(token, 'POST', new URL(resource), headers, body, { DPoP, ...insecure }),
  );
  return { status: answer.status, nonce: answer.headers.get('dpop-nonce'), body: await answer.text() };
}

async function byItself(server) {
  const client = { client_id: clientId };
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('Ed25519'));
  const tokens = await retried(async () => oauth.processClientCredentialsResponse(server, client,
    await oauth.clientCredentialsGrantRequest(
      server, client, oauth.ClientSecretPost(secret), { resource, scope }, { DPoP, ...insecure })));
  write({
    tokens, called: await call(tokens.access_token, 'DPoP', DPoP), bearer: await call(tokens.access_token, 'Bearer'),
  });
}

async function forSomebody(server) {
  const registration = await oauth.dynamicClientRegistrationRequest(
    server,
    { client_name: 'strict client', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], dpop_bound_access_tokens: true },
    insecure,
  );
  const client = await oauth.processDynamicClientRegistrationResponse(registration);
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const target = new URL(server.authorization_endpoint);
  Object.entries({
    client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope, state, resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    dpop_jkt: await DPoP.calculateThumbprint(),
  }).forEach(([name, value]) => target.searchParams.set(name, value));
  write({ authorize: target.href });
  const { callback } = JSON.parse((await lines.next()).value);
  const params = oauth.validateAuthResponse(server, client, new URL(callback), state);
  const redeem = async options => oauth.processAuthorizationCodeResponse(server, client,
    await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), params, redirectUri, verifier,
      { additionalParameters: { resource }, ...options, ...insecure }));
  const unproved = await redeem({}).then(() => 'tokens', error => error.error);
  const tokens = await retried(() => redeem({ DPoP }));
  const refresh = async options => oauth.processRefreshTokenResponse(server, client,
    await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token,
      { additionalParameters: { resource }, ...options, ...insecure }));
  const stranger = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
  const stolen = await retried(() => refresh({ DPoP: stranger })).then(() => 'tokens', error => error.error);
  const refreshed = await retried(() => refresh({ DPoP }));
  write({
    unproved, stolen, tokens, refreshed,
    called: await call(refreshed.access_token, 'DPoP', DPoP), bearer: await call(refreshed.access_token, 'Bearer'),
  });
}

try {
  const url = new URL(issuer);
  const discovery = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure });
  const server = await oauth.processDiscoveryResponse(url, discovery);
  await (redirectUri === 'client_credentials' ? byItself(server) : forSomebody(server));
  process.exit(0);
} catch (error) {
  write({ error: { name: error.name, message: error.message, cause: JSON.stringify(error.cause ?? null) } });
  process.exit(1);
}

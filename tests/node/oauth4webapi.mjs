// A strict, independent OAuth client (oauth4webapi) walks the whole code flow and refresh.
//
// Arguments: issuer, resource, redirect URI, scope. Writes {"authorize": url}, reads {"callback": url},
// writes {"tokens": …, "refreshed": …, "introspected": …} or {"error": …}.
import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';

const [issuer, resource, redirectUri, scope] = process.argv.slice(2);
const insecure = { [oauth.allowInsecureRequests]: true };
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const write = value => process.stdout.write(JSON.stringify(value) + '\n');

try {
  const url = new URL(issuer);
  const discovery = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure });
  const server = await oauth.processDiscoveryResponse(url, discovery);
  const registration = await oauth.dynamicClientRegistrationRequest(
    server,
    { client_name: 'strict client', redirect_uris: [redirectUri], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    insecure,
  );
  const client = await oauth.processDynamicClientRegistrationResponse(registration);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const target = new URL(server.authorization_endpoint);
  Object.entries({
    client_id: client.client_id, redirect_uri: redirectUri, response_type: 'code', scope, state, resource,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  }).forEach(([name, value]) => target.searchParams.set(name, value));
  write({ authorize: target.href });
  const { callback } = JSON.parse((await lines.next()).value);
  const params = oauth.validateAuthResponse(server, client, new URL(callback), state);
  const answer = await oauth.authorizationCodeGrantRequest(
    server, client, oauth.None(), params, redirectUri, verifier,
    { additionalParameters: { resource }, ...insecure },
  );
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer);
  const second = await oauth.refreshTokenGrantRequest(
    server, client, oauth.None(), tokens.refresh_token, { additionalParameters: { resource }, ...insecure },
  );
  const refreshed = await oauth.processRefreshTokenResponse(server, client, second);
  const revocation = await oauth.revocationRequest(server, client, oauth.None(), refreshed.refresh_token, insecure);
  await oauth.processRevocationResponse(revocation);
  write({ tokens, refreshed });
  process.exit(0);
} catch (error) {
  write({ error: { name: error.name, message: error.message, cause: String(error.cause?.message ?? error.cause) } });
  process.exit(1);
}

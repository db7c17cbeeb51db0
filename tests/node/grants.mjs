// A strict, independent OAuth client (oauth4webapi) for the grants that no person is asked for.
//
// Arguments: issuer. Reads one command a line, writes one answer: what the library made of the response, or {"error": …}.
//   {"do": "grant", "type": …, "parameters": {…}, "client": id, "by": …}
//   {"do": "introspect" | "revoke", "token": …, "client": id, "by": …}
//   {"do": "validate", "token": …, "resource": …}   as a resource server that follows RFC 9068 to the letter
// `by` is {"secret": …}, {"basic": …}, {"jwk": …} or, for who shows an assertion alone, null.
import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';

const url = new URL(process.argv[2]);
const insecure = { [oauth.allowInsecureRequests]: true };
const write = value => process.stdout.write(JSON.stringify(value) + '\n');

async function proof(by) {
  if (by === null) return () => {};
  if (by.secret) return oauth.ClientSecretPost(by.secret);
  if (by.basic) return oauth.ClientSecretBasic(by.basic);
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await crypto.subtle.importKey('jwk', by.jwk, algorithm, false, ['sign']);
  return oauth.PrivateKeyJwt({ key, kid: by.jwk.kid });
}

const verbs = {
  async grant(server, client, by, { type, parameters }) {
    if (type === 'client_credentials') {
      const answer = await oauth.clientCredentialsGrantRequest(server, client, by, parameters, insecure);
      return oauth.processClientCredentialsResponse(server, client, answer);
    }
    const answer = await oauth.genericTokenEndpointRequest(server, client, by, type, parameters, insecure);
    return oauth.processGenericTokenEndpointResponse(server, client, answer);
  },
  async introspect(server, client, by, { token }) {
    const answer = await oauth.introspectionRequest(server, client, by, token, insecure);
    return oauth.processIntrospectionResponse(server, client, answer);
  },
  async revoke(server, client, by, { token }) {
    await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, by, token, insecure));
    return { revoked: true };
  },
  async validate(server, _client, _by, { token, resource }) {
    const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } });
    return oauth.validateJwtAccessToken(server, request, resource, insecure);
  },
};

const discovery = await oauth.discoveryRequest(url, { algorithm: 'oauth2', ...insecure });
const server = await oauth.processDiscoveryResponse(url, discovery);
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    const client = { client_id: command.client ?? 'nobody' };
    write(await verbs[command.do](server, client, await proof(command.by ?? null), command));
  } catch (error) {
    write({ error: error.error ?? error.name, message: error.message, cause: String(error.cause?.message ?? '') });
  }
}

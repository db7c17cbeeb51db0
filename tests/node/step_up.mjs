// The official TypeScript client with authorization of its own, before a call that its person has to say yes to:
// `node step_up.mjs URL REDIRECT MODE TOOL ARGUMENTS`, MODE `legacy` or `auto`. It can show its person no page.
// Writes one JSON object a line: {"authorize": "https://…"} where a person is needed, to be answered with {"callback": "…"};
// {"first": …}, what came of the call, to be answered with any line; and at last {"seen": …}: what came of the same call once
// more, and each status and challenge on the way.
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

const [url, redirectUrl, mode, tool, given] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = value => process.stdout.write(JSON.stringify(value) + '\n');

class Provider {
  redirectUrl = redirectUrl;
  clientMetadata = {
    client_name: 'TypeScript peer',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
  clientInformation() { return this._client; }
  saveClientInformation(client) { this._client = client; }
  tokens() { return this._tokens; }
  saveTokens(tokens) { this._tokens = tokens; }
  redirectToAuthorization(target) { this.authorizationUrl = target; }
  saveCodeVerifier(verifier) { this._verifier = verifier; }
  codeVerifier() { return this._verifier; }
  discoveryState() { return this._discovery; }
  saveDiscoveryState(state) { this._discovery = state; }
  state() { return (this._state ??= crypto.randomUUID()); }
}

const provider = new Provider();
const exchanges = [];
const listen = async (input, init) => {
  const response = await fetch(input, init);
  const challenge = response.headers.get('www-authenticate');
  exchanges.push({
    method: init?.method ?? 'GET', path: new URL(input).pathname, status: response.status,
    ...(challenge === null ? {} : { challenge }),
  });
  return response;
};

async function authorize(transport) {
  write({ authorize: String(provider.authorizationUrl) });
  const { callback } = await read();
  await transport.finishAuth(new URL(callback).searchParams);
}

const opened = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: provider, fetch: listen });
let transport = opened();
const named = () => new Client({ name: 'typescript-peer', version: '1.0.0' }, { versionNegotiation: { mode } });
let client = named();
try {
  await client.connect(transport);
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await authorize(transport);
  [transport, client] = [opened(), named()];
  await client.connect(transport);
}
exchanges.length = 0;
let sent = 0;
const call = async () => {
  try {
    const result = await client.callTool({ name: tool, arguments: JSON.parse(given) });
    return { text: result.content[0].text, error: result.isError === true };
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || sent > 1) {
      return { thrown: error.constructor.name, message: error.message.slice(0, 200) };
    }
    sent += 1;
    await authorize(transport);
    return await call();
  }
};
const first = await call();
write({ first });
await read();
write({ seen: { first, second: await call(), sent, exchanges } });
process.exit(0);

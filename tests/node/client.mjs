// The official TypeScript client, driven line by line over standard streams.
//
// Started with the URL of an MCP server, a redirect URI and, where it need not register itself, either its client id or
// the URL of the document about it. It writes one JSON object a line:
//   {"authorize": "https://…"}   a person is needed: answer {"callback": "http://127.0.0.1/…"}
//   {"connected": {...}}         ready for commands
//   {"result": …} or {"error": {...}}   for each command
// Commands: {"do": "listTools"}, {"do": "callTool", "name": …, "arguments": …},
//   {"do": "readResource", "uri": …}, {"do": "getPrompt", "name": …, "arguments": …},
//   {"do": "listResources"}, {"do": "close"}.
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';

const [url, redirectUrl, known] = process.argv.slice(2);
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
  clientMetadataUrl = known?.startsWith('https://') ? known : undefined;
  authorizationUrl;
  _client = known && !this.clientMetadataUrl ? { client_id: known } : undefined;
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
const requests = [];
const statuses = [];
const listen = async (input, init) => {
  const response = await fetch(input, init);
  requests.push(new URL(input).pathname);
  statuses.push(response.status);
  return response;
};

async function connect() {
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider, fetch: listen });
  const client = new Client({ name: 'typescript-peer', version: '1.0.0' });
  await client.connect(transport);
  return { client, transport };
}

async function authorize() {
  write({ authorize: String(provider.authorizationUrl) });
  const { callback } = await read();
  const params = new URL(callback).searchParams;
  if (params.get('state') !== provider.state()) throw new Error('the state came back changed');
  const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider, fetch: listen });
  await transport.finishAuth(params);
}

async function connected() {
  try {
    return await connect();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
    await authorize();
    return await connect();
  }
}

const verbs = {
  listTools: client => client.listTools(),
  callTool: (client, command) => client.callTool({ name: command.name, arguments: command.arguments }),
  listResources: client => client.listResources(),
  readResource: (client, command) => client.readResource({ uri: command.uri }),
  getPrompt: (client, command) => client.getPrompt({ name: command.name, arguments: command.arguments }),
};

const shown = error => ({ name: error.name, code: error.code, message: error.message, data: error.data });

try {
  const { client, transport } = await connected();
  write({
    connected: {
      version: transport.protocolVersion ?? null,
      session: transport.sessionId ?? null,
      scope: provider.tokens()?.scope ?? null,
      token: provider.tokens()?.access_token ?? null,
      client: provider.clientInformation()?.client_id ?? null,
      requests,
      statuses,
    },
  });
  for (let command = await read(); command.do !== 'close'; command = await read()) {
    try {
      write({ result: await verbs[command.do](client, command) });
    } catch (error) {
      write({ error: shown(error) });
    }
  }
  await transport.terminateSession?.();
  await client.close();
  process.exit(0);
} catch (error) {
  write({ error: shown(error) });
  process.exit(1);
}

// The official TypeScript client, looking at one account: `node account_client.mjs MODULES http URL TOKEN`, or
// `… stdio COMMAND ARGUMENT…` for a server that it starts itself, in this process's environment.
// Prints one JSON object with everything it saw.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, transport, target, ...rest] = process.argv.slice(2);
const require = createRequire(modules + '/');
const load = name => import(pathToFileURL(require.resolve(name)).href);
const { Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client');

async function connected(client) {
  if (transport === 'http') {
    const headers = { Authorization: `Bearer ${rest[0]}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } }));
  } else {
    const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');
    await client.connect(new StdioClientTransport({ command: target, args: rest, env: { ...process.env } }));
  }
}

const client = new Client({ name: 'ts', version: '1' });
await connected(client);
const seen = { tools: (await client.listTools()).tools.map(tool => tool.name) };
const account = { organization_id: 'acme', account_id: 'acc-1001' };
seen.read = JSON.stringify((await client.callTool({ name: 'get_account', arguments: account })).content);
try {
  await client.callTool({ name: 'delete_account', arguments: account });
} catch (error) {
  seen.refused = error.message;
}
console.log(JSON.stringify(seen));
await client.close();

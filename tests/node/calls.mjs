// The official TypeScript client, calling tools in one of its modes: `node calls.mjs MODE URL TOKEN CALLS`, MODE `legacy`
// or `auto`, CALLS a JSON array of [name, arguments]. Prints the version it spoke, the tools listed, and for each call
// its text or its error.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [mode, url, token, calls] = process.argv.slice(2);
const client = new Client({ name: 'ts', version: '1' }, { versionNegotiation: { mode } });
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
const attempt = async action => {
  try {
    return { result: await action() };
  } catch (error) {
    return { code: error.code, message: error.message, data: error.data };
  }
};
const seen = {
  version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
  tools: await attempt(async () => (await client.listTools()).tools.map(tool => tool.name)),
  calls: [],
};
for (const [name, args] of JSON.parse(calls)) {
  seen.calls.push(await attempt(async () => (await client.callTool({ name, arguments: args })).content[0].text));
}
await transport.terminateSession?.();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);

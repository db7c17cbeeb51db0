// The official TypeScript client in one of its modes: `node era_client.mjs MODE URL TOKEN`, MODE `legacy` or `auto`.
// Prints one JSON object with everything it saw.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [mode, url, token] = process.argv.slice(2);
const client = new Client(
  { name: 'ts', version: '1' },
  { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode } },
);
client.setRequestHandler('elicitation/create', async request => ({
  action: 'accept', content: { colour: request.params.message.split(' ').pop() },
}));
client.setRequestHandler('sampling/createMessage', async () => ({
  role: 'assistant', model: 'm', content: { type: 'text', text: 'four' },
}));
client.setRequestHandler('roots/list', async () => ({ roots: [{ uri: 'file:///a' }] }));
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
const call = async (name, args = {}, options = undefined) =>
  (await client.callTool({ name, arguments: args }, options)).content[0].text;
const seen = {
  version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
  server: client.getServerVersion()?.name,
  instructions: client.getInstructions(),
  tools: (await client.listTools()).tools.map(tool => tool.name).sort(),
  add: await call('add', { a: 2, b: 3 }),
  pick: await call('pick'),
  pick_two: await call('pick_two'),
  think: await call('think'),
  folders: await call('folders'),
  progress: [],
  resource: (await client.readResource({ uri: 'notes://today' })).contents[0].text,
  prompt: (await client.getPrompt({ name: 'greet', arguments: { name: 'Ann' } })).messages[0].content.text,
};
seen.steps = await call('steps', {}, { onprogress: progress => seen.progress.push(progress.message) });
try {
  await client.callTool({ name: 'hidden', arguments: {} });
} catch (error) {
  seen.refused = error.code;
}
await transport.terminateSession?.();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);

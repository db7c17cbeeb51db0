// The official TypeScript client against a gateway: `node legacy_client.mjs NODE_MODULES URL TOKEN`.
// Prints one JSON object with everything it saw.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, url, token] = process.argv.slice(2);
const require = createRequire(modules + '/');
const { Client, StreamableHTTPClientTransport } = await import(
  pathToFileURL(require.resolve('@modelcontextprotocol/client')).href
);

const client = new Client({ name: 'ts', version: '1' }, { capabilities: { elicitation: {}, sampling: {} } });
client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { colour: 'blue' } }));
client.setRequestHandler('sampling/createMessage', async () => ({
  role: 'assistant', model: 'm', content: { type: 'text', text: 'four' },
}));
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
const seen = { version: transport.protocolVersion, session: transport.sessionId };
seen.tools = (await client.listTools()).tools.map(tool => tool.name);
seen.add = (await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } })).content[0].text;
seen.progress = [];
const fs = await import('node:fs');
seen.steps = (await client.callTool({ name: 'steps', arguments: {} }, {
  onprogress: progress => {
    seen.progress.push(progress.message);
    if (process.env.GO) fs.writeFileSync(process.env.GO, '');
  },
})).content[0].text;
seen.pick = (await client.callTool({ name: 'pick', arguments: {} })).content[0].text;
seen.think = (await client.callTool({ name: 'think', arguments: {} })).content[0].text;
seen.resource = (await client.readResource({ uri: 'notes://today' })).contents[0].text;
seen.prompt = (await client.getPrompt({ name: 'greet', arguments: { name: 'Ann' } })).messages[0].content.text;
try {
  await client.callTool({ name: 'forbidden', arguments: {} });
} catch (error) {
  seen.refused = error.message;
}
await transport.terminateSession();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);

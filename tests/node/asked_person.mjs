// The official TypeScript client that can show its person an address: `node asked_person.mjs MODE URL TOKEN`, MODE `legacy` or `auto`.
//
// One JSON object a line. It writes {"connected": {...}}, {"result": …} or {"error": {...}} for each command, and
//   {"elicit": {...}}   an address to show: answer {"action": "accept"} (or another)
//   {"complete": "…"}   the server says that what was asked by that id is done
// Commands: {"name": …, "arguments": …} calls a tool; {"close": true} ends it.
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [mode, url, token] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => JSON.parse((await lines.next()).value);
const write = value => process.stdout.write(JSON.stringify(value) + '\n');

const client = new Client(
  { name: 'typescript-peer', version: '1.0.0' },
  { capabilities: { elicitation: { url: {} } }, versionNegotiation: { mode } },
);
client.setRequestHandler('elicitation/create', async request => {
  write({ elicit: request.params });
  return { action: (await read()).action };
});
client.setNotificationHandler('notifications/elicitation/complete', notification => {
  write({ complete: notification.params.elicitationId });
});
try {
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  write({ connected: { version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion } });
  for (let command = await read(); !command.close; command = await read()) {
    try {
      write({ result: await client.callTool({ name: command.name, arguments: command.arguments }) });
    } catch (error) {
      write({ error: { name: error.constructor.name, code: error.code, message: error.message, data: error.data } });
    }
  }
  await client.close();
  process.exit(0);
} catch (error) {
  write({ error: { name: error.name, code: error.code, message: error.message } });
  process.exit(1);
}

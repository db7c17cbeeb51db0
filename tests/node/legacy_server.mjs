// A server on the official TypeScript SDK of the legacy era, which knows no other. `node legacy_server.mjs [PORT]`; without a port, stdio.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

function build() {
  const server = new McpServer({ name: 'old', version: '1' });
  const text = value => ({ content: [{ type: 'text', text: value }] });
  server.registerTool('hello', { description: 'Says hello.' }, () => text('hello'));
  // Without the id of the call: the question goes to the server's own stream.
  server.registerTool('pick', { description: 'Asks the person.' }, async () => {
    const answer = await server.server.elicitInput({
      message: 'which colour?',
      requestedSchema: { type: 'object', properties: { colour: { type: 'string' } }, required: ['colour'] },
    });
    return text(answer.action === 'accept' ? answer.content.colour : answer.action);
  });
  return server;
}

const [port] = process.argv.slice(2);
if (port === undefined) {
  await build().connect(new StdioServerTransport());
} else {
  const transports = new Map();
  createServer(async (request, response) => {
    let transport = transports.get(request.headers['mcp-session-id']);
    if (!transport) {
      transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: id => transports.set(id, transport),
      });
      await build().connect(transport);
    }
    await transport.handleRequest(request, response);
  }).listen(Number(port), '127.0.0.1', () => console.log('listening'));
}

// The official TypeScript client before a call that a person has to say yes to: `node cures.mjs MODE URL TOKEN CAN`.
// MODE is `legacy` or `auto`, CAN the elicitation that it declares, as JSON; the person opens the page, and decides there.
// Prints one JSON object with everything it saw.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [mode, url, token, can] = process.argv.slice(2);
const elicitation = JSON.parse(can);
const client = new Client(
  { name: 'ts', version: '1' },
  { capabilities: elicitation === null ? {} : { elicitation }, versionNegotiation: { mode } },
);
const seen = { asked: [], opened: 0, complete: [] };
const open = async page => {
  seen.opened += 1;
  await (await fetch(page)).text();
};
if (elicitation !== null) {
  client.setRequestHandler('elicitation/create', async request => {
    seen.asked.push(request.params.mode ?? 'form');
    if (request.params.mode !== 'url') return { action: 'accept', content: { reason: 'ticket 7' } };
    await open(request.params.url);
    return { action: 'accept' };
  });
}
let heard;
const complete = new Promise(resolve => { heard = resolve; });
client.setNotificationHandler('notifications/elicitation/complete', async notification => {
  seen.complete.push(notification.params.elicitationId);
  heard();
});
const transport = new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
});
await client.connect(transport);
const call = async () => {
  try {
    const result = await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } });
    return { text: result.content[0].text, error: result.isError === true };
  } catch (error) {
    const pages = (error.elicitations ?? []).map(one => one.url);
    return { thrown: error.constructor.name, code: error.code, pages };
  }
};
seen.version = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion;
seen.first = await call();
if (seen.first.pages?.length) {
  await open(seen.first.pages[0]);
  await complete;
}
seen.second = await call();
await transport.terminateSession?.();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);

// The official TypeScript client with the experimental tasks of 2025-11-25:
// `node tasks_client.mjs NODE_MODULES URL TOKEN`. Prints what it saw.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [modules, url, token] = process.argv.slice(2);
const require = createRequire(modules + '/');
const load = async name => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)).href);
const { Client } = await load('client/index.js');
const { StreamableHTTPClientTransport } = await load('client/streamableHttp.js');

const client = new Client({ name: 'ts', version: '1' }, { capabilities: {} });
await client.connect(new StreamableHTTPClientTransport(new URL(url), {
  requestInit: { headers: { Authorization: `Bearer ${token}` } },
}));
const seen = { capabilities: client.getServerCapabilities().tasks, said: [] };
await client.listTools();
for await (const message of client.experimental.tasks.callToolStream({ name: 'count', arguments: {} })) {
  seen.said.push(message.type);
  if (message.type === 'taskCreated') seen.handle = message.task.taskId;
  if (message.type === 'result') seen.text = message.result.content[0].text;
  if (message.type === 'error') seen.error = message.error.message;
}
seen.status = (await client.experimental.tasks.getTask(seen.handle)).status;
seen.listed = (await client.experimental.tasks.listTasks()).tasks.map(task => task.taskId);
for (const id of ['nobody', seen.handle + 'x']) {
  try { await client.experimental.tasks.getTask(id); } catch (error) { (seen.refused ??= []).push(error.message); }
}
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);

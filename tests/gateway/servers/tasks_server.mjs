// A server on the official TypeScript SDK with the experimental tasks of 2025-11-25, on standard streams:
// `node tasks_server.mjs NODE_MODULES`.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(process.argv[2] + '/');
const load = async name => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)).href);
const { McpServer } = await load('server/mcp.js');
const { StdioServerTransport } = await load('server/stdio.js');
const { InMemoryTaskStore } = await load('experimental/tasks/stores/in-memory.js');

const taskStore = new InMemoryTaskStore();
const server = new McpServer(
  { name: 'tasks', version: '1' },
  { capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }, taskStore },
);
for (const name of ['count', 'hidden']) {
  server.experimental.tasks.registerToolTask(name, { description: name, execution: { taskSupport: 'required' } }, {
    async createTask(extra) {
      const task = await extra.taskStore.createTask({ ttl: 60_000, pollInterval: 20 });
      setTimeout(() => extra.taskStore.storeTaskResult(task.taskId, 'completed', {
        content: [{ type: 'text', text: 'three' }],
      }), 50);
      return { task };
    },
    getTask: (extra) => extra.taskStore.getTask(extra.taskId),
    getTaskResult: (extra) => extra.taskStore.getTaskResult(extra.taskId),
  });
}
await server.connect(new StdioServerTransport());

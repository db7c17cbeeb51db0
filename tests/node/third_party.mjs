// A real third party (oidc-provider): its own pages for people, opaque access tokens, rotating refresh tokens.
//
// Argument: JSON {issuer, port, clients}. Writes {"ready": true} once it listens, and one line for each line it reads:
//   {"lifetime": SECONDS}   for how long access tokens are good that are issued from now on
//   {"issued": true}        every token so far: [{kind, token, person}], and how often tokens were renewed
import Provider from 'oidc-provider';
import readline from 'node:readline';

// What it would say of its own defaults goes elsewhere: standard output is for answers.
console.info = console.log = console.warn = console.error;

const { issuer, port, clients } = JSON.parse(process.argv[2]);
let lifetime = 3600;
let renewals = 0;
const issued = [];

const provider = new Provider(issuer, {
  clients,
  cookies: { keys: ['only for tests'] },
  scopes: ['openid', 'offline_access', 'contacts.read'],
  features: {
    revocation: { enabled: true, allowedPolicy: async (_, client, token) => token.clientId === client.clientId },
    introspection: { enabled: true, allowedPolicy: async (_, client) => client.clientId === 'the server behind' },
  },
  issueRefreshToken: async () => true,
  rotateRefreshToken: true,
  pkce: { required: () => true },
  ttl: {
    AccessToken: () => lifetime,
    AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, RefreshToken: 3600, Session: 3600,
  },
  findAccount: async (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

provider.on('grant.success', ctx => {
  const person = ctx.oidc.entities.Account?.accountId ?? null;
  if (ctx.oidc.params.grant_type === 'refresh_token') renewals += 1;
  for (const kind of ['access_token', 'refresh_token']) {
    if (ctx.body[kind]) issued.push({ kind, token: ctx.body[kind], person });
  }
});

await new Promise(resolve => provider.listen(port, '127.0.0.1', resolve));
const say = value => process.stdout.write(JSON.stringify(value) + '\n');
say({ ready: true });
for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.lifetime) lifetime = asked.lifetime;
  say({ issued, renewals });
}

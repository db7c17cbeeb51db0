// Real OpenID providers (oidc-provider) with its own development pages for people, for the log-in tests.
//
// Argument: a JSON list of {issuer, port, name, clients}. Writes {"ready": true} once all listen.
// `GET /control?login=NAME&groups=a,b` says which groups a person is in from now on.
import Provider from 'oidc-provider';

const groups = new Map();

function start({ issuer, port, name, clients }) {
  const provider = new Provider(issuer, {
    clients,
    cookies: {
      keys: ['only for tests'],
      names: { session: `${name}_session`, interaction: `${name}_interaction`, resume: `${name}_resume` },
    },
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], groups: ['groups'] },
    scopes: ['openid', 'offline_access', 'contacts.read', 'contacts.write'],
    features: { revocation: { enabled: true } },
    issueRefreshToken: async () => true,
    pkce: { required: () => true },
    ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 600, Interaction: 600, RefreshToken: 3600, Session: 3600 },
    findAccount: async (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id, name: `${id} of ${name}`, preferred_username: id, groups: groups.get(id) ?? [],
      }),
    }),
  });
  provider.use(async (ctx, next) => {
    if (ctx.path !== '/control') return next();
    groups.set(ctx.query.login, ctx.query.groups ? ctx.query.groups.split(',') : []);
    ctx.body = 'done';
  });
  return new Promise(resolve => provider.listen(port, '127.0.0.1', resolve));
}

await Promise.all(JSON.parse(process.argv[2]).map(start));
process.stdout.write(JSON.stringify({ ready: true }) + '\n');

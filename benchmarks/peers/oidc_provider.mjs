// The peer of `benchmarks/token_peer.py`: oidc-provider with everything in memory, JWT access
// tokens signed with ES256, refresh tokens that rotate, PKCE required. One account, who agrees to everything.
import http from "node:http";
import Provider from "oidc-provider";

const [, , port, secret] = process.argv;
const issuer = `http://127.0.0.1:${port}`;
const resource = `${issuer}/mcp/bench`;
const scope = "bench:customers.read offline_access";

const { privateKey } = await crypto.subtle
  .generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
const key = { ...(await crypto.subtle.exportKey("jwk", privateKey)), alg: "ES256", use: "sig" };
delete key.key_ops;
delete key.ext;

const provider = new Provider(issuer, {
  jwks: { keys: [key] },
  clients: [
    {
      client_id: "job", client_secret: secret, token_endpoint_auth_method: "client_secret_post",
      grant_types: ["client_credentials"], response_types: [], redirect_uris: [],
      id_token_signed_response_alg: "ES256",
    },
    {
      client_id: "web", client_secret: secret, token_endpoint_auth_method: "client_secret_post",
      grant_types: ["authorization_code", "refresh_token"], response_types: ["code"],
      redirect_uris: ["https://client.example/callback"], id_token_signed_response_alg: "ES256",
    },
  ],
  scopes: ["openid", "offline_access"],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async () => true,
  findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: ["a-key-for-the-benchmark-only"] },
  loadExistingGrant: async (ctx) => {
    const grant = new provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope("openid offline_access");
    grant.addResourceScope(resource, scope);
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => resource,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope, audience: resource, accessTokenTTL: 600,
        accessTokenFormat: "jwt", jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

const answer = provider.callback();
http
  .createServer((request, response) => {
    if (request.url.startsWith("/interaction/")) {
      provider
        .interactionFinished(request, response, { login: { accountId: "ada" }, consent: {} })
        .catch((error) => response.writeHead(500).end(String(error)));
    } else {
      answer(request, response);
    }
  })
  .listen(Number(port), "127.0.0.1", () => console.log("ready"));

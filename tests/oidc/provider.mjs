// An OpenID provider for the tests: oidc-provider as it is, with two people's worth of configuration. It reads commands as
// lines of JSON: which keys it publishes (the first one signs), that it stops listening, that it listens again.

import http from 'node:http';
import { createInterface } from 'node:readline';
import * as jose from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const port = Number(process.argv[2]);
const ISSUER = `http://127.0.0.1:${port}`;
const RESOURCE = 'urn:example:crm';
const STRONG = ['phr', 'phrh'];

const counts = { metadata: 0, keys: 0 };
const keys = {};

async function key(kid) {
  if (!keys[kid]) {
    const { privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
    keys[kid] = { ...(await jose.exportJWK(privateKey)), kid, alg: 'ES256', use: 'sig' };
  }
  return keys[kid];
}

// Whoever is asked for a stronger authentication than that of their session logs in once more.
function policy() {
  const { base, Check } = interactionPolicy;
  const steps = base();
  steps.get('login').checks.add(
    new Check('step_up', 'a stronger authentication is asked for', (ctx) => {
      const wanted = (ctx.oidc.params.acr_values ?? '').split(' ').filter(Boolean);
      return wanted.length > 0 && !wanted.includes(ctx.oidc.acr);
    }),
  );
  return steps;
}

async function grant(ctx) {
  const { session, client, provider } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  if (known) return provider.Grant.find(known);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(RESOURCE, 'crm');
  await grant.save();
  return grant;
}

function claims(ctx, token) {
  if (token.kind !== 'AccessToken') return undefined;
  const { acr, amr, authTime, accountId } = ctx.oidc.entities.AuthorizationCode;
  return {
    acr, amr, auth_time: authTime,
    preferred_username: accountId,
    crm_login: accountId,
    realm_access: { roles: accountId === 'fanny' ? ['crm-finance', 'staff'] : ['staff'] },
  };
}

async function provider(published) {
  return new Provider(ISSUER, {
    jwks: { keys: await Promise.all(published.map(key)) },
    clients: [{
      client_id: 'crm-portal', token_endpoint_auth_method: 'none',
      redirect_uris: ['https://portal.example/callback'], id_token_signed_response_alg: 'ES256',
    }],
    cookies: { keys: ['for tests only'] },
    acrValues: STRONG,
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'crm', audience: 'paravent', accessTokenFormat: 'jwt', accessTokenTTL: 900, jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}`, policy: policy() },
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    loadExistingGrant: grant,
    extraTokenClaims: claims,
  });
}

let current;

// The page where somebody would log in: whoever the client hints at does, as strongly as is asked for.
async function interaction(request, response) {
  const { params } = await current.interactionDetails(request, response);
  const acr = (params.acr_values ?? '').split(' ').find((value) => STRONG.includes(value));
  const login = { accountId: params.login_hint, amr: acr ? ['hwk', 'user'] : ['pwd'], ...(acr && { acr }) };
  await current.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}

async function answer(request, response) {
  if (request.url.startsWith('/interaction/')) return interaction(request, response);
  if (request.url.startsWith('/.well-known/')) counts.metadata += 1;
  if (request.url.startsWith('/jwks')) counts.keys += 1;
  return current.callback()(request, response);
}

let server;

function listen() {
  server = http.createServer((request, response) => {
    answer(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
}

function close() {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  return closed;
}

const commands = {
  publish: async (published) => { current = await provider(published); },
  stop: close,
  start: listen,
  count: async () => counts,
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, argument] = JSON.parse(line);
  console.log(JSON.stringify({ done: name, told: (await commands[name](argument)) ?? null }));
}
process.exit(0);

// Directories and providers of the tests: Keycloak is started by run.sh, OpenLDAP and Dex here.
import fs from 'node:fs';
import path from 'node:path';
import { freePort, run, start, tempDir } from './process.mjs';

export const keycloak = process.env.KEYCLOAK_URL;

/** Settings for the console's client at Keycloak. */
export const keycloakSettings = () => ({
  MINIO_IDENTITY_OPENID_CONFIG_URL: `${keycloak}/realms/console/.well-known/openid-configuration`,
  MINIO_IDENTITY_OPENID_CLIENT_ID: 'console', MINIO_IDENTITY_OPENID_CLIENT_SECRET: 'console-secret', MINIO_IDENTITY_OPENID_DISPLAY_NAME: 'Keycloak',
});

/** Logs in by the button and at Keycloak's page. */
export async function loginKeycloak(p, name) {
  await p.role('link', { name: 'Log in with Keycloak' }).click();
  await p.page.locator('#username').fill(name);
  await p.page.locator('#password').fill(`${name}-secret`);
  await p.page.locator('#kc-login').click();
}

const found = (name) => (process.env.PATH || '').split(':').map((d) => path.join(d, name)).find((f) => fs.existsSync(f));

/** Says why there is no OpenLDAP; undefined when there is one. */
export const noSlapd = () => (found('slapd') && found('ldapadd') ? undefined : 'slapd is not installed (get.sh installs it where it may)');

const suffix = 'dc=example,dc=test', admin = `cn=admin,${suffix}`, adminSecret = 'admin-secret';

/** Starts OpenLDAP with people laura and lukas (password NAME-secret) and the group storage with laura. */
export async function startSlapd() {
  const dir = tempDir(), port = await freePort(), url = `ldap://127.0.0.1:${port}`;
  fs.mkdirSync(path.join(dir, 'db'));
  fs.writeFileSync(path.join(dir, 'slapd.conf'), `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${dir}/pid
argsfile ${dir}/args
database mdb
suffix "${suffix}"
rootdn "${admin}"
rootpw ${adminSecret}
directory ${dir}/db
maxsize 67108864
dbnosync
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`);
  const server = await start(found('slapd'), ['-d', '256', '-f', path.join(dir, 'slapd.conf'), '-h', url], {
    log: path.join(dir, 'log'), ready: () => run('ldapwhoami', ['-x', '-H', url, '-D', admin, '-w', adminSecret]),
  });
  const person = (uid) => `dn: uid=${uid},ou=people,${suffix}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid}\nsn: ${uid}\nmail: ${uid}@example.test\nuserPassword: ${uid}-secret\n`;
  await run('ldapadd', ['-x', '-H', url, '-D', admin, '-w', adminSecret], {
    input: [
      `dn: ${suffix}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n`,
      ...['people', 'groups'].map((ou) => `dn: ou=${ou},${suffix}\nobjectClass: organizationalUnit\nou: ${ou}\n`),
      person('laura'), person('lukas'), person('lookup'),
      `dn: cn=storage,ou=groups,${suffix}\nobjectClass: groupOfNames\ncn: storage\nmember: uid=laura,ou=people,${suffix}\n`,
    ].join('\n'),
  });
  return {
    ...server, port,
    /** Settings for a server that asks this directory. */
    settings: {
      MINIO_IDENTITY_LDAP_SERVER_ADDR: `127.0.0.1:${port}`, MINIO_IDENTITY_LDAP_SERVER_INSECURE: 'on',
      MINIO_IDENTITY_LDAP_LOOKUP_BIND_DN: `uid=lookup,ou=people,${suffix}`, MINIO_IDENTITY_LDAP_LOOKUP_BIND_PASSWORD: 'lookup-secret',
      MINIO_IDENTITY_LDAP_USER_DN_SEARCH_BASE_DN: `ou=people,${suffix}`, MINIO_IDENTITY_LDAP_USER_DN_SEARCH_FILTER: '(uid=%s)',
      MINIO_IDENTITY_LDAP_GROUP_SEARCH_BASE_DN: `ou=groups,${suffix}`, MINIO_IDENTITY_LDAP_GROUP_SEARCH_FILTER: '(&(objectclass=groupOfNames)(member=%d))',
    },
    group: `cn=storage,ou=groups,${suffix}`,
  };
}

/** Says why there is no Dex; undefined when there is one. */
export const noDex = () => (process.env.DEX ? undefined : 'dex is not installed (on PATH, or DEX=)');

/** Starts Dex with the people of a directory for a console at `consoleURL`. */
export async function startDex(directory, redirect) {
  const dir = tempDir(), port = await freePort(), issuer = `http://127.0.0.1:${port}/dex`;
  const config = path.join(dir, 'dex.yaml');
  fs.writeFileSync(config, `issuer: ${issuer}
storage: {type: memory}
web: {http: '127.0.0.1:${port}'}
oauth2: {skipApprovalScreen: true}
staticClients:
- {id: console, name: console, secret: console-secret, redirectURIs: ['${redirect}']}
connectors:
- type: ldap
  id: ldap
  name: OpenLDAP
  config:
    host: 127.0.0.1:${directory.port}
    insecureNoSSL: true
    bindDN: ${admin}
    bindPW: ${adminSecret}
    userSearch: {baseDN: 'ou=people,${suffix}', filter: (objectClass=inetOrgPerson), username: uid, idAttr: uid, emailAttr: mail, nameAttr: cn}
    groupSearch: {baseDN: 'ou=groups,${suffix}', filter: (objectClass=groupOfNames), userMatchers: [{userAttr: DN, groupAttr: member}], nameAttr: cn}
`);
  const server = await start(process.env.DEX, ['serve', config], { log: path.join(dir, 'log'), ready: async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).ok });
  return {
    ...server, issuer,
    settings: {
      MINIO_IDENTITY_OPENID_CONFIG_URL: `${issuer}/.well-known/openid-configuration`, MINIO_IDENTITY_OPENID_CLIENT_ID: 'console', MINIO_IDENTITY_OPENID_CLIENT_SECRET: 'console-secret',
      MINIO_IDENTITY_OPENID_DISPLAY_NAME: 'Dex', MINIO_IDENTITY_OPENID_CLAIM_NAME: 'groups', MINIO_IDENTITY_OPENID_SCOPES: 'openid,profile,email,groups',
    },
  };
}
